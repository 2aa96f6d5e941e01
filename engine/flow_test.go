package engine_test

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/flow"
	"github.com/tunscript/tunscript/engine/packet"
)

// answer is a datagram from a port of the peer to the host's.
func answer(t testing.TB, sport uint16, payload string) *packet.Packet {
	t.Helper()
	p, err := packet.Build(packet.IPv4{Src: peer, Dst: host}, packet.UDP{Sport: sport, Dport: 4000}, packet.Payload(payload))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// back gives packets to tun1, and lets them pass.
func (b *bench) back(ps ...*packet.Packet) {
	b.t.Helper()
	for _, p := range ps {
		if _, err := b.wire[1].Write(p.Bytes()); err != nil {
			b.t.Fatal(err)
		}
	}
	b.step(0)
}

// shown is what has left by device i, as tcpdump would name it. Every checksum is
// right.
func (b *bench) shown(i int) (all []string) {
	b.t.Helper()
	buf := make([]byte, 65536)
	for b.wire[i].Pending() > 0 {
		n, err := b.wire[i].Read(buf)
		if err != nil {
			b.t.Fatal(err)
		}
		p, err := packet.Parse(buf[:n], packet.IP)
		if err != nil {
			b.t.Fatal(err)
		}
		if layer, ok := p.Valid(); !ok {
			b.t.Errorf("%v: %s is wrong", p, layer)
		}
		all = append(all, p.String())
	}
	return all
}

// flowing is a program that asks for the flow of every packet.
func flowing(name string, run func(s *engine.Scope, f engine.Flow, p *packet.Packet) engine.Verdict) engine.Program {
	return engine.ProgramFunc(name, func(s *engine.Scope) error {
		_, err := s.Handle(engine.Handler{Run: func(p *packet.Packet) engine.Verdict {
			f, ok := s.Flow(p)
			if !ok {
				return engine.Fail(fmt.Errorf("%v has no flow", p))
			}
			return run(s, f, p)
		}})
		return err
	})
}

// counted is a program that counts the packets it sees in each flow.
func counted(name string, seen *[]string) engine.Program {
	return flowing(name, func(_ *engine.Scope, f engine.Flow, p *packet.Packet) engine.Verdict {
		n, _ := f.Value().(int)
		f.SetValue(n + 1)
		*seen = append(*seen, fmt.Sprintf("%s %v %d", name, f.Dir(), n+1))
		return engine.Pass()
	})
}

func TestFlowHasAValueForEachProgram(t *testing.T) {
	var seen []string
	b := virtual(t, counted("a", &seen), counted("b", &seen))
	b.step(0, udp(t, 7, "?"))
	b.back(answer(t, 7, "!"))
	b.step(0, udp(t, 8, "another flow"))
	want := []string{"a forward 1", "b forward 1", "a back 2", "b back 2", "a forward 1", "b forward 1"}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Error(diff)
	}
	if s := b.Stats().Flows; s.Held != 2 || s.Made != 2 {
		t.Errorf("%+v", s)
	}
}

// A program that is done with a flow does not see it any more; others do.
func TestBypassPass(t *testing.T) {
	var seen []string
	done := flowing("done", func(_ *engine.Scope, f engine.Flow, p *packet.Packet) engine.Verdict {
		seen = append(seen, "done")
		if err := f.Bypass(flow.Pass); err != nil {
			t.Error(err)
		}
		return engine.Pass()
	})
	b := virtual(t, done, counted("other", &seen))
	b.step(0, udp(t, 7, "1"), udp(t, 7, "2"))
	b.back(answer(t, 7, "3"))
	if diff := cmp.Diff([]string{"done", "other forward 1", "other forward 2", "other back 3"}, seen); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"1", "2"}, b.got(1)); diff != "" {
		t.Error(diff)
	}
	if s := b.Stats().Flows; s.Bypassed != 2 {
		t.Errorf("%+v, want 2 bypassed", s)
	}
}

// All handlers of a program that stand behind the one that made the rule still see
// its packet: the rule holds from the next one on.
func TestBypassHoldsFromTheNextPacket(t *testing.T) {
	var late []string
	program := engine.ProgramFunc("two", func(s *engine.Scope) error {
		s.Handle(engine.Handler{Run: func(p *packet.Packet) engine.Verdict {
			f, _ := s.Flow(p)
			f.Bypass(flow.Pass)
			return engine.Pass()
		}})
		_, err := s.Handle(engine.Handler{Prio: 50, Run: func(p *packet.Packet) engine.Verdict {
			late = append(late, string(p.Payload()))
			return engine.Pass()
		}})
		return err
	})
	b := virtual(t, counted("between", new([]string)), program)
	b.step(0, udp(t, 7, "1"), udp(t, 7, "2"))
	if diff := cmp.Diff([]string{"1"}, late); diff != "" {
		t.Error(diff)
	}
}

func TestBypassDrop(t *testing.T) {
	for _, verdict := range []engine.Verdict{engine.Pass(), engine.Drop("this one, too")} {
		var seen []string
		b := virtual(t, counted("first", &seen), flowing("gate", func(_ *engine.Scope, f engine.Flow, p *packet.Packet) engine.Verdict {
			f.Bypass(flow.Drop)
			return verdict
		}))
		b.step(0, udp(t, 7, "1"), udp(t, 7, "2"))
		b.back(answer(t, 7, "3"))
		if diff := cmp.Diff([]string{"first forward 1"}, seen); diff != "" {
			t.Error(diff)
		}
		s := b.Stats()
		if len(b.got(0)) != 0 || s.Reasons[engine.ReasonFlow] != 2 || s.Flows.Bypassed != 2 {
			t.Errorf("%v, %+v", s.Reasons, s.Flows)
		}
	}
}

// A packet that a later handler drops takes back what an earlier one has said.
func TestADropCancelsAPass(t *testing.T) {
	n := 0
	gate := flowing("gate", func(_ *engine.Scope, f engine.Flow, p *packet.Packet) engine.Verdict {
		n++
		f.Bypass(flow.Pass)
		return engine.Pass()
	})
	drops := true
	b := virtual(t, gate, on(func(*engine.Scope, *packet.Packet) engine.Verdict {
		if drops {
			return engine.Drop("")
		}
		return engine.Pass()
	}))
	b.step(0, udp(t, 7, "1"), udp(t, 7, "2"))
	drops = false
	b.step(0, udp(t, 7, "3"), udp(t, 7, "4"))
	if n != 3 {
		t.Errorf("the first program saw %d packets, want 3", n)
	}
}

// A rule remembers by which way its packet left.
func TestARuleRemembersTheWayOut(t *testing.T) {
	first := true
	b := virtual(t, flowing("turn", func(s *engine.Scope, f engine.Flow, p *packet.Packet) engine.Verdict {
		if first {
			s.SetOut(p, "tun0")
			f.Bypass(flow.Pass)
		}
		first = false
		return engine.Pass()
	}))
	b.step(0, udp(t, 7, "1"), udp(t, 7, "2"))
	if diff := cmp.Diff([]string{"1", "2"}, b.got(0)); diff != "" {
		t.Error(diff)
	}
}

// port leads port 8080 to port 80, as a script would.
func port(seen *int) engine.Program {
	return engine.ProgramFunc("port", func(s *engine.Scope) error {
		_, err := s.Handle(engine.Handler{Filter: "udp dst port 8080", Run: func(p *packet.Packet) engine.Verdict {
			*seen++
			f, _ := s.Flow(p)
			if err := f.Rewrite(flow.Rewrite{Dport: 80}); err != nil {
				return engine.Fail(err)
			}
			return engine.Pass()
		}})
		return err
	})
}

func TestRewriteThereAndBack(t *testing.T) {
	seen, other := 0, []string{}
	b := virtual(t, port(&seen), on(func(_ *engine.Scope, p *packet.Packet) engine.Verdict {
		other = append(other, p.String())
		return engine.Pass()
	}))
	b.step(0, udp(t, 8080, "1"), udp(t, 8080, "22"))
	b.back(answer(t, 80, "333"))
	there, back := "IP 192.0.2.1.4000 > 192.0.2.2.80: UDP, length ", "IP 192.0.2.2.8080 > 192.0.2.1.4000: UDP, length "
	if diff := cmp.Diff([]string{there + "1", there + "2"}, b.shown(1)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{back + "3"}, b.shown(0)); diff != "" {
		t.Error(diff)
	}
	// Other programs see packets as they came in.
	want := []string{
		"IP 192.0.2.1.4000 > 192.0.2.2.8080: UDP, length 1", "IP 192.0.2.1.4000 > 192.0.2.2.8080: UDP, length 2",
		"IP 192.0.2.2.80 > 192.0.2.1.4000: UDP, length 3",
	}
	if diff := cmp.Diff(want, other); diff != "" || seen != 1 {
		t.Errorf("%s the first program saw %d packets, want 1", diff, seen)
	}
	if s := b.Stats().Flows; s.Rewritten != 1 {
		t.Errorf("%+v", s)
	}
}

// What a program makes of a rewritten flow's packets goes the same way: a copy sent
// later is rewritten, an answer in the place of the far side is none of its packets.
func TestRewriteOfWhatAProgramSends(t *testing.T) {
	seen := 0
	b := virtual(t, port(&seen), on(func(s *engine.Scope, p *packet.Packet) engine.Verdict {
		q, reply := p.Clone(), p.Reply()
		s.After(time.Second, func() {
			s.Send(q)
			s.Send(reply)
		})
		return engine.Pass()
	}))
	b.step(2*time.Second, udp(t, 8080, "1"))
	there := "IP 192.0.2.1.4000 > 192.0.2.2.80: UDP, length 1"
	if diff := cmp.Diff([]string{there, there}, b.shown(1)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"IP 192.0.2.2.8080 > 192.0.2.1.4000: UDP, length 1"}, b.shown(0)); diff != "" {
		t.Error(diff)
	}
}

func TestRewriteOfADroppedPacketIsNone(t *testing.T) {
	seen := 0
	b := virtual(t, port(&seen), on(func(*engine.Scope, *packet.Packet) engine.Verdict { return engine.Drop("") }))
	b.step(0, udp(t, 8080, "1"), udp(t, 8080, "2"))
	if s := b.Stats().Flows; seen != 2 || s.Rewritten != 0 || s.Bypassed != 0 {
		t.Errorf("seen %d, %+v", seen, s)
	}
}

// Rules and values outlive a Swap; they go when the program goes for good.
func TestFlowsOutliveASwap(t *testing.T) {
	seen, other := 0, []string{}
	old, keeps := port(&seen), counted("keeps", &other)
	b := virtual(t, old, keeps)
	b.step(0, udp(t, 8080, "1"))
	anew := port(&seen)
	if err := errors.Join(b.Swap(old, anew), b.Swap(keeps, counted("keeps", &other))); err != nil {
		t.Fatal(err)
	}
	b.step(0, udp(t, 8080, "2"))
	if diff := cmp.Diff([]string{"keeps forward 1", "keeps forward 2"}, other); diff != "" || seen != 1 {
		t.Errorf("%s the rewriting program saw %d packets, want 1", diff, seen)
	}
	if err := b.Remove(anew); err != nil {
		t.Fatal(err)
	}
	b.shown(1)
	b.step(0, udp(t, 8080, "3"))
	if diff := cmp.Diff([]string{"IP 192.0.2.1.4000 > 192.0.2.2.8080: UDP, length 1"}, b.shown(1)); diff != "" {
		t.Error(diff)
	}
}

func TestFlowsAreLimitedAndExpire(t *testing.T) {
	b := newBench(t, func(c *engine.Config) {
		c.Clock, c.Flows = engine.Virtual(time.Unix(1000, 0)), 2
	}, counted("counts", new([]string)))
	b.step(0, udp(t, 1, ""), udp(t, 2, ""), udp(t, 3, ""))
	if s := b.Stats().Flows; s.Held != 2 || s.Made != 3 || s.Evicted != 1 {
		t.Errorf("%+v", s)
	}
	b.step(10*time.Minute, udp(t, 3, ""))
	b.step(0, udp(t, 3, ""))
	if s := b.Stats().Flows; s.Expired != 2 || s.Held != 1 {
		t.Errorf("%+v", s)
	}
}

// A rule made where no packet is in hand counts at once.
func TestARuleFromATimer(t *testing.T) {
	n := 0
	b := virtual(t, flowing("late", func(s *engine.Scope, f engine.Flow, p *packet.Packet) engine.Verdict {
		if n++; n == 1 {
			s.After(time.Second, func() { f.Bypass(flow.Pass) })
		}
		return engine.Drop("")
	}))
	b.step(0, udp(t, 7, "1"), udp(t, 7, "2"))
	b.step(time.Second)
	b.step(0, udp(t, 7, "3"))
	if n != 2 || len(b.got(1)) != 1 {
		t.Errorf("seen %d", n)
	}
}

// Fragments are joined for the program that asks, unless it is done with the flow;
// a rewrite finds the others by their first.
func TestFragmentsOfAFlow(t *testing.T) {
	n := 0
	program := engine.ProgramFunc("joins", func(s *engine.Scope) error {
		_, err := s.Handle(engine.Handler{Defrag: true, Run: func(p *packet.Packet) engine.Verdict {
			n++
			f, ok := s.Flow(p)
			if !ok || f.Rewrite(flow.Rewrite{Src: netip.MustParseAddr("203.0.113.1")}) != nil {
				t.Error("no flow to rewrite")
			}
			return engine.Pass()
		}})
		return err
	})
	b := virtual(t, program)
	parts := func() (ps []*packet.Packet) {
		whole := udp(t, 7, "sixteen bytes in, and some").Bytes()[20:]
		for at := 0; at < len(whole); at += 16 {
			end := min(at+16, len(whole))
			p, err := packet.Build(packet.IPv4{Src: host, Dst: peer, ID: 9, Proto: packet.ProtoUDP, Frag: at, MF: end < len(whole)}, packet.Payload(whole[at:end]))
			if err != nil {
				t.Fatal(err)
			}
			ps = append(ps, p)
		}
		return ps
	}
	b.step(0, parts()...)
	b.step(0, parts()...)
	all := b.shown(1)
	if n != 1 || len(all) != 6 {
		t.Errorf("seen %d times, %d fragments left", n, len(all))
	}
	for _, line := range all {
		if line[:14] != "IP 203.0.113.1" {
			t.Error(line)
		}
	}
}

// Who waits for a packet does not see a flow that its program is done with. A rule
// about the packet that it took counts at once: it has no fate to wait for.
func TestWhoWaitsForAPacketOfAFlow(t *testing.T) {
	var got []string
	b := virtual(t, counted("other", new([]string)), engine.ProgramFunc("task", func(s *engine.Scope) error {
		_, err := s.Await(engine.Await{Stay: true, Run: func(p *packet.Packet) {
			got = append(got, string(p.Payload()))
			f, ok := s.Flow(p)
			if !ok {
				t.Error("no flow")
			}
			if string(p.Payload()) == "2" {
				f.Bypass(flow.Pass)
			}
		}})
		return err
	}))
	b.step(0, udp(t, 7, "1"), udp(t, 7, "2"), udp(t, 7, "3"))
	if diff := cmp.Diff([]string{"1", "2"}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"3"}, b.got(1)); diff != "" {
		t.Error(diff)
	}
}
