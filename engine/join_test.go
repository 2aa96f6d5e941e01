package engine_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/offload"
	"github.com/tunscript/tunscript/engine/packet"
)

// grudging takes super-packets of UDP once.
type grudging struct {
	*played
	no *bool
}

func (d grudging) Attach(engine.Env) ([]engine.Queue, error) { return []engine.Queue{d}, nil }
func (d grudging) Join() (tcp, udp bool)                     { return true, !*d.no }

func (d grudging) Write(ps []*packet.Packet, lost func(*packet.Packet, engine.Reason)) error {
	err := d.played.Write(ps, lost)
	*d.no = true
	return err
}

// A device may find out in use that its kernel takes no super-packets of a kind. From then
// on packets leave one by one, and the log says it once.
func TestJoiningEndsWhereTheKernelRefuses(t *testing.T) {
	var log strings.Builder
	d := grudging{&played{name: "tun0"}, new(bool)}
	const each, rounds = 10, 200 // several batches
	for range rounds {
		p, err := packet.Build(packet.IPv4{Src: host, Dst: peer}, packet.UDP{Sport: 1, Dport: 7}, make(packet.Payload, each*100))
		if err != nil {
			t.Fatal(err)
		}
		p.SetGSO(packet.GSO{Type: offload.UDP, Size: 100})
		d.in = append(d.in, p)
	}
	eng, err := engine.New(engine.Config{Log: slog.New(slog.NewTextHandler(&log, nil)), Clock: engine.Virtual(time.Unix(0, 0)),
		Devices: []engine.DeviceConfig{{Device: d}},
		Programs: []engine.ProgramConfig{{Program: handler("echo", engine.Handler{Run: func(p *packet.Packet) engine.Verdict {
			return engine.Replace(p.Reply())
		}})}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := eng.Advance(time.Second); err != nil {
		t.Fatal(err)
	}
	eng.Close()
	joined, answers := 0, 0
	for _, p := range d.out {
		answers += p.Segments()
		if p.Segments() > 1 {
			joined++
		}
	}
	if answers != each*rounds {
		t.Errorf("%d answers, want %d", answers, each*rounds)
	}
	if single := len(d.out) - joined; joined == 0 || single < answers/2 {
		t.Errorf("%d joined and %d by themselves, want some and then none", joined, single)
	}
	if n := strings.Count(log.String(), "refuses super-packets"); n != 1 || !strings.Contains(log.String(), "device=tun0 protocol=udp") {
		t.Errorf("said %d times, want once: %s", n, log.String())
	}
}
