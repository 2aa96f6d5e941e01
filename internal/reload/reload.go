// Package reload exchanges the scripts of a running engine for what their files
// hold now.
//
// It knows the engine's Swap and a function that loads a script by its place; what
// made the one and the other know is not its business. Loading and starting happen
// on the goroutine that calls, beside the packets; the exchange is the engine's,
// between two packets.
package reload

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/tunscript/tunscript/engine"
)

// A Swapper exchanges one program for another: an *engine.Engine.
type Swapper interface {
	Swap(old, new engine.Program) error
}

// Scripts are the scripts of one engine, in their order. Safe for concurrent use.
type Scripts struct {
	eng  Swapper
	load func(i int) (engine.Program, error)

	mu      sync.Mutex
	running []engine.Program
}

// New is about the programs that eng runs; load makes program i anew.
func New(eng Swapper, running []engine.Program, load func(i int) (engine.Program, error)) *Scripts {
	return &Scripts{eng: eng, load: load, running: append([]engine.Program(nil), running...)}
}

// All reloads every script, and returns the names of those that were exchanged. One
// that does not load or start goes on as it was, and its error is among the joined.
func (s *Scripts) All() (done []string, err error) {
	all := make([]int, len(s.running))
	for i := range all {
		all[i] = i
	}
	return s.some(all)
}

// some is All of the scripts of these numbers.
func (s *Scripts) some(which []int) (done []string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, i := range which {
		if err := s.exchange(i); err != nil {
			errs = append(errs, err)
			continue
		}
		done = append(done, s.running[i].Name())
	}
	return done, errors.Join(errs...)
}

// One reloads the script of that name. If it fails the script goes on as it was.
func (s *Scripts) One(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, err := s.find(name)
	if err != nil {
		return err
	}
	return s.exchange(i)
}

// Program is the program of that name that runs now.
func (s *Scripts) Program(name string) (engine.Program, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, err := s.find(name)
	if err != nil {
		return nil, err
	}
	return s.running[i], nil
}

// Names are those of the scripts, in their order.
func (s *Scripts) Names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.names()
}

func (s *Scripts) exchange(i int) error {
	p, err := s.load(i)
	if err != nil {
		return err
	}
	if err := s.eng.Swap(s.running[i], p); err != nil {
		return err
	}
	s.running[i] = p
	return nil
}

func (s *Scripts) find(name string) (int, error) {
	i := slices.IndexFunc(s.running, func(p engine.Program) bool { return p.Name() == name })
	if i < 0 {
		return 0, &UnknownError{Name: name, Scripts: s.names()}
	}
	return i, nil
}

func (s *Scripts) names() (names []string) {
	for _, p := range s.running {
		names = append(names, p.Name())
	}
	return names
}

// An UnknownError is a name that no script has.
type UnknownError struct {
	Name    string
	Scripts []string
}

func (e *UnknownError) Error() string {
	if len(e.Scripts) == 0 {
		return fmt.Sprintf("there is no script %q, nor any other", e.Name)
	}
	return fmt.Sprintf("there is no script %q; there is %s", e.Name, strings.Join(e.Scripts, ", "))
}
