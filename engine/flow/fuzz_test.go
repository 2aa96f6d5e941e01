package flow_test

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/flow"
	"github.com/tunscript/tunscript/engine/packet"
)

// An act is one step of a story that chance tells.
type act struct {
	*world
	dice  func(n int) int
	wild  []byte // bytes that nobody made
	flows []flow.Flow
}

var actors = []netip.Addr{host, other, server, public, host6, server6, public6}

// packet is one of few packets, so that they meet: between few hosts and ports,
// errors about them, fragments, and sometimes whatever bytes there are.
func (a *act) packet() *packet.Packet {
	if len(a.wild) > 0 && a.dice(8) == 0 {
		if p, err := packet.Parse(a.wild, packet.IP); err == nil {
			return p
		}
	}
	src := actors[a.dice(len(actors))]
	dst := actors[a.dice(len(actors))]
	if src.Is4() != dst.Is4() {
		dst = src
	}
	sport, dport := uint16(1+a.dice(3)), uint16(1+a.dice(3))
	var p *packet.Packet
	switch a.dice(5) {
	case 0:
		p = udp(a, src, sport, dst, dport, "a payload to be cut")
	case 1:
		p = echo(a, src, dst, sport, a.dice(2) == 0)
	case 2:
		p = build(a, ipHeader(src, dst), packet.Payload("\x11"))
	default:
		p = tcp(a, src, sport, dst, dport, []string{"S", "SA", "A", "FA", "R", ""}[a.dice(6)], "")
	}
	switch a.dice(8) {
	case 0:
		if e := p.Unreachable(packet.UnreachablePort, 0); e.Len() > 0 {
			e.Finish()
			return e
		}
	case 1:
		if p.Layout().Version == 4 && p.Len() > 36 {
			ps := fragments(a, p, 8)
			return ps[a.dice(len(ps))]
		}
	}
	return p
}

func (a *act) step() {
	p := a.packet()
	_, fine := p.Valid()
	a.now = a.now.Add(time.Duration(a.dice(20)-1) * time.Second)
	var f flow.Flow
	if a.dice(2) == 0 {
		f, _ = a.Find(p, a.now)
	} else {
		f, _ = a.Get(p, a.now)
	}
	by := f
	if len(a.flows) > 0 && a.dice(5) == 0 {
		by = a.flows[a.dice(len(a.flows))] // a rule made from a timer
	}
	owner := flow.Owner(a.dice(3))
	switch a.dice(8) {
	case 0:
		by.SetValue(owner, p)
	case 1:
		by.Bypass(owner, flow.Pass)
	case 2:
		by.Bypass(owner, flow.Drop)
	case 3, 4:
		to := flow.Rewrite{FreeSport: a.dice(2) == 0}
		if a.dice(2) == 0 {
			to.Src = actors[a.dice(len(actors))]
		}
		if a.dice(2) == 0 {
			to.Dst = actors[a.dice(len(actors))]
		}
		if a.dice(2) == 0 {
			to.Sport = uint16(1 + a.dice(4))
		}
		if a.dice(2) == 0 {
			to.Dport = uint16(1 + a.dice(4))
		}
		by.Rewrite(owner, to)
	case 5:
		a.Expire(a.now, a.dice(3))
	case 6:
		if a.dice(20) == 0 {
			a.Forget(owner)
		} else if a.dice(20) == 0 {
			a.ForgetValues(owner)
		}
	}
	if a.Pending() {
		a.Settle(f, a.dice(3) > 0, a.dice(2), a.dice(2))
	}
	if f.Live() {
		a.flows = append(a.flows, f)
	}
	n := p.Len()
	f.Apply(p)
	if _, ok := p.Valid(); ok != fine || p.Len() != n {
		a.Fatalf("valid %v became %v: %v", fine, ok, p)
	}
	if err := a.Check(); err != nil {
		a.Fatal(err)
	}
}

// FuzzStory lets chance decide about packets, rules and time; what must hold of
// every table holds after each step.
func FuzzStory(f *testing.F) {
	for i := range uint64(20) {
		f.Add(i, 5, []byte{0x45, 0, 0, 28})
	}
	f.Fuzz(func(t *testing.T, seed uint64, limit int, wild []byte) {
		dice := rand.New(rand.NewPCG(seed, 0))
		w := &world{t, flow.New(flow.Config{Limit: 1 + int(uint(limit)%40), Rand: rand.NewPCG(seed, 1)}), start}
		a := &act{world: w, dice: dice.IntN, wild: wild}
		for range 300 {
			a.step()
		}
	})
}

// A run repeats: the same packets, times and seed have the same flows evicted and
// the same ports taken.
func TestARunRepeats(t *testing.T) {
	tell := func() (flow.Stats, []bool) {
		w := &world{t, flow.New(flow.Config{Limit: 20, Rand: rand.NewPCG(1, 1)}), start}
		a := &act{world: w, dice: rand.New(rand.NewPCG(7, 7)).IntN}
		for range 3000 {
			a.step()
		}
		var live []bool
		for _, f := range a.flows {
			live = append(live, f.Live())
		}
		return w.Stats(), live
	}
	s, live := tell()
	for range 3 {
		again, alive := tell()
		if again != s || len(alive) != len(live) {
			t.Fatalf("%+v, then %+v", s, again)
		}
		for i := range live {
			if live[i] != alive[i] {
				t.Fatalf("flow %d lived once, and once did not", i)
			}
		}
	}
	if s.Evicted == 0 || s.Expired == 0 || s.Made == 0 {
		t.Errorf("the story is dull: %+v", s)
	}
}
