package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tunscript/tunscript/engine"
)

// Time stands while a host works, and results come in the order of the calls, whoever
// is done first.
func TestCallsOnVirtualTime(t *testing.T) {
	for range 20 {
		program, st := tell(func(st *story) {
			st.s.Started(func() {
				for i, d := range []time.Duration{8, 1, 4} {
					err := st.s.Call("work", func(context.Context) any { time.Sleep(d * time.Millisecond); return i }, func(v any) {
						st.add("result %v", v)
						if i == 2 {
							st.s.Call("more", func(context.Context) any { return "more" }, func(v any) { st.add("%v", v) })
						}
					})
					if err != nil {
						t.Error(err)
					}
				}
				st.timer(0, "timer")
				st.timer(time.Second, "later")
			})
		})
		b := virtual(t, program)
		b.step(2 * time.Second)
		if diff := cmp.Diff([]string{"0 timer", "0 result 0", "0 result 1", "0 result 2", "0 more", "1 later"}, st.lines); diff != "" {
			t.Fatal(diff)
		}
	}
}

// On the system's clock packets go on meanwhile; a program that ends ends its calls.
func TestCalls(t *testing.T) {
	got := make(chan string, 4)
	var scope *engine.Scope
	program := engine.ProgramFunc("caller", func(s *engine.Scope) error {
		scope = s
		if err := s.Call("early", func(context.Context) any { return nil }, func(any) {}); !errors.Is(err, engine.ErrDetached) {
			t.Errorf("while it starts: %v", err)
		}
		s.Started(func() {
			s.Call("quick", func(context.Context) any { return 7 }, func(v any) { got <- fmt.Sprint(v) })
			s.Call("slow", func(ctx context.Context) any { <-ctx.Done(); got <- "cancelled"; return nil }, func(any) { got <- "too late" })
		})
		return nil
	})
	b := newBench(t, nil, program).run()
	if v := <-got; v != "7" {
		t.Errorf("the result is %s", v)
	}
	if err := b.Remove(program); err != nil {
		t.Fatal(err)
	}
	if v := <-got; v != "cancelled" {
		t.Errorf("at the end of the program: %s", v)
	}
	if err := b.end(); err != nil {
		t.Error(err)
	}
	if err := scope.Call("late", func(context.Context) any { return nil }, func(any) {}); !errors.Is(err, engine.ErrScopeClosed) {
		t.Errorf("after the end: %v", err)
	}
}

func TestCallsThatStay(t *testing.T) {
	if testing.Short() {
		t.Skip("waits five seconds")
	}
	release := make(chan struct{})
	b := virtual(t, engine.ProgramFunc("caller", func(s *engine.Scope) error {
		s.Started(func() {
			s.Call("deaf", func(context.Context) any { <-release; return nil }, func(any) {})
			s.Stop(0)
		})
		return nil
	}))
	b.Advance(0)
	if err := b.Close(); !errors.Is(err, engine.ErrCallsLeft) || !strings.Contains(err.Error(), "deaf") {
		t.Errorf("Close says %v", err)
	}
	close(release)
}
