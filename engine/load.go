package engine

import "errors"

// ErrNotStepped says that a program can be loaded by another only where nobody else
// exchanges programs meanwhile: in an engine that is stepped by Advance.
var ErrNotStepped = errors.New("only an engine that Advance steps loads programs from within: use Engine.Add")

// Load brings a program in at the end of the order, as Engine.Add does, but from a
// program that runs, on the worker: this is how a test loads the script that it tests.
// The program starts at once, and an error of it is returned, when nothing has happened.
// It takes part from the next exchange, before time moves on and before the packets
// that wait are read, and then calls then, on the worker, unless s has ended. It needs a
// virtual clock that is stepped by Advance: ErrNotStepped.
func (s *Scope) Load(pc ProgramConfig, then func()) error {
	e, w := s.w.e, s.w
	e.mu.Lock()
	state := e.state
	e.mu.Unlock()
	switch {
	case s.closed:
		return ErrScopeClosed
	case state != stepped || !s.attached:
		return ErrNotStepped
	}
	if err := pc.check(e.devices, e.programs); err != nil {
		return err
	}
	in, err := w.prepare(pc)
	if err != nil {
		return err
	}
	sent := w.mail.send(func() {
		place := len(e.programs)
		e.exchangeConfig(place, pc)
		w.exchange(place, in)
		if then != nil {
			s.call(then)
		}
	}, w.wake)
	if !sent {
		in.close()
		return ErrStopped
	}
	return nil
}
