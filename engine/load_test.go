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

func TestForward(t *testing.T) {
	var scope *engine.Scope
	b := virtual(t, engine.ProgramFunc("way", func(s *engine.Scope) error { scope = s; return nil }))
	b.step(0, udp(t, 7, "across"))
	if got := b.got(1); len(got) != 1 {
		t.Errorf("across: %v", got)
	}
	if err := scope.Forward("tun0", "tun0"); err != nil {
		t.Fatal(err)
	}
	b.step(0, udp(t, 7, "back"))
	if diff := cmp.Diff([]string{"back"}, b.got(0)); diff != "" {
		t.Error(diff)
	}
	if err := scope.Forward("tun0", ""); err != nil {
		t.Fatal(err)
	}
	b.step(0, udp(t, 7, "nowhere"))
	if n := b.Stats().Reasons[engine.ReasonUnforwarded]; n != 1 {
		t.Errorf("%d unforwarded, want 1", n)
	}
	for _, d := range [][2]string{{"tun9", "tun0"}, {"tun0", "tun9"}} {
		if err := scope.Forward(d[0], d[1]); err == nil {
			t.Errorf("%s to %s is taken", d[0], d[1])
		}
	}
}
