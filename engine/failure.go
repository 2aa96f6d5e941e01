package engine

import (
	"cmp"
	"errors"
	"fmt"
	"math/bits"
)

// Detailed is an error that has more to show than its line, such as a traceback.
type Detailed interface {
	error
	Detail() string
}

// Classed is an error that says in a word which kind of failure it is, such as
// "instructions" or "memory". Stats counts by it.
type Classed interface {
	error
	Class() string
}

// ErrBusy says that a program has as much to do as it may, tasks for example. A
// handler whose error wraps it has failed, but is not switched off for it: a flood
// of packets must not be the end of a program.
var ErrBusy = errors.New("the program is busy")

// class is the word that err is counted by.
func class(err error) string {
	if c, ok := errors.AsType[Classed](err); ok {
		return c.Class()
	}
	return "error"
}

// An ExitError is what Run returns after a program stopped it with a status
// other than 0.
type ExitError struct{ Status int }

func (e *ExitError) Error() string { return fmt.Sprintf("stopped with status %d", e.Status) }

func statusError(status int) error {
	if status == 0 {
		return nil
	}
	return &ExitError{status}
}

// A HandlerError is what Run returns when on_error says stop and a handler fails.
type HandlerError struct {
	Program, Handler string
	Err              error
}

func (e *HandlerError) Error() string { return fmt.Sprintf("handler %s: %v", e.Handler, e.Err) }
func (e *HandlerError) Unwrap() error { return e.Err }

// failed counts and shows the failure v of h, and says what becomes of the packet.
func (w *worker) failed(h *Handle, v Verdict) Verdict {
	err, _ := v.more.(error)
	h.stats.failed.add(1)
	if !errors.Is(err, ErrBusy) {
		h.history |= 1
	}
	w.report(h.scope.Name(), h.h.Name, err, w.hand)
	if most := cmp.Or(h.h.DisableAfter, h.scope.config.DisableAfter); most > 0 && bits.OnesCount64(h.history) >= most {
		h.on = false
		h.stats.off.Store(true)
		w.stale = true
		w.e.log.Error("a handler is switched off: it failed too often", "program", h.scope.Name(), "handler", h.h.Name, "failures", most, "of_packets", 64)
	}
	switch h.h.OnError.or(h.scope.config.OnError).or(w.e.cfg.OnError) {
	case OnErrorPass:
		return Pass()
	case OnErrorStop:
		if h.h.OnError == OnErrorStop && h.scope.config.Confined { // its own word
			w.e.log.Error("a program has ended itself: a handler of it failed, and it says stop", "program", h.scope.Name())
			h.scope.leave()
			break
		}
		w.stop(&HandlerError{h.scope.Name(), h.h.Name, err})
	}
	return Drop(ReasonError)
}
