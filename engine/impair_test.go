package engine_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/impair"
	"github.com/tunscript/tunscript/engine/packet"
)

// A program makes links bad from when it takes effect, or later, until it says
// otherwise or ends; packets that are on their way arrive all the same.
func TestScopeImpair(t *testing.T) {
	var s *engine.Scope
	var first *engine.Impairment
	program := engine.ProgramFunc("bad", func(sc *engine.Scope) (err error) {
		s = sc
		first, err = s.Impair(engine.ImpairConfig{Options: impair.Options{Delay: 10 * ms}})
		return err
	})
	b := bad(t, nil, program)
	b.give(udp(t, 7, "a"))
	b.after(5 * ms)
	first.Cancel()
	first.Cancel()
	b.give(udp(t, 7, "b"))
	b.after(0, nil, []string{"b"})
	b.after(5*ms, nil, []string{"a"})
	if _, err := s.Impair(engine.ImpairConfig{Devices: []string{"tun0"}, Options: impair.Options{Delay: 20 * ms}}); err != nil {
		t.Fatal(err)
	}
	b.give(udp(t, 7, "c"))
	b.after(0)
	if err := b.Remove(program); err != nil {
		t.Fatal(err)
	}
	b.give(udp(t, 7, "d"))
	b.after(0, nil, []string{"d"})
	b.after(20*ms, nil, []string{"c"})
	if _, err := s.Impair(engine.ImpairConfig{Options: impair.Options{Loss: 1}}); !errors.Is(err, engine.ErrScopeClosed) {
		t.Errorf("a program that has ended: %v", err)
	}
}

// Rules act one after the other, and a packet that was held goes on behind the rule
// that held it, whatever came and went meanwhile.
func TestRulesInOrder(t *testing.T) {
	var rules []*engine.Impairment
	var s *engine.Scope
	program := engine.ProgramFunc("bad", func(sc *engine.Scope) error {
		s = sc
		for _, delay := range []time.Duration{10 * ms, 20 * ms} {
			r, err := s.Impair(engine.ImpairConfig{Options: impair.Options{Delay: delay}})
			if err != nil {
				return err
			}
			rules = append(rules, r)
		}
		return nil
	})
	b := bad(t, faults(impair.Options{Delay: 5 * ms}), program)
	b.give(udp(t, 7, "a"))
	b.after(35*ms-1, nil, nil)
	b.after(1, nil, []string{"a"})

	b.give(udp(t, 7, "b"))
	b.after(7 * ms) // it is at the second rule
	rules[0].Cancel()
	b.after(8*ms, nil, nil)
	rules[1].Cancel() // it is at the third already
	b.after(20*ms, nil, []string{"b"})
}

// Detached, a rule is checked and counts for nothing; one that is cancelled before
// its program takes effect never does.
func TestImpairWhileStarting(t *testing.T) {
	b := bad(t, nil, engine.ProgramFunc("bad", func(s *engine.Scope) error {
		r, err := s.Impair(engine.ImpairConfig{Options: impair.Options{Loss: 1}})
		r.Cancel()
		return err
	}))
	b.give(udp(t, 7, "a"))
	b.after(0, nil, []string{"a"})

	err := b.Add(engine.ProgramFunc("worse", func(s *engine.Scope) error {
		if _, err := s.Impair(engine.ImpairConfig{Options: impair.Options{Loss: 1}}); err != nil {
			t.Error(err)
		}
		_, err := s.Impair(engine.ImpairConfig{Options: impair.Options{Loss: 1, Filter: "udp prot 7"}})
		return err
	}))
	var oe *impair.OptionError
	if !errors.As(err, &oe) || oe.Option != "filter" {
		t.Errorf("got %v, want an OptionError about the filter", err)
	}
	b.give(udp(t, 7, "b"))
	b.after(0, nil, []string{"b"})
}

// A program's rule is about its devices, unless it names others.
func TestImpairOfAProgramOnOneDevice(t *testing.T) {
	b := newBench(t, func(c *engine.Config) {
		c.Clock = engine.Virtual(time.Unix(1000, 0))
		c.Programs = []engine.ProgramConfig{{Devices: []string{"tun1"}, Program: engine.ProgramFunc("bad", func(s *engine.Scope) error {
			_, err := s.Impair(engine.ImpairConfig{Options: impair.Options{Loss: 1, Direction: impair.In}})
			return err
		})}}
	})
	b.give(udp(t, 7, "a"))
	b.after(0, nil, []string{"a"})
	if _, err := b.wire[1].Write(udp(t, 7, "b").Bytes()); err != nil {
		t.Fatal(err)
	}
	b.after(0)
	if n := b.Stats().Reasons[engine.Reason(impair.Lost)]; n != 1 {
		t.Errorf("%d were lost at tun1, want 1", n)
	}
}

// The same seed and the same packets have the same fate, and what goes one way does
// not change what happens the other way.
func TestFaultsAreRepeatable(t *testing.T) {
	flaky, _ := impair.Profile("flaky")
	fate := func(seed uint64, answers bool) (got []string) {
		b := newBench(t, func(c *engine.Config) {
			c.Clock, c.Seed, c.Impair = engine.Virtual(time.Unix(0, 0)), seed, faults(flaky)
		}, on(func(s *engine.Scope, p *packet.Packet) engine.Verdict {
			if answers {
				if err := s.Send(p.Reply()); err != nil {
					t.Error(err)
				}
			}
			return engine.Pass()
		}))
		for i := range 300 {
			b.give(udp(t, 7, fmt.Sprint(i)))
			b.step(ms)
		}
		b.step(time.Second)
		return b.got(1)
	}
	first := fate(7, false)
	if diff := cmp.Diff(first, fate(7, false)); diff != "" {
		t.Errorf("the same seed (-first +second):\n%s", diff)
	}
	if diff := cmp.Diff(first, fate(7, true)); diff != "" {
		t.Errorf("with answers the other way (-without +with):\n%s", diff)
	}
	if cmp.Equal(first, fate(8, false)) {
		t.Error("another seed, the same fate")
	}
}

// Each way draws its own numbers: who is lost there is not who is lost back.
func TestEachWayHasItsOwnChance(t *testing.T) {
	b := bad(t, faults(impair.Options{Loss: 0.5, Direction: impair.In}))
	for i := range 100 {
		p := udp(t, 7, fmt.Sprint(i))
		b.give(p)
		if _, err := b.wire[1].Write(p.Bytes()); err != nil {
			t.Fatal(err)
		}
		b.step(0)
	}
	if there, back := b.got(1), b.got(0); len(there) < 20 || len(back) < 20 || cmp.Equal(there, back) {
		t.Errorf("of 100 packets %d arrive there and %d back, the same: %v", len(there), len(back), cmp.Equal(there, back))
	}
}

// On the system's clock, too, a delay is kept, and packets that wait for theirs are
// not forgotten while nothing else happens.
func TestDelayOnTheSystemsClock(t *testing.T) {
	b := newBench(t, func(c *engine.Config) { c.Impair = faults(impair.Options{Delay: 30 * ms}) }).run()
	begin := time.Now()
	for _, word := range []string{"a", "b", "c"} {
		b.give(udp(t, 7, word))
	}
	buf := make([]byte, 1500)
	for range 3 {
		if _, err := b.wire[1].Read(buf); err != nil {
			t.Fatal(err)
		}
	}
	// Generous above: the machine may be busy.
	if took := time.Since(begin); took < 30*ms || took > time.Second {
		t.Errorf("three packets with a delay of 30 ms took %v", took)
	}
	if err := b.end(); err != nil {
		t.Error(err)
	}
}

// An impaired link, and a program that does not know of it.
func ExampleScope_Impair() {
	bad := engine.ProgramFunc("bad", func(s *engine.Scope) error {
		dsl, _ := impair.Profile("dsl")
		rule, err := s.Impair(engine.ImpairConfig{Options: dsl})
		if err != nil {
			return err
		}
		_, err = s.After(time.Minute, rule.Cancel)
		return err
	})
	eng, err := engine.New(engine.Config{
		Clock:    engine.Virtual(time.Unix(0, 0)),
		Programs: []engine.ProgramConfig{{Program: bad}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer eng.Close()
	fmt.Println(eng.Advance(time.Hour))
	// Output: <nil>
}
