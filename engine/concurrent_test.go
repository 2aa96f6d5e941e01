package engine_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
)

// What a program posts while it starts is not lost, and what it fails with is
// shown when it takes effect; a program that has ended is told so.
func TestPostsOfAProgramThatStarts(t *testing.T) {
	dev := newMemory("tun0")
	failed := make(chan string, 1)
	eng := made(t, engine.Config{Observer: engine.ObserverFunc(func(e *engine.Event) {
		if e.Kind == engine.Failed {
			failed <- e.Reason
		}
	})}, "", dev)
	wait := ran(t, eng)
	dev.give(text(t, "x"))
	for eng.Stats().Devices["tun0"].Received == 0 { // it runs: the program starts beside the worker
		time.Sleep(time.Millisecond)
	}
	var scope *engine.Scope
	posted := make(chan bool, 1)
	p := engine.ProgramFunc("p", func(s *engine.Scope) error {
		scope = s
		s.Fail(errNotStarted)
		err := s.Post(func() { posted <- s.Attached() })
		time.Sleep(20 * time.Millisecond) // the worker goes round meanwhile
		return err
	})
	if err := eng.Add(p); err != nil {
		t.Fatal(err)
	}
	within(t, 5*time.Second, "the post and the failure", func() {
		if !<-posted || <-failed != errNotStarted.Error() {
			t.Error("they came before the program took effect, or were others")
		}
	})
	if err := eng.Remove(p); err != nil {
		t.Fatal(err)
	}
	if err := scope.Post(func() {}); !errors.Is(err, engine.ErrScopeClosed) {
		t.Errorf("Post to a program that is gone: %v", err)
	}
	eng.Close()
	if err := wait(); err != nil {
		t.Error(err)
	}
}

var errNotStarted = errors.New("a word while starting")

func TestPostsKeepTheirOrderAndHaveABound(t *testing.T) {
	var scope *engine.Scope
	eng := made(t, standing(), "", newMemory("tun0"))
	eng.Add(engine.ProgramFunc("p", func(s *engine.Scope) error { scope = s; return nil }))
	step(t, eng)
	var order []int
	n := 0
	for ; ; n++ {
		if err := scope.Post(func() { order = append(order, n) }); err != nil {
			if !errors.Is(err, engine.ErrFull) {
				t.Fatal(err)
			}
			break
		}
	}
	step(t, eng)
	if len(order) != n || !slices.IsSorted(order) || n != 4096 {
		t.Errorf("%d of %d posts ran, in order %v", len(order), n, slices.IsSorted(order))
	}
}

// Swap, Check, Close and Observe from everywhere a program runs: an error where
// they would wait for themselves, never a hang.
func TestCallsFromWithin(t *testing.T) {
	for _, where := range []string{"start", "started", "timer", "stop", "end"} {
		t.Run(where, func(t *testing.T) {
			eng := made(t, standing(), "", newMemory("tun0"))
			calls := 0
			call := func() {
				calls++
				for name, err := range map[string]error{
					"Swap": eng.Add(on(nil)), "Close": eng.Close(), "Run": eng.Run(context.Background()), "Advance": eng.Advance(0),
				} {
					if !errors.Is(err, engine.ErrOnWorker) {
						t.Errorf("%s: %v, want ErrOnWorker", name, err)
					}
				}
				eng.Observe(engine.ObserverFunc(func(*engine.Event) {}), nil)()
			}
			eng.Add(engine.ProgramFunc("p", func(s *engine.Scope) error {
				switch where {
				case "start":
					call()
				case "started":
					s.Started(call)
				case "timer":
					s.After(0, call)
				case "stop":
					s.OnStop(func() any { call(); return nil })
				case "end":
					s.OnEnd(call)
				}
				return nil
			}))
			within(t, 5*time.Second, where, func() {
				step(t, eng)
				eng.Close()
			})
			if calls != 1 {
				t.Errorf("called %d times", calls)
			}
		})
	}
}

// Close and Swap may come at any moment of a run's life; -race looks on.
func TestCloseAndSwapAtAnyMoment(t *testing.T) {
	for i := range 200 {
		eng := made(t, engine.Config{Wait: engine.Wait(i % 2)}, "", newMemory("tun0"))
		var wg sync.WaitGroup
		wg.Go(func() { eng.Run(context.Background()) })
		wg.Go(func() {
			p := on(func(*engine.Scope, *packet.Packet) engine.Verdict { return engine.Pass() })
			for {
				if err := eng.Add(p); errors.Is(err, engine.ErrStopped) {
					return
				}
				if err := eng.Remove(p); errors.Is(err, engine.ErrStopped) {
					return
				}
			}
		})
		for range 2 {
			wg.Go(func() {
				time.Sleep(time.Duration(i%20) * 10 * time.Microsecond)
				if err := eng.Close(); err != nil {
					t.Error(err)
				}
				if err := eng.Run(context.Background()); !errors.Is(err, engine.ErrStopped) {
					t.Errorf("after Close, Run: %v", err)
				}
			})
		}
		within(t, 10*time.Second, "the end", wg.Wait)
	}
}

// A first start that fails while somebody swaps.
func TestSwapMeetsAFailedStart(t *testing.T) {
	for range 100 {
		eng := made(t, engine.Config{Programs: []engine.ProgramConfig{{Program: engine.ProgramFunc("bad", func(*engine.Scope) error {
			time.Sleep(100 * time.Microsecond)
			return errNotStarted
		})}}}, "", newMemory("tun0"))
		var swapped atomic.Bool
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := eng.Run(context.Background()); !errors.Is(err, errNotStarted) {
				t.Errorf("Run returns %v", err)
			}
		})
		wg.Go(func() {
			err := eng.Add(engine.ProgramFunc("late", func(*engine.Scope) error { return nil }))
			swapped.Store(err == nil || errors.Is(err, engine.ErrStopped))
		})
		within(t, 10*time.Second, "both", wg.Wait)
		if !swapped.Load() {
			t.Fatal("Add returned another error")
		}
	}
}

// Steps and exchanges asked for at the same time follow one another.
func TestStepsAndSwapsAtTheSameTime(t *testing.T) {
	eng := made(t, standing(), "tun0", newMemory("tun0"))
	step(t, eng)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range 200 {
				if err := eng.Advance(time.Millisecond); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			p := engine.ProgramFunc("p", func(s *engine.Scope) error {
				s.Now()
				_, err := s.Every(time.Millisecond, func() {})
				return err
			})
			for range 100 {
				if err := errors.Join(eng.Add(p), eng.Remove(p)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	within(t, 10*time.Second, "both", wg.Wait)
}
