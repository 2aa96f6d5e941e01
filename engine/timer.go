package engine

import (
	"container/heap"
	"fmt"
	"math"
	"time"
)

// A Timer is one call that is to come.
type Timer struct {
	scope *Scope // nil: the engine's own
	fn    func()
	due   int64         // nanoseconds since 1970; while the scope is detached, from its exchange
	every time.Duration // 0: once
	last  bool          // after all others of its instant
	seq   uint64        // order made
	at    int           // place in the heap, -1 outside

	history uint64 // one bit for each of the last 64 times, set where it failed
}

// Cancel ends the timer. Cancelling one that has run, or twice, does nothing.
func (t *Timer) Cancel() {
	if t == nil || t.scope == nil {
		return // After has said why
	}
	t.fn = nil
	if t.at >= 0 {
		t.scope.w.timers.remove(t)
	}
	delete(t.scope.timers, t)
}

// After calls fn once on the worker, d from now; while the program starts, d
// after it takes effect. A d of 0 or less is due at once, after the packets that
// wait.
func (s *Scope) After(d time.Duration, fn func()) (*Timer, error) {
	return s.timer(max(d, 0), 0, false, fn)
}

// AfterLast is After, but the call comes after everything else that is due at
// its instant.
func (s *Scope) AfterLast(d time.Duration, fn func()) (*Timer, error) {
	return s.timer(max(d, 0), 0, true, fn)
}

// Every calls fn on the worker every d, which must be more than 0, first d from
// now. On the system's clock a call that comes late by several periods comes once.
func (s *Scope) Every(d time.Duration, fn func()) (*Timer, error) {
	if d <= 0 {
		return nil, fmt.Errorf("every %v: the period must be more than 0", d)
	}
	return s.timer(d, d, false, fn)
}

func (s *Scope) timer(d, every time.Duration, last bool, fn func()) (*Timer, error) {
	switch {
	case s.closed:
		return nil, ErrScopeClosed
	case fn == nil:
		return nil, errNoFunction
	}
	t := &Timer{scope: s, fn: fn, every: every, last: last, due: int64(d), at: -1}
	s.timers[t] = struct{}{}
	if s.attached {
		t.due = later(s.w.now.UnixNano(), t.due)
		s.w.timers.add(t)
	} else {
		s.waiting = append(s.waiting, t)
	}
	return t, nil
}

// later is at + d, or, where that cannot be said, never.
func later(at, d int64) int64 {
	if at > math.MaxInt64-d {
		return math.MaxInt64
	}
	return at + d
}

// timers is a heap by (due, last, order made).
type timers struct {
	heap timerHeap
	seq  uint64
	once int // timers of programs that are not every's
}

func (ts *timers) add(t *Timer) {
	ts.seq++
	t.seq = ts.seq
	if t.every == 0 && t.scope != nil {
		ts.once++
	}
	heap.Push(&ts.heap, t)
}

func (ts *timers) remove(t *Timer) {
	heap.Remove(&ts.heap, t.at)
	if t.every == 0 && t.scope != nil {
		ts.once--
	}
}

// next is when the earliest timer is due.
func (ts *timers) next() (due int64, ok bool) {
	if len(ts.heap) == 0 {
		return 0, false
	}
	return ts.heap[0].due, true
}

// pop takes the earliest timer that is due at now, or nil.
func (ts *timers) pop(now int64) *Timer {
	if len(ts.heap) == 0 || ts.heap[0].due > now {
		return nil
	}
	t := ts.heap[0]
	ts.remove(t)
	return t
}

type timerHeap []*Timer

func (h timerHeap) Len() int { return len(h) }
func (h timerHeap) Less(i, j int) bool {
	a, b := h[i], h[j]
	switch {
	case a.due != b.due:
		return a.due < b.due
	case a.last != b.last:
		return b.last
	}
	return a.seq < b.seq
}
func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}
func (h *timerHeap) Push(x any) {
	t := x.(*Timer)
	t.at = len(*h)
	*h = append(*h, t)
}
func (h *timerHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.at = -1
	return t
}

// runTimer runs the earliest due timer and reports whether there was one.
func (w *worker) runTimer() bool {
	now := w.now.UnixNano()
	t := w.timers.pop(now)
	if t == nil {
		return false
	}
	if t.scope == nil {
		t.fn()
		return true
	}
	if w.rests(t) {
		return true
	}
	fn := t.fn
	if t.every > 0 {
		t.due = later(t.due, int64(t.every))
		if late := now - t.due; late >= 0 && !w.e.cfg.Clock.virtual {
			t.due = later(t.due, (late/int64(t.every)+1)*int64(t.every))
		}
		w.timers.add(t)
	} else {
		delete(t.scope.timers, t)
	}
	t.run(fn)
	return true
}
