package dump_test

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/internal/dump"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var at = time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)

func ping(t testing.TB) *packet.Packet {
	p, err := packet.Build(
		packet.IPv4{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2"), ID: 1},
		packet.ICMP{Type: packet.EchoRequest, ID: 7, Seq: 1}, packet.Payload("hello"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const request = "03:04:05.000006 tun0 in    33  IP 192.0.2.1 > 192.0.2.2: ICMP echo request, id 7, seq 1, length 13"

func TestLines(t *testing.T) {
	for _, tt := range []struct {
		name   string
		events []engine.Event
		want   string
	}{
		{"a drop, with handler and reason",
			[]engine.Event{{Kind: engine.Received}, {Kind: engine.Dropped, Handler: "gate.lua:3", Reason: "blocked"}},
			request + "  [drop by gate.lua:3: blocked]\n"},
		{"nobody wanted it",
			[]engine.Event{{Kind: engine.Received}, {Kind: engine.Passed, Reason: "unforwarded"}},
			request + "  [pass: unforwarded]\n"},
		{"an accepted one that leaves",
			[]engine.Event{{Kind: engine.Received}, {Kind: engine.Accepted, Handler: "h"}, {Kind: engine.Sent}},
			request + "  [accept by h]\n" + strings.Replace(request, "in ", "out", 1) + "\n"},
		{"one that could not leave",
			[]engine.Event{{Kind: engine.Lost, Reason: "too_big"}},
			strings.Replace(request, "in ", "out", 1) + "  [lost: too_big]\n"},
		{"a fragment that waits, and one that completes its datagram",
			[]engine.Event{{Kind: engine.Received}, {Kind: engine.Held, Reason: "fragment"}, {Kind: engine.Received}, {Kind: engine.Joined}, {Kind: engine.Passed}},
			request + "  [hold: fragment]\n" + request + "  [joined]\n" + request + "  [pass]\n"},
		{"a packet that a fault delays, with others in between",
			[]engine.Event{{Kind: engine.Received}, {Kind: engine.Held, Reason: "impair_delay"}, {Kind: engine.Received}, {Kind: engine.Dropped, Reason: "impair_loss"}, {Kind: engine.Released}, {Kind: engine.Passed}},
			request + "  [hold: impair_delay]\n" + request + "  [drop: impair_loss]\n" + request + "  [pass]\n"},
		{"fragments that are given up",
			[]engine.Event{{Kind: engine.Abandoned, Reason: "fragment expired"}},
			request + "  [abandoned: fragment expired]\n"},
		{"errors are the log's",
			[]engine.Event{{Kind: engine.Failed, Err: errors.New("x")}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			d := dump.New(&out, dump.Options{})
			for _, e := range tt.events {
				e.Time, e.Device, e.Packet = at, "tun0", ping(t)
				d.Observe(&e)
			}
			d.Close()
			if out.String() != tt.want {
				t.Errorf("got\n%swant\n%s", out.String(), tt.want)
			}
		})
	}
}

// The line shows a packet as it came, also where a handler has changed it since.
func TestShowsThePacketAsItCame(t *testing.T) {
	var out bytes.Buffer
	d := dump.New(&out, dump.Options{})
	p := ping(t)
	d.Observe(&engine.Event{Kind: engine.Received, Time: at, Device: "tun0", Packet: p})
	ip, _ := p.IPv4()
	ip.SetDst(netip.MustParseAddr("192.0.2.99"))
	d.Observe(&engine.Event{Kind: engine.Passed, Time: at, Device: "tun0", Packet: p})
	d.Close()
	if want := request + "  [pass]\n"; out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestCountEndsTheRun(t *testing.T) {
	var out bytes.Buffer
	ended := 0
	d := dump.New(&out, dump.Options{Count: 2, Done: func() { ended++ }})
	for range 5 {
		e := engine.Event{Kind: engine.Received, Time: at, Device: "tun0", Packet: ping(t)}
		d.Observe(&e)
		e.Kind = engine.Passed
		d.Observe(&e)
	}
	d.Close()
	if n := strings.Count(out.String(), "\n"); n != 2 || ended != 1 {
		t.Errorf("%d lines and %d calls of Done, want 2 and 1", n, ended)
	}
}

func TestHex(t *testing.T) {
	var out bytes.Buffer
	d := dump.New(&out, dump.Options{Hex: true})
	d.Observe(&engine.Event{Kind: engine.Sent, Time: at, Device: "tun0", Packet: ping(t)})
	d.Close()
	if !strings.Contains(out.String(), "4500 0021") || !strings.Contains(out.String(), "6865 6c6c") {
		t.Errorf("no bytes in\n%s", out.String())
	}
}

// A writer that takes for ever must not hold up the worker.
func TestSlowWriterLosesLines(t *testing.T) {
	r, w := io.Pipe()
	d := dump.New(w, dump.Options{})
	const n = 20_000
	start := time.Now()
	for range n {
		d.Observe(&engine.Event{Kind: engine.Sent, Time: at, Device: "tun0", Packet: ping(t)})
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("%d events took %v", n, took)
	}
	if d.Lost() == 0 {
		t.Error("no line is lost, though nobody reads")
	}
	text := make(chan string)
	go func() {
		b, _ := io.ReadAll(r)
		text <- string(b)
	}()
	d.Close()
	w.Close()
	got := <-text
	if lines := uint64(strings.Count(got, "length 13\n")); lines+d.Lost() != n {
		t.Errorf("%d lines and %d lost, want %d together", lines, d.Lost(), n)
	}
	if !strings.Contains(got, "lines are missing") {
		t.Error("the loss is not said")
	}
}

func Example() {
	d := dump.New(os.Stdout, dump.Options{})
	p, _ := packet.Build(
		packet.IPv4{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2")},
		packet.UDP{Sport: 4000, Dport: 7}, packet.Payload("hello"))
	d.Observe(&engine.Event{Kind: engine.Received, Time: at, Device: "tun0", Packet: p})
	d.Observe(&engine.Event{Kind: engine.Dropped, Time: at, Device: "tun0", Packet: p, Handler: "gate.lua:1", Reason: "blocked"})
	d.Close()
	// Output: 03:04:05.000006 tun0 in    33  IP 192.0.2.1.4000 > 192.0.2.2.7: UDP, length 5  [drop by gate.lua:1: blocked]
}

// What package packet has no view of is said all the same.
func TestWhatFollowsTheLastView(t *testing.T) {
	p, err := packet.Build(packet.IPv4{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("224.0.0.9"), ID: 1, Proto: 2},
		packet.Payload("\x16\x00\x00\x00\xe0\x00\x00\x09"))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	d := dump.New(&out, dump.Options{})
	d.Observe(&engine.Event{Kind: engine.Sent, Time: at, Device: "tun0", Packet: p})
	d.Close()
	want := "03:04:05.000006 tun0 out   28  IP 192.0.2.1 > 224.0.0.9: proto 2, length 8: IGMPv2 Membership Report 224.0.0.9\n"
	if out.String() != want {
		t.Errorf("got  %swant %s", out.String(), want)
	}
}
