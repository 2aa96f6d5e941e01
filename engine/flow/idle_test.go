package flow_test

import (
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/flow"
	"github.com/tunscript/tunscript/engine/packet"
)

// A flow lives as long as what has been said lets it, and no longer.
func TestFlowsEndWhenIdle(t *testing.T) {
	there := func(flags string) *packet.Packet { return tcp(t, host, 4000, server, 80, flags, "") }
	back := func(flags string) *packet.Packet { return tcp(t, server, 80, host, 4000, flags, "") }
	ask := func() *packet.Packet { return udp(t, host, 4000, server, 53, "?") }
	answer := func() *packet.Packet { return udp(t, server, 53, host, 4000, "!") }
	for _, tt := range []struct {
		name string
		said []*packet.Packet
		want time.Duration
	}{
		{"SYN", []*packet.Packet{there("S")}, 4 * time.Minute},
		{"half open", []*packet.Packet{there("S"), back("SA"), back("SA")}, 4 * time.Minute},
		{"established", []*packet.Packet{there("S"), back("SA"), there("A")}, 124 * time.Minute},
		{"joined in the middle", []*packet.Packet{there("PA"), back("A")}, 124 * time.Minute},
		{"half closed", []*packet.Packet{there("S"), back("SA"), there("A"), there("FA"), back("A")}, 124 * time.Minute},
		{"closed", []*packet.Packet{there("S"), back("SA"), there("A"), there("FA"), back("FA"), there("A")}, 4 * time.Minute},
		{"refused", []*packet.Packet{there("S"), back("RA")}, 4 * time.Minute},
		{"reset", []*packet.Packet{there("S"), back("SA"), there("A"), back("R"), there("A")}, 4 * time.Minute},
		{"udp", []*packet.Packet{ask(), ask()}, 2 * time.Minute},
		{"udp answered", []*packet.Packet{ask(), answer()}, 5 * time.Minute},
		{"echo", []*packet.Packet{echo(t, host, server, 1, false), echo(t, server, host, 1, true)}, time.Minute},
		{"gre", []*packet.Packet{build(t, packet.IPv4{Src: host, Dst: server, Proto: 47}, packet.Payload("x"))}, 10 * time.Minute},
		{"an error keeps nothing alive", []*packet.Packet{ask(), reported(t, router, ask())}, 2 * time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, 0)
			f := w.get(tt.said[0])
			for _, p := range tt.said[1:] {
				w.now = w.now.Add(time.Millisecond)
				w.find(p)
			}
			began := start.Add(time.Duration(len(tt.said)-1) * time.Millisecond)
			if tt.name == "an error keeps nothing alive" {
				began = start
			}
			w.now = began.Add(tt.want - 1)
			if n := w.Expire(w.now, 10); n != 0 || !f.Live() {
				t.Fatalf("it ended before %v", tt.want)
			}
			w.now = began.Add(tt.want)
			w.unknown(tt.said[0])
			if f.Live() || w.Len() != 0 || w.Stats().Expired != 1 {
				t.Errorf("live %v, %+v", f.Live(), w.Stats())
			}
		})
	}
}

func TestTimeThatGoesBackStandsStill(t *testing.T) {
	w := newWorld(t, 0)
	f := w.get(udp(t, host, 1, server, 2, ""))
	w.now = start.Add(-time.Hour)
	w.get(udp(t, host, 3, server, 4, ""))
	w.now = start.Add(2*time.Minute - 1)
	if !f.Live() || w.Expire(w.now, 10) != 0 {
		t.Error("ended too early")
	}
	if n := w.Expire(start.Add(2*time.Minute), 10); n != 2 {
		t.Errorf("%d ended, want both", n)
	}
}

// The same ports again, after the connection on them is over, are another flow.
func TestANewConnectionIsANewFlow(t *testing.T) {
	w := newWorld(t, 0)
	syn := tcp(t, host, 4000, server, 80, "S", "")
	f := w.get(syn)
	f.SetValue(gate, "old")
	if again := w.get(syn); !again.Same(f) {
		t.Error("a SYN sent again is another flow")
	}
	w.find(tcp(t, server, 80, host, 4000, "RA", ""))
	g := w.get(syn)
	if g.Same(f) || f.Live() || g.Value(gate) != nil {
		t.Errorf("same %v, the old one lives: %v, value %v", g.Same(f), f.Live(), g.Value(gate))
	}
}

func TestTheLeastUsefulFlowMakesRoom(t *testing.T) {
	w := newWorld(t, 6)
	open := func(sport uint16) flow.Flow {
		f := w.get(tcp(t, host, sport, server, 80, "S", ""))
		w.find(tcp(t, server, 80, host, sport, "SA", ""))
		w.find(tcp(t, host, sport, server, 80, "A", ""))
		w.now = w.now.Add(time.Second)
		return f
	}
	ask := func(sport uint16) flow.Flow {
		w.now = w.now.Add(time.Second)
		return w.get(udp(t, host, sport, server, 53, "?"))
	}
	rule := ask(1)
	rule.Bypass(gate, flow.Drop)
	ruled := open(2)
	ruled.Bypass(gate, flow.Pass)
	w.Settle(flow.Flow{}, true, flow.NoWay, flow.NoWay)
	good, better := open(3), open(4)
	old, young := ask(5), ask(6)

	flows := []flow.Flow{old, young, good, better, rule, ruled}
	for i := range flows {
		fresh := open(uint16(100 + i)) // as good as good, but younger
		if flows[i].Live() {
			t.Fatalf("flow %d still lives", i)
		}
		for j, f := range flows[i+1:] {
			if !f.Live() {
				t.Fatalf("flow %d ended before flow %d", i+1+j, i)
			}
		}
		if i >= 3 {
			break // from here on the young ones go first
		}
		_ = fresh
	}
	if s := w.Stats(); s.Held != 6 || s.Evicted != 4 {
		t.Errorf("%+v", s)
	}
	if !rule.Live() || !ruled.Live() {
		t.Error("a flow with a rule ended while others were there")
	}
}

// A scan of a million ports takes one place from who was there before.
func TestAScanDisplacesItself(t *testing.T) {
	w := newWorld(t, 100)
	good := make([]flow.Flow, 100)
	for i := range good {
		p := uint16(4000 + i)
		good[i] = w.get(udp(t, host, p, server, 53, "?"))
		w.find(udp(t, server, 53, host, p, "!"))
	}
	syn := tcp(t, other, 1, server, 1, "S", "")
	for i := range 100_000 {
		view, _ := syn.TCP()
		view.SetSport(uint16(1 + i%60000))
		view.SetDport(uint16(1 + i/60000))
		w.get(syn)
	}
	lost := 0
	for _, f := range good {
		if !f.Live() {
			lost++
		}
	}
	if lost != 1 || w.Len() != 100 {
		t.Errorf("%d good flows lost, %d held", lost, w.Len())
	}
}
