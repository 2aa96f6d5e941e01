package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

const (
	maxCalls  = 1000             // under way in one engine
	callsStay = 5 * time.Second  // how long the end of a run waits for calls whose context has ended
	callsHold = 10 * time.Second // how long virtual time waits for one, in real time
)

// ErrCallsLeft says that calls of the host were still under way when the run had ended:
// their functions do not heed their context. What wraps it names them.
var ErrCallsLeft = errors.New("calls of the host did not end with the run")

// calls are the functions of the host that are under way. Each runs on a goroutine of
// its own; what it returns comes back as a letter.
type calls struct {
	pending []*call // the worker's, in the order of the calls

	mu   sync.Mutex // any goroutine
	left map[*call]struct{}
	gone sync.Cond // signalled when left shrinks
}

type call struct {
	scope  *Scope
	name   string
	cancel context.CancelFunc
	then   func(any)
	ended  bool
	value  any
}

// Call runs fn on a goroutine of its own and then, on the worker, then with what it
// returned; unless the program has ended, which ends fn's context. The name stands in
// errors. On a virtual clock time waits until all calls under way have ended, and their
// results come in the order of the calls. It fails with ErrDetached while the program
// starts, ErrScopeClosed when it has ended, and ErrBusy when too many are under way.
func (s *Scope) Call(name string, fn func(context.Context) any, then func(any)) error {
	w := s.w
	switch {
	case s.closed:
		return ErrScopeClosed
	case !s.attached:
		return ErrDetached
	case fn == nil || then == nil:
		return errNoFunction
	case len(w.calls.pending) >= maxCalls:
		return fmt.Errorf("%w: %d calls of the host are under way", ErrBusy, maxCalls)
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := &call{scope: s, name: name, cancel: cancel, then: then}
	w.calls.pending = append(w.calls.pending, c)
	w.calls.begin(c)
	go func() {
		v := fn(ctx)
		w.mail.send(func() {
			c.ended, c.value = true, v
			w.endCalls()
		}, w.wake)
		w.calls.end(c)
	}()
	return nil
}

// endCalls tells programs of calls that have ended: at once on the system's clock; on a
// virtual one when all have, as which ends first is chance.
func (w *worker) endCalls() {
	virtual := w.e.cfg.Clock.virtual
	var now, still []*call
	for _, c := range w.calls.pending {
		if c.ended {
			now = append(now, c)
		} else {
			still = append(still, c)
		}
	}
	if virtual && len(still) > 0 {
		return
	}
	w.calls.pending = still
	for _, c := range now {
		c.cancel()
		c.scope.call(func() { c.then(c.value) })
	}
}

// awaitCalls holds virtual time while calls are under way, and reports whether there was
// anything to wait for.
func (w *worker) awaitCalls() (waited bool, err error) {
	if len(w.calls.pending) == 0 {
		return false, nil
	}
	until := time.Now().Add(callsHold)
	for !w.mail.waiting.Load() {
		if !time.Now().Before(until) {
			return true, fmt.Errorf("%w: it waits for %s, which does not return", ErrStuck, w.calls.pending[0].name)
		}
		w.waiter.wait(false, until)
	}
	return true, nil
}

// cancelCalls ends the context of a program's calls: nobody waits for them any more.
func (w *worker) cancelCalls(s *Scope) {
	still := w.calls.pending[:0]
	for _, c := range w.calls.pending {
		if c.scope == s {
			c.cancel()
		} else {
			still = append(still, c)
		}
	}
	clear(w.calls.pending[len(still):])
	w.calls.pending = still
}

func (cs *calls) begin(c *call) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.left == nil {
		cs.left = map[*call]struct{}{}
		cs.gone.L = &cs.mu
	}
	cs.left[c] = struct{}{}
}

func (cs *calls) end(c *call) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	delete(cs.left, c)
	cs.gone.Broadcast()
}

// settle waits until then for the calls whose context has ended, and names those that stay.
func (cs *calls) settle(until time.Time) error {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if len(cs.left) == 0 {
		return nil
	}
	late := false
	timer := time.AfterFunc(time.Until(until), func() {
		cs.mu.Lock()
		defer cs.mu.Unlock()
		late = true
		cs.gone.Broadcast()
	})
	defer timer.Stop()
	for len(cs.left) > 0 && !late {
		cs.gone.Wait()
	}
	if len(cs.left) == 0 {
		return nil
	}
	var names []string
	for c := range cs.left {
		names = append(names, c.name)
	}
	return fmt.Errorf("%w: %s", ErrCallsLeft, strings.Join(names, ", "))
}
