package flow_test

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/flow"
	"github.com/tunscript/tunscript/engine/packet"
)

// Two hosts behind one address talk to one server from the same port.
func TestTwoHostsWithOnePort(t *testing.T) {
	w := newWorld(t, 0)
	one, two := tcp(t, host, 4000, server, 80, "S", ""), tcp(t, other, 4000, server, 80, "S", "")
	f, g := w.get(one), w.get(two)
	if err := f.Rewrite(gate, flow.Rewrite{Src: public}); err != nil {
		t.Fatal(err)
	}
	if err := g.Rewrite(gate, flow.Rewrite{Src: public}); !errors.Is(err, flow.ErrTaken) {
		t.Fatalf("%v, want ErrTaken", err)
	}
	if err := g.Rewrite(gate, flow.Rewrite{Src: public, Sport: 4000}); !errors.Is(err, flow.ErrTaken) {
		t.Fatalf("%v, want ErrTaken", err)
	}
	if g.Ruled() {
		t.Error("a rewrite that failed left a rule")
	}
	if err := g.Rewrite(gate, flow.Rewrite{Src: public, FreeSport: true}); err != nil {
		t.Fatal(err)
	}
	w.Settle(flow.Flow{}, true, 1, 2)
	g.Apply(two)
	view, _ := two.TCP()
	if port := view.Sport(); port == 4000 || port < 1024 {
		t.Errorf("the second leaves from port %d", port)
	}
	for port, want := range map[uint16]string{
		4000:         "198.51.100.80.80 > 192.0.2.1.4000",
		view.Sport(): "198.51.100.80.80 > 192.0.2.7.4000",
	} {
		if got := ends(w.pass(tcp(t, server, 80, public, port, "SA", ""))); got != want {
			t.Errorf("what comes back to port %d leaves as %s, want %s", port, got, want)
		}
	}
}

// What somebody else's flow looks like is not taken once that has ended.
func TestAnIdleFlowDoesNotHoldItsPort(t *testing.T) {
	w := newWorld(t, 0)
	f := w.get(udp(t, host, 4000, server, 53, "?"))
	f.Rewrite(gate, flow.Rewrite{Src: public})
	w.Settle(f, true, 1, 2)
	w.now = w.now.Add(2 * time.Minute)
	g := w.get(udp(t, other, 4000, server, 53, "?"))
	if err := g.Rewrite(gate, flow.Rewrite{Src: public}); err != nil {
		t.Error(err)
	}
}

// The outer address has a flow of its own that looks like a rewritten one: its
// questions are told apart, the answers go to who was first.
func TestAFlowThatLooksLikeARewrittenOne(t *testing.T) {
	w := newWorld(t, 0)
	f := w.get(udp(t, host, 4000, server, 53, "?"))
	f.Rewrite(gate, flow.Rewrite{Src: public})
	w.Settle(f, true, 1, 2)
	own := w.get(udp(t, public, 4000, server, 53, "?"))
	if own.Same(f) || own.Rewritten() {
		t.Error("it is the rewritten flow")
	}
	if g := w.find(udp(t, server, 53, public, 4000, "!")); !g.Same(f) {
		t.Error("the answer changed hands")
	}
	if err := own.Rewrite(gate, flow.Rewrite{Src: public}); !errors.Is(err, flow.ErrTaken) {
		t.Errorf("%v, want ErrTaken", err)
	}
}

func TestPortsRunOut(t *testing.T) {
	w := newWorld(t, 200_000)
	p := udp(t, host, 4000, server, 53, "?")
	view, _ := p.UDP()
	ip, _ := p.IPv4()
	used := map[uint16]bool{}
	took := 0
	for n := 0; ; n++ {
		view.SetSport(uint16(1024 + n%60000))
		if n >= 60000 {
			ip.SetSrc(other)
		}
		f := w.get(p)
		if err := f.Rewrite(gate, flow.Rewrite{Src: public, FreeSport: true}); err != nil {
			if !errors.Is(err, flow.ErrExhausted) {
				t.Fatal(err)
			}
			took = n
			break
		}
		q := p.Clone()
		f.Apply(q)
		out, _ := q.UDP()
		if port := out.Sport(); used[port] || port < 1024 {
			t.Fatalf("flow %d leaves from port %d", n, port)
		}
		used[out.Sport()] = true
		w.Settle(f, true, 1, 2)
	}
	if took < 60000 || took > 65536-1024 {
		t.Errorf("ports ran out after %d flows", took)
	}
}

// Well-known ports stay among themselves, and chance decides, not order.
func TestAFreePortIsOfTheSameKind(t *testing.T) {
	var seen []uint16
	for seed := range uint64(3) {
		w := &world{t, flow.New(flow.Config{Rand: rand.NewPCG(seed, 1)}), start}
		for i, src := range []uint16{500, 500, 4000, 4000} {
			from := host
			if i%2 == 1 {
				from = other
			}
			p := udp(t, from, src, server, 53, "?")
			f := w.get(p)
			if err := f.Rewrite(gate, flow.Rewrite{Src: public, FreeSport: true}); err != nil {
				t.Fatal(err)
			}
			f.Apply(p)
			view, _ := p.UDP()
			if (view.Sport() < 1024) != (src < 1024) {
				t.Errorf("port %d became %d", src, view.Sport())
			}
			if i == 3 {
				seen = append(seen, view.Sport())
			}
		}
	}
	if seen[0] == seen[1] && seen[1] == seen[2] {
		t.Errorf("every seed gives port %d", seen[0])
	}
}

func TestAFreeEchoID(t *testing.T) {
	w := newWorld(t, 0)
	one, two := echo(t, host, server, 9, false), echo(t, other, server, 9, false)
	for _, p := range []*packet.Packet{one, two} {
		f := w.get(p)
		if err := f.Rewrite(gate, flow.Rewrite{Src: public, FreeSport: true}); err != nil {
			t.Fatal(err)
		}
		w.Settle(f, true, 1, 2)
		f.Apply(p)
		w.right(p)
	}
	a, _ := one.ICMP()
	b, _ := two.ICMP()
	if a.ID() != 9 || b.ID() == 9 {
		t.Errorf("ids %d and %d", a.ID(), b.ID())
	}
	if got := ends(w.pass(echo(t, server, public, b.ID(), true))); got != "198.51.100.80 > 192.0.2.7 id 9" {
		t.Error(got)
	}
}
