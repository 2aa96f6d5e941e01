package engine_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tunscript/tunscript/engine"
)

// A program loads another and goes on when that takes part; the packet that waits is
// the other's already.
func TestLoad(t *testing.T) {
	var lines []string
	b := virtual(t, engine.ProgramFunc("loader", func(s *engine.Scope) error {
		s.Started(func() {
			err := s.Load(engine.ProgramConfig{Program: saying("loaded")}, func() { lines = append(lines, "then") })
			lines = append(lines, "called")
			if err != nil {
				t.Error(err)
			}
			if err := s.Load(engine.ProgramConfig{Program: failing()}, nil); !errors.Is(err, errNotToday) {
				t.Errorf("a program that does not start: %v", err)
			}
			if err := s.Load(engine.ProgramConfig{}, nil); err == nil {
				t.Error("no program is loaded")
			}
		})
		return nil
	}))
	b.step(0, udp(t, 7, "x"))
	if diff := cmp.Diff([]string{"called", "then"}, lines); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"x loaded"}, b.got(1)); diff != "" {
		t.Error(diff)
	}
}

func TestLoadWantsToBeStepped(t *testing.T) {
	got := make(chan error, 1)
	b := newBench(t, nil, engine.ProgramFunc("loader", func(s *engine.Scope) error {
		s.Started(func() { got <- s.Load(engine.ProgramConfig{Program: saying("x")}, nil) })
		return nil
	})).run()
	select {
	case err := <-got:
		if !errors.Is(err, engine.ErrNotStepped) {
			t.Errorf("on the system's clock: %v, want ErrNotStepped", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("the program does not start")
	}
	b.end()
}
