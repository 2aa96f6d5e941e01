package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
)

func saying(word string) engine.Program {
	return handler(word, engine.Handler{Run: say(" " + word)})
}

var errNotToday = errors.New("not today")

func failing() engine.Program {
	return engine.ProgramFunc("failing", func(s *engine.Scope) error {
		s.Handle(engine.Handler{Run: say(" failing")})
		s.After(0, func() { panic("a timer of a program that did not start") })
		return errNotToday
	})
}

// Swap between steps, on a clock that stands.
func TestSwap(t *testing.T) {
	a, b2, c := saying("a"), saying("b"), saying("c")
	b := virtual(t, a)
	check := func(want string) {
		t.Helper()
		b.step(0, udp(t, 7, "x"))
		if diff := cmp.Diff([]string{want}, b.got(1)); diff != "" {
			t.Error(diff)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(b.Add(b2)) // before the first step it only changes what will start
	check("x a b")
	must(b.Swap(a, c))
	check("x c b")
	if err := b.Swap(c, failing()); !errors.Is(err, errNotToday) {
		t.Errorf("a program that does not start: %v", err)
	}
	check("x c b")
	must(b.Remove(c))
	check("x b")
	must(b.Add(a))
	check("x b a")
	for _, err := range []error{b.Remove(c), b.Add(a), b.Swap(c, a)} {
		var ce *engine.ConfigError
		if !errors.As(err, &ce) {
			t.Errorf("got %v, want a ConfigError", err)
		}
	}
	must(b.Close())
	if err := b.Add(c); !errors.Is(err, engine.ErrStopped) {
		t.Errorf("after Close: %v, want ErrStopped", err)
	}
}

// The old program's timers end, OnStop hands over to OnReload, OnEnd always runs.
func TestHandOver(t *testing.T) {
	var story []string
	version := func(n int) engine.Program {
		return engine.ProgramFunc(fmt.Sprint("v", n), func(s *engine.Scope) error {
			note := func(format string, args ...any) {
				story = append(story, fmt.Sprintf("v%d ", n)+fmt.Sprintf(format, args...))
			}
			s.Every(time.Second, func() { note("tick") })
			s.Started(func() { note("started") })
			s.OnStop(func() any { note("stopped"); return n })
			s.OnReload(func(old any) { note("after %v", old) })
			s.OnEnd(func() { note("ended") })
			return nil
		})
	}
	v1, v2 := version(1), version(2)
	b := virtual(t, v1)
	b.step(1500 * time.Millisecond)
	if err := b.Swap(v1, v2); err != nil {
		t.Fatal(err)
	}
	b.step(time.Second)
	b.Close()
	want := []string{"v1 started", "v1 tick", "v1 stopped", "v1 ended", "v2 after 1", "v2 started", "v2 tick", "v2 stopped", "v2 ended"}
	if diff := cmp.Diff(want, story); diff != "" {
		t.Error(diff)
	}
}

// Every packet is answered exactly once while programs are exchanged all the time.
func TestSwapUnderTraffic(t *testing.T) {
	answer := func() engine.Program {
		return handler("answer", engine.Handler{Run: func(p *packet.Packet) engine.Verdict { return engine.Replace(p.Reply()) }})
	}
	current := answer()
	b := newBench(t, func(c *engine.Config) { c.Wait = engine.Prompt }, current).run()
	n := 50_000
	if testing.Short() {
		n = 10_000
	}
	var swaps atomic.Int64
	ended := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-ended:
				return
			case <-time.After(time.Millisecond):
			}
			next := answer()
			if err := b.Swap(current, failing()); !errors.Is(err, errNotToday) {
				t.Errorf("a program that does not start: %v", err)
			}
			if err := b.Swap(current, next); err != nil {
				t.Error(err)
				return
			}
			current = next
			swaps.Add(1)
		}
	})
	window := make(chan struct{}, 256) // packets under way: none is lost for want of room
	wg.Go(func() {
		for i := range n {
			window <- struct{}{}
			b.give(udp(t, 7, fmt.Sprint(i)))
		}
	})
	buf := make([]byte, 1500)
	for i := range n {
		k, err := b.wire[0].Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		p, _ := packet.Parse(buf[:k], packet.IP)
		if want := fmt.Sprint(i); string(p.Payload()) != want {
			t.Fatalf("answer %d is to %q", i, p.Payload())
		}
		<-window
	}
	close(ended)
	wg.Wait()
	if err := b.end(); err != nil {
		t.Error(err)
	}
	if swaps.Load() == 0 {
		t.Error("nothing was exchanged")
	}
	t.Logf("%d packets, %d exchanges", n, swaps.Load())
}

// On the worker a call that waits for the worker is an error, not a hang.
func TestSwapAndCloseOnTheWorker(t *testing.T) {
	errs := make(chan error, 2)
	var b *bench
	b = newBench(t, nil, handler("p", engine.Handler{Run: func(*packet.Packet) engine.Verdict {
		errs <- b.Swap(nil, saying("x"))
		errs <- b.Close()
		return engine.Pass()
	}})).run()
	b.give(udp(t, 7, "x"))
	for range 2 {
		if err := <-errs; !errors.Is(err, engine.ErrOnWorker) {
			t.Errorf("got %v, want ErrOnWorker", err)
		}
	}
	if err := b.end(); err != nil {
		t.Error(err)
	}
}

func TestFirstStartFails(t *testing.T) {
	ended := false
	before := engine.ProgramFunc("before", func(s *engine.Scope) error {
		s.OnEnd(func() { ended = true })
		s.Started(func() { t.Error("a program takes effect though another did not start") })
		return nil
	})
	b := newBench(t, nil, before, failing()).run()
	if err := <-b.done; !errors.Is(err, errNotToday) {
		t.Errorf("Run returns %v", err)
	}
	if !ended {
		t.Error("the program before it was not taken back")
	}
	if _, err := b.wire[0].Write(udp(t, 7, "x").Bytes()); err == nil {
		t.Error("the devices are still open")
	}
}

func TestCheckTakesNothingOver(t *testing.T) {
	b := virtual(t, saying("a"))
	if err := b.Check(); err != nil {
		t.Error(err)
	}
	b.step(0, udp(t, 7, "x"))
	if diff := cmp.Diff([]string{"x a"}, b.got(1)); diff != "" {
		t.Error(diff)
	}
	if err := virtual(t, failing()).Check(); !errors.Is(err, errNotToday) {
		t.Errorf("Check says %v", err)
	}
	if err := b.Check(); err == nil || !strings.Contains(err.Error(), "runs already") {
		t.Errorf("Check of an engine that has run says %v", err)
	}
}

// A program whose state is broken is started anew before the next packet, so often
// and no more, and what does not start leaves things as they are.
func TestRestart(t *testing.T) {
	starts, stops := 0, 0
	var s *engine.Scope
	b := virtual(t, engine.ProgramFunc("frail", func(sc *engine.Scope) error {
		if starts++; starts == 3 {
			return errNotToday
		}
		s = sc
		word := fmt.Sprint(" ", starts)
		sc.OnStop(func() any { stops++; return nil })
		_, err := sc.Handle(engine.Handler{Run: func(p *packet.Packet) engine.Verdict {
			if string(p.Payload()) == "break" {
				sc.Restart()
				sc.Restart()
				return engine.Fail(errors.New("broken"))
			}
			return say(word)(p)
		}})
		return err
	}), saying("other"))
	b.step(0, udp(t, 7, "a"), udp(t, 7, "break"), udp(t, 7, "b"))
	if diff := cmp.Diff([]string{"a 1 other", "b 2 other"}, b.got(1)); diff != "" {
		t.Error(diff)
	}
	b.step(0, udp(t, 7, "break"), udp(t, 7, "c")) // the third start fails
	if diff := cmp.Diff([]string{"c 2 other"}, b.got(1)); diff != "" {
		t.Error(diff)
	}
	for range 10 {
		b.step(0, udp(t, 7, "break"))
	}
	if starts != 10 {
		t.Errorf("started %d times within a minute, want 1, 8 more and the one that failed", starts)
	}
	b.step(time.Minute)
	b.step(time.Second, udp(t, 7, "break"))
	if starts != 11 {
		t.Errorf("started %d times, want one more after a minute", starts)
	}
	if stops != 0 {
		t.Error("OnStop of a broken program was called")
	}
	if n := b.Stats().Failures["error"]; n < 10 {
		t.Errorf("%d failures counted by kind", n)
	}
	if s.Attached() != true {
		t.Error("the last scope takes no part")
	}
}
