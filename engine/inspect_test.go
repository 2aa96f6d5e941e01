package engine_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/flow"
	"github.com/tunscript/tunscript/engine/packet"
)

// Somebody outside looks into a program, between two packets, while it runs and while it
// is stepped.
func TestDo(t *testing.T) {
	p := engine.ProgramFunc("p", func(s *engine.Scope) error { s.SetValue("kept"); return nil })
	gone := engine.ProgramFunc("gone", func(*engine.Scope) error { return nil })
	look := func(t *testing.T, b *bench) {
		t.Helper()
		var got any
		if err := b.Do(1, p, func(s *engine.Scope) { got = s.Value() }); err != nil || got != "kept" {
			t.Errorf("%v, %v", got, err)
		}
		var ce *engine.ConfigError
		if err := b.Do(1, gone, nil); !errors.As(err, &ce) {
			t.Errorf("another program: %v", err)
		}
		for _, n := range []int{0, 2} {
			if err := b.Do(n, p, nil); !errors.As(err, &ce) {
				t.Errorf("worker %d: %v", n, err)
			}
		}
		var inside error
		if err := b.Do(1, p, func(s *engine.Scope) { inside = b.Do(1, p, nil) }); err != nil || inside != engine.ErrOnWorker {
			t.Errorf("from within: %v, %v", inside, err)
		}
	}
	b := virtual(t, p)
	if err := b.Do(1, p, nil); err != engine.ErrNotRunning {
		t.Errorf("before the run: %v", err)
	}
	b.step(0)
	look(t, b)

	b = newBench(t, nil, p).run()
	for b.Do(1, p, func(*engine.Scope) {}) == engine.ErrNotRunning {
	}
	look(t, b)
	if err := b.end(); err != nil {
		t.Fatal(err)
	}
	if err := b.Do(1, p, nil); err != engine.ErrStopped {
		t.Errorf("after the run: %v", err)
	}
}

// flowsOf are the flows of b, a line each.
func flowsOf(t *testing.T, b *bench) (all []engine.FlowInfo, lines []string) {
	t.Helper()
	for f, err := range b.Flows() {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
		lines = append(lines, fmt.Sprintf("%d %v > %v %s %s", f.Worker, f.Src, f.Dst, f.State, f.Rule))
	}
	return all, lines
}

// Flows are listed with what was decided about them, and lose that on demand: then
// handlers see them again.
func TestFlows(t *testing.T) {
	seen := 0
	b := virtual(t, flowing("done", func(_ *engine.Scope, f engine.Flow, p *packet.Packet) engine.Verdict {
		seen++
		if udp, _ := p.UDP(); udp.Dport() == 7 {
			f.Bypass(flow.Drop)
		}
		return engine.Pass()
	}))
	for port := range uint16(600) { // more than a page
		b.step(0, udp(t, 7+port, "x"))
	}
	all, lines := flowsOf(t, b)
	if len(all) != 600 {
		t.Fatalf("%d flows", len(all))
	}
	if diff := cmp.Diff([]string{
		"1 192.0.2.1:4000 > 192.0.2.2:7 unanswered drop",
		"1 192.0.2.1:4000 > 192.0.2.2:8 unanswered ",
	}, lines[:2]); diff != "" {
		t.Error(diff)
	}
	seen = 0
	b.step(0, udp(t, 7, "dropped"))
	if n, err := b.Unrule(all); n != 1 || err != nil || seen != 0 {
		t.Errorf("%d rules, %v, %d packets seen", n, err, seen)
	}
	b.step(0, udp(t, 7, "seen again"))
	if seen != 1 {
		t.Errorf("the handler has seen %d packets", seen)
	}
}
