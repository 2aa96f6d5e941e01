package reload

import (
	"errors"
	"slices"
	"testing"

	"github.com/tunscript/tunscript/engine"
)

type swaps []string

func (s *swaps) Swap(old, new engine.Program) error {
	*s = append(*s, old.Name()+">"+new.Name())
	return nil
}

func program(name string) engine.Program {
	return engine.ProgramFunc(name, func(*engine.Scope) error { return nil })
}

// A script that does not load stays; those beside it are exchanged, each time for
// what was there last.
func TestAll(t *testing.T) {
	mistake := errors.New("mistake")
	var got swaps
	round := "1"
	s := New(&got, []engine.Program{program("a0"), program("b0")}, func(i int) (engine.Program, error) {
		if i == 0 && round == "1" {
			return nil, mistake
		}
		return program("ab"[i:i+1] + round), nil
	})
	done, err := s.All()
	if !errors.Is(err, mistake) || !slices.Equal(done, []string{"b1"}) {
		t.Errorf("with a mistake: %v, %v", done, err)
	}
	round = "2"
	if done, err = s.All(); err != nil || !slices.Equal(done, []string{"a2", "b2"}) {
		t.Errorf("mended: %v, %v", done, err)
	}
	if want := []string{"b0>b1", "a0>a2", "b1>b2"}; !slices.Equal(got, want) {
		t.Errorf("swaps %v, want %v", got, want)
	}
}

// One is exchanged by its name, and nobody else.
func TestOne(t *testing.T) {
	var got swaps
	s := New(&got, []engine.Program{program("a"), program("b")}, func(i int) (engine.Program, error) {
		return program("ab"[i : i+1]), nil
	})
	if err := s.One("b"); err != nil || !slices.Equal(got, []string{"b>b"}) {
		t.Errorf("%v, %v", err, got)
	}
	if err := s.One("c"); err == nil || err.Error() != `there is no script "c"; there is a, b` {
		t.Error(err)
	}
	if p, err := s.Program("a"); err != nil || p.Name() != "a" {
		t.Errorf("%v, %v", p, err)
	}
}
