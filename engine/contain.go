package engine

import (
	"cmp"
	"errors"
	"math/bits"
	"slices"
	"time"
)

// What keeps one program from being the others' trouble: who stops, stops itself; what
// fails again and again is switched off; who takes long waits for the others.

// conduct is how a scope behaves.
type conduct struct {
	failed    uint64    // failures told to Scope.Fail, those that are the traffic's fault aside
	exhausted uint64    // of them, those that have used up a budget
	history   uint64    // one bit for each of the last 64 timers that ran, set where it did so
	rests     time.Time // until then other programs' timers come first
}

// noteFailure remembers an error of a timer or task.
func (s *Scope) noteFailure(err error) {
	if errors.Is(err, ErrBusy) {
		return
	}
	s.conduct.failed++
	if class(err) == "instructions" {
		s.conduct.exhausted++
	}
}

// leave ends the program of s, in all workers, before the next packet, timer or post. Its
// place stays, for a program that is exchanged for it.
func (s *Scope) leave() {
	w := s.w
	for _, o := range w.e.workers {
		if o != w {
			o.mail.send(func() {
				for _, other := range o.scopes {
					if other.program == s.program {
						o.leaves(other)
					}
				}
			}, o.wake)
		}
	}
	w.leaves(s)
}

func (w *worker) leaves(s *Scope) {
	if s.attached && !s.closed && !slices.Contains(w.leaving, s) {
		w.leaving = append(w.leaving, s)
		w.stale = true
	}
}

// seeOff ends what leaves.
func (w *worker) seeOff() {
	for len(w.leaving) > 0 {
		s := w.leaving[0]
		w.leaving[0] = nil
		w.leaving = w.leaving[1:]
		w.forgetFlows(s)
		s.close()
	}
}

// run calls the timer's function, and judges by it.
func (t *Timer) run(fn func()) {
	s, w := t.scope, t.scope.w
	before := s.conduct
	w.turn++
	w.last = s
	if w.e.cfg.Clock.virtual {
		fn()
	} else {
		began := time.Now()
		fn()
		if took := time.Since(began); took > slice {
			s.conduct.rests = began.Add(2 * took)
		}
	}
	c := &s.conduct
	most := cmp.Or(s.config.DisableAfter, defaultDisableAfter)
	c.history <<= 1
	if c.exhausted != before.exhausted {
		c.history |= 1
	}
	if most > 0 && bits.OnesCount64(c.history) >= most && !s.closed {
		c.history = 0
		w.e.log.Error("a program is switched off: its timers and tasks used up their budget too often", "program", s.Name(), "times", most, "of", 64)
		s.leave()
		return
	}
	t.history <<= 1
	if c.failed != before.failed {
		t.history |= 1
	}
	if most > 0 && t.every > 0 && t.fn != nil && bits.OnesCount64(t.history) >= most {
		t.Cancel()
		w.e.log.Error("a timer is switched off: it failed too often", "program", s.Name(), "every", t.every, "failures", most, "of", 64)
	}
}

// rests reports that other timers come before t, which is put off.
func (w *worker) rests(t *Timer) bool {
	if t.scope.conduct.rests.IsZero() || w.e.cfg.Clock.virtual {
		return false
	}
	if !t.scope.conduct.rests.After(w.now) {
		t.scope.conduct.rests = time.Time{}
		return false
	}
	t.due = max(t.due, t.scope.conduct.rests.UnixNano())
	w.timers.add(t)
	return true
}
