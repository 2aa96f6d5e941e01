package bench_test

import (
	"context"
	"errors"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/internal/bench"
	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/tundev/pcapfile"
)

func run(t *testing.T, script string) (*bench.Report, error) {
	t.Helper()
	p, err := luabind.LoadString("script.lua", script, luabind.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return bench.Run(t.Context(), bench.Options{
		Round: 10 * time.Millisecond, Rounds: 3,
		Config: engine.Config{Programs: []engine.ProgramConfig{{Program: p}}},
	})
}

func TestReport(t *testing.T) {
	r, err := run(t, `on{ "icmp[icmptype] == icmp-echo", prio = -5, device = "tun0", run = function(p) return p:reply() end }
		on("tcp dst port 80", function(p) return "drop" end)`)
	if err != nil {
		t.Fatal(err)
	}
	if r.Packets != 400 || len(r.Variants) != 4 {
		t.Fatalf("%d packets, %d variants", r.Packets, len(r.Variants))
	}
	for _, c := range r.Variants {
		sum := c.Read + c.Decide + c.Fixup + c.Write
		if c.Rate <= 0 || c.Total <= 0 || sum < c.Total*0.99 || sum > c.Total*1.01 {
			t.Errorf("%s: the parts are %.1f ns of %.1f", c.Variant, sum, c.Total)
		}
		if c.Variant == bench.NoHandler && c.Allocs > 0.05 {
			t.Errorf("%s: %.2f allocations a packet", c.Variant, c.Allocs)
		}
	}
	// Of ten packets two are pings, 3 in 4 of them of IPv4, and two go to port 80.
	total := float64(0)
	for _, n := range r.Verdicts {
		total += float64(n)
	}
	for verdict, want := range map[string]float64{"replace": 0.15, "drop": 0.20} {
		if got := float64(r.Verdicts[verdict]) / total; got < want-0.02 || got > want+0.02 {
			t.Errorf("%s: %.3f of the packets, want %.2f", verdict, got, want)
		}
	}
}

func TestAScriptThatFailsSaysSo(t *testing.T) {
	r, err := run(t, `on("udp", function(p) local x = nil + 1 end)`)
	if err != nil || r.Errors == 0 {
		t.Errorf("%v, %v", r, err)
	}
	if _, err := run(t, `error("not today")`); err == nil || !strings.Contains(err.Error(), "not today") {
		t.Errorf("a script that does not start: %v", err)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	_, err := bench.Run(ctx, bench.Options{Round: time.Minute})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("interrupted: %v", err)
	}
}

func TestFromFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "two.pcap")
	w, err := pcapfile.Create(path, "")
	if err != nil {
		t.Fatal(err)
	}
	p, err := packet.Build(packet.IPv4{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2")}, packet.UDP{Dport: 7})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		w.Observe(&engine.Event{Kind: engine.Sent, Device: "tun0", Packet: p, Time: time.Unix(1, 0)})
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if ps, err := bench.FromFile(path); err != nil || len(ps) != 2 {
		t.Errorf("%d packets, %v", len(ps), err)
	}
	if _, err := bench.FromFile("bench_test.go"); err == nil {
		t.Error("a text is a capture")
	}
}
