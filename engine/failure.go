package engine

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"slices"

	"github.com/tunscript/tunscript/engine/packet"
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
	if most := h.scope.config.DisableAfter; most > 0 && bits.OnesCount64(h.history) >= most {
		h.on = false
		h.stats.off.Store(true)
		w.stale = true
		w.e.log.Error("a handler is switched off: it failed too often", "program", h.scope.Name(), "handler", h.h.Name, "failures", most, "of_packets", 64)
	}
	switch h.h.OnError.or(h.scope.config.OnError).or(w.e.cfg.OnError) {
	case OnErrorPass:
		return Pass()
	case OnErrorStop:
		w.stop(&HandlerError{h.scope.Name(), h.h.Name, err})
	}
	return Drop(ReasonError)
}

// shown is an error that was shown.
type shown struct{ program, text string }

// maxSeen bounds the different errors that are remembered.
const maxSeen = 1000

// report counts an error and shows it, with what it has to say, the first time;
// equal errors are only counted.
func (w *worker) report(program, handler string, err error, p *packet.Packet) {
	w.errors.add(program)
	w.classes.add(class(err))
	text := err.Error()
	if w.e.watched() {
		w.observe(Event{Kind: Failed, Program: program, Handler: handler, Reason: text, Err: err, Packet: p})
	}
	key := shown{program, text}
	n, again := w.seen[key]
	if !again && len(w.seen) >= maxSeen {
		w.tellAgain()
	}
	w.seen[key] = n + 1
	if again {
		return
	}
	args := []any{"program", program, "error", text}
	if handler != "" {
		args = append(args, "handler", handler)
	}
	if d, ok := errors.AsType[Detailed](err); ok && d.Detail() != "" {
		args = append(args, "detail", d.Detail())
	}
	w.e.log.Error("a script failed; the same error again is only counted", args...)
}

// tellAgain shows how often errors came again, in the order of their texts, and
// forgets them.
func (w *worker) tellAgain() {
	all := slices.SortedFunc(maps.Keys(w.seen), func(a, b shown) int {
		return cmp.Or(cmp.Compare(a.program, b.program), cmp.Compare(a.text, b.text))
	})
	for _, s := range all {
		if n := w.seen[s]; n > 1 {
			w.e.log.Warn("the same error again", "times", n-1, "program", s.program, "error", s.text)
		}
	}
	clear(w.seen)
}
