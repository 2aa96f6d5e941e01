package flow_test

import (
	"errors"
	"testing"

	"github.com/tunscript/tunscript/engine/flow"
)

func TestARuleIsOneProgramsOwn(t *testing.T) {
	w := newWorld(t, 0)
	p, answer := udp(t, host, 4000, server, 53, "?"), udp(t, server, 53, host, 4000, "!")
	f := w.get(p)
	if err := f.Bypass(gate, flow.Pass); err != nil {
		t.Fatal(err)
	}
	if !w.Pending() || f.Passed(gate) {
		t.Error("the rule does not wait for the packet's fate")
	}
	w.Settle(f, true, 3, 5)
	for _, g := range []flow.Flow{w.find(p), w.find(answer)} {
		if !g.Passed(gate) || g.Passed(watch) || g.Dropped() || !g.Ruled() || w.Pending() {
			t.Errorf("%v: passed %v, for another %v, dropped %v", g.Dir(), g.Passed(gate), g.Passed(watch), g.Dropped())
		}
	}
	if there, back := w.find(p).Way(), w.find(answer).Way(); there != 5 || back != 3 {
		t.Errorf("the ways are %d and %d, want 5 and 3", there, back)
	}
}

func TestAPassOfADroppedPacketIsNone(t *testing.T) {
	w := newWorld(t, 0)
	p := udp(t, host, 4000, server, 53, "?")
	f := w.get(p)
	f.Bypass(gate, flow.Pass)
	w.Settle(f, false, 1, flow.NoWay)
	if g := w.find(p); g.Passed(gate) || g.Ruled() || g.Way() != flow.NoWay {
		t.Errorf("passed %v, ruled %v, way %d", g.Passed(gate), g.Ruled(), g.Way())
	}
	// One that was made before stays, and so does a Drop.
	f.Bypass(gate, flow.Pass)
	w.Settle(f, true, 1, 2)
	f.Bypass(gate, flow.Pass)
	f.Bypass(watch, flow.Drop)
	w.Settle(f, false, 1, flow.NoWay)
	if g := w.find(p); !g.Passed(gate) || !g.Dropped() {
		t.Errorf("passed %v, dropped %v", g.Passed(gate), g.Dropped())
	}
}

func TestARuleForAnotherFlowCountsAnyhow(t *testing.T) {
	w := newWorld(t, 0)
	f, g := w.get(udp(t, host, 1, server, 53, "?")), w.get(udp(t, host, 2, server, 53, "?"))
	g.Bypass(gate, flow.Pass)
	w.Settle(f, false, 1, flow.NoWay)
	if !g.Passed(gate) || g.Way() != flow.NoWay {
		t.Errorf("passed %v, way %d", g.Passed(gate), g.Way())
	}
}

func TestAnEndedFlowHasNothing(t *testing.T) {
	w := newWorld(t, 1)
	f := w.get(udp(t, host, 1, server, 53, "?"))
	f.SetValue(gate, 1)
	w.get(udp(t, host, 2, server, 53, "?"))
	for _, err := range []error{
		f.SetValue(gate, 2), f.Bypass(gate, flow.Pass), f.Rewrite(gate, flow.Rewrite{Dport: 1}),
		flow.Flow{}.Bypass(gate, flow.Drop),
	} {
		if !errors.Is(err, flow.ErrEnded) {
			t.Errorf("%v, want ErrEnded", err)
		}
	}
	if f.Value(gate) != nil || f.Ruled() || f.Passed(gate) || f.Dropped() || f.Rewritten() || f.Way() != flow.NoWay {
		t.Error("an ended flow says something")
	}
	if err := w.get(udp(t, host, 2, server, 53, "?")).Bypass(gate, 9); err == nil {
		t.Error("action 9 is none")
	}
}

func TestValuesEndWithTheFlow(t *testing.T) {
	var ended []any
	w := &world{t, flow.New(flow.Config{Limit: 2, Ended: func(v any) { ended = append(ended, v) }}), start}
	f := w.get(udp(t, host, 1, server, 53, "?"))
	f.SetValue(gate, "one")
	f.SetValue(watch, "other")
	if f.Value(gate) != "one" || f.Value(watch) != "other" || f.Value(9) != nil {
		t.Errorf("%v, %v, %v", f.Value(gate), f.Value(watch), f.Value(9))
	}
	g := w.get(udp(t, host, 2, server, 53, "?"))
	g.SetValue(gate, "two")
	w.get(udp(t, host, 3, server, 53, "?")) // takes the place of the first
	if len(ended) != 2 {
		t.Errorf("%v ended, want one and other", ended)
	}
	g.Bypass(watch, flow.Drop)
	g.SetValue(watch, "three")
	w.ForgetValues(gate)
	w.ForgetValues(watch)
	if g.Value(gate) != nil || g.Value(watch) != nil || !g.Dropped() || len(ended) != 4 || ended[2] != "two" || ended[3] != "three" {
		t.Errorf("%v and %v are left, %v ended", g.Value(gate), g.Value(watch), ended)
	}
}

func TestForgettingAProgramTakesItsRulesBack(t *testing.T) {
	w := newWorld(t, 0)
	passed, dropped, rewritten := udp(t, host, 1, server, 53, "?"), udp(t, host, 2, server, 53, "?"), udp(t, host, 3, server, 53, "?")
	w.get(passed).Bypass(gate, flow.Pass)
	w.get(dropped).Bypass(gate, flow.Drop)
	f := w.get(rewritten)
	f.Rewrite(gate, flow.Rewrite{Dport: 5353})
	w.Settle(flow.Flow{}, true, 1, 2)
	w.Forget(gate)
	if w.find(passed).Ruled() || w.find(dropped).Ruled() || f.Live() {
		t.Error("a rule is still there")
	}
	if s := w.Stats(); s.Rewritten != 0 || s.Held != 2 {
		t.Errorf("%+v", s)
	}
}
