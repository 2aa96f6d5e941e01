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
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for i, old := range s.running {
		p, err := s.load(i)
		if err == nil {
			err = s.eng.Swap(old, p)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		s.running[i] = p
		done = append(done, p.Name())
	}
	return done, errors.Join(errs...)
}
