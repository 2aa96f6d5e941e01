package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
)

// failsAt is a program whose handlers fail with what text says of the packet's number.
func failsAt(text func(n int) string, handlers ...engine.Handler) engine.Program {
	return engine.ProgramFunc("bad", func(s *engine.Scope) error {
		for _, h := range handlers {
			n := 0
			h.Run = func(*packet.Packet) engine.Verdict {
				n++
				return engine.Fail(errors.New(text(n)))
			}
			if _, err := s.Handle(h); err != nil {
				return err
			}
		}
		return nil
	})
}

// An error is shown once; how often it came again the log says each minute and at the
// end, and nothing while there is nothing to say.
func TestAnErrorThatComesAgainIsCounted(t *testing.T) {
	b := virtual(t, failsAt(func(int) string { return "no such field" }, engine.Handler{DisableAfter: -1}))
	for range 150 { // a second each
		b.step(time.Second, udp(t, 7, "x"))
	}
	log := b.log.String()
	if n := strings.Count(log, "a script failed"); n != 1 {
		t.Errorf("the error is shown %d times:\n%s", n, log)
	}
	if strings.Count(log, "msg=\"the same error again\"") != 2 || !strings.Contains(log, "times=60") {
		t.Errorf("want two lines, of 60 times or so:\n%s", log)
	}
	b.step(time.Minute)
	b.step(time.Hour)
	b.Close()
	if n := strings.Count(b.log.String(), "msg=\"the same error again\""); n != 3 {
		t.Errorf("%d lines, want 3:\n%s", n, b.log)
	}
	if got := b.Stats().Errors["bad"]; got != 150 {
		t.Errorf("%d are counted, want 150", got)
	}
}

// Errors of which each is another do not fill the log.
func TestErrorsThatAllDiffer(t *testing.T) {
	b := virtual(t, failsAt(func(n int) string { return fmt.Sprint("bad packet ", n) }, engine.Handler{DisableAfter: -1}))
	for range 3000 {
		b.give(udp(t, 7, "x"))
		b.step(time.Millisecond)
	}
	b.step(2 * time.Minute)
	if n := strings.Count(b.log.String(), "a script failed"); n != 100 {
		t.Errorf("%d errors are shown, want 100", n)
	}
	if !strings.Contains(b.log.String(), "were not shown\" times=2900") {
		t.Errorf("want 2900 that were not shown:\n%.2000s", b.log)
	}
	b.step(0, udp(t, 7, "x"))
	if n := strings.Count(b.log.String(), "a script failed"); n != 101 {
		t.Errorf("%d errors are shown, want one more in another minute", n)
	}
}

// A handler's own words go before the program's, and those before the engine's.
func TestWhatBecomesOfAHandlerThatFails(t *testing.T) {
	text := func(int) string { return "failed" }
	for _, c := range []struct {
		what                     string
		engine, program, handler engine.OnError
		passes                   bool
	}{
		{"nobody says", 0, 0, 0, false},
		{"the engine", engine.OnErrorPass, 0, 0, true},
		{"the program", engine.OnErrorPass, engine.OnErrorDrop, 0, false},
		{"the handler", engine.OnErrorDrop, engine.OnErrorDrop, engine.OnErrorPass, true},
	} {
		b := newBench(t, func(ec *engine.Config) {
			ec.Clock, ec.OnError = engine.Virtual(time.Unix(1000, 0)), c.engine
			ec.Programs[0].OnError = c.program
		}, failsAt(text, engine.Handler{OnError: c.handler}))
		b.step(0, udp(t, 7, "x"))
		if got := len(b.got(1)) == 1; got != c.passes {
			t.Errorf("%s: it passes: %t, want %t", c.what, got, c.passes)
		}
	}
	b := newBench(t, func(ec *engine.Config) {
		ec.Clock = engine.Virtual(time.Unix(1000, 0))
		ec.Programs[0].DisableAfter, ec.Programs[0].OnError = 3, engine.OnErrorPass
	}, failsAt(text, engine.Handler{Name: "as the program"}, engine.Handler{Name: "sooner", DisableAfter: 1}, engine.Handler{Name: "never", DisableAfter: -1}))
	for range 20 {
		b.step(0, udp(t, 7, "x"))
	}
	for i, want := range []struct {
		packets uint64
		off     bool
	}{{3, true}, {1, true}, {20, false}} {
		if h := b.Stats().Handlers[i]; h.Packets != want.packets || h.Off != want.off {
			t.Errorf("%s: %d packets, off %t, want %d, %t", h.Name, h.Packets, h.Off, want.packets, want.off)
		}
	}
}
