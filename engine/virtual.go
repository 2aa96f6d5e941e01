package engine

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// maxSteps bounds what may happen at one instant of virtual time.
const maxSteps = 1_000_000

// linger is how long after the last input a run on a virtual clock goes on, unless
// its clock says otherwise.
const linger = 60 * time.Second

// ErrStuck says that virtual time does not get on: too much happened at one
// instant. What wraps it names who ran last.
var ErrStuck = errors.New("virtual time stands still")

// Advance steps an engine with a virtual clock by d: everything that is due
// until then happens, this instant and the last included, as fast as it can. The
// first Advance starts the programs and returns the error of one that does not
// start. It returns what Run would when a program stops the run, and ErrStuck.
// Steps and swaps that are asked for at the same time follow one another.
func (e *Engine) Advance(d time.Duration) error {
	if !e.cfg.Clock.virtual {
		return errors.New("Advance needs a virtual clock: set Config.Clock to engine.Virtual")
	}
	if d < 0 {
		return fmt.Errorf("Advance %v: time does not go back", d)
	}
	if err := e.take(); err != nil {
		return err
	}
	defer e.release()
	e.mu.Lock()
	first := e.state == made
	e.mu.Unlock()
	if err := e.begin(stepped); err != nil {
		return err
	}
	w := e.workers[0]
	if first {
		if err := e.startAll(); err != nil {
			e.end()
			return err
		}
	}
	until := w.now.Add(d)
	for {
		if err := w.instant(); err != nil || w.ended {
			e.end()
			return cmp.Or(err, e.outcome)
		}
		next, ok := w.nextInstant()
		if !ok || next.After(until) {
			w.jump(until)
			return nil
		}
		w.jump(next)
	}
}

// runVirtual is Run on a virtual clock: over captures, to their end.
func (e *Engine) runVirtual() error {
	w := e.workers[0]
	for _, l := range w.devices {
		if _, ok := l.queue.(Timed); !ok {
			return &ConfigError{"device " + l.name, errors.New("it has no end, and a run on a virtual clock needs one: step the engine with Advance")}
		}
	}
	var end time.Time
	pace := newPace(e.cfg.Clock.speed, w.now)
	for {
		if err := w.instant(); err != nil || w.ended {
			return cmp.Or(err, e.outcome)
		}
		if w.finished() {
			if w.timers.once == 0 {
				return e.lossError()
			}
			if end.IsZero() {
				end = w.now.Add(e.cfg.Clock.linger)
			}
		}
		next, ok := w.nextInstant()
		if !ok {
			return e.lossError()
		}
		if !end.IsZero() && next.After(end) {
			e.log.Info("timers were left when the run ended", "timers", w.timers.once, "after", e.cfg.Clock.linger)
			return e.lossError()
		}
		if due := pace.due(next); !due.IsZero() {
			w.waiter.wait(false, due) // a letter ends it early
			continue
		}
		w.jump(next)
	}
}

// jump lets time go by, and with it the count of what an instant may hold.
func (w *worker) jump(to time.Time) {
	if !to.Equal(w.now) {
		w.steps = 0
	}
	w.moveTo(to)
}

// firstStamp is where a virtual clock starts that was not told.
func (w *worker) firstStamp() time.Time {
	first := time.Unix(0, 0)
	found := false
	for _, l := range w.devices {
		if q, ok := l.queue.(Timed); ok {
			if at, ok := q.Next(); ok && (!found || at.Before(first)) {
				first, found = at, true
			}
		}
	}
	return first
}

// instant does everything that is due at w.now: packets and posts until none is
// left, then one timer, and again.
func (w *worker) instant() error {
	for ; ; w.steps++ {
		if w.steps >= maxSteps {
			who := "nobody"
			if w.last != nil {
				who = w.last.Name()
			}
			return fmt.Errorf("%w: more than %d steps at %v; the last was %s's", ErrStuck, maxSteps, w.now.Format(time.RFC3339Nano), who)
		}
		w.letters()
		w.flush()
		if w.ended {
			return nil
		}
		if w.packets() || w.mail.waiting.Load() {
			continue
		}
		if w.ended {
			return nil
		}
		if !w.runTimer() {
			if waited, err := w.awaitCalls(); !waited || err != nil {
				return err
			}
			continue
		}
		w.flush()
	}
}

// nextInstant is when something is due next.
func (w *worker) nextInstant() (time.Time, bool) {
	var at time.Time
	ns, ok := w.timers.next()
	if ok {
		at = time.Unix(0, ns).In(w.now.Location())
	}
	if due, held := w.faults.held.next(); held && (!ok || due.Before(at)) {
		at, ok = due, true
	}
	for _, l := range w.devices {
		q, timed := l.queue.(Timed)
		if !timed || l.ended {
			continue
		}
		next, more := q.Next()
		l.ready.Store(true)
		if !more {
			next = w.now // it has an end to tell
		}
		if !ok || next.Before(at) {
			at, ok = next, true
		}
	}
	if ok && at.Before(w.now) {
		at = w.now // a stamp that goes back counts as now
	}
	return at, ok
}
