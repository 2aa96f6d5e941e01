package engine

import (
	"time"

	"github.com/tunscript/tunscript/engine/filter"
	"github.com/tunscript/tunscript/engine/packet"
)

// An Await says which packet is waited for, and what happens when it comes.
//
// Those who wait see a packet where handlers of prio 0 of their program would, and
// before these. Of those who have waited since before it came, all that peek get a
// copy; then the one that has waited longest takes it: no handler behind sees it,
// and it is not forwarded.
type Await struct {
	Name   string         // for captures; "" is the program's
	Filter string         // pcap-filter(7) text; "" wants everything
	Match  *filter.Filter // the same, compiled; used instead of Filter if not nil

	// Flow is whose packets are waited for, and with them ICMP errors about it; zero:
	// any. Who waits for a flow is found by it.
	Flow Flow

	// Ask is asked last, about packets that the filter matches, which are borrowed;
	// nil says yes. It is asked one after the other with those of others: an index
	// cannot see into it.
	Ask func(*packet.Packet) bool

	Peek    bool          // look without taking: a copy comes, and the packet goes on
	Stay    bool          // go on waiting when one has come
	Timeout time.Duration // 0: none; negative: over when the packets that wait now are through

	// Run gets the packet, which is the program's own and nobody else's any more; nil
	// when the time is over. Unless it stays, the wait has ended then.
	Run func(*packet.Packet)
}

// Count counts a packet that the program has lost, or has not let in, by why.
func (s *Scope) Count(why Reason) {
	if s.attached && !s.closed {
		s.w.reasons.add(why)
	}
}

// A Waiting is an Await that stands.
type Waiting struct {
	scope *Scope
	a     Await
	order uint64 // ascending as they come
	among *filter.Set[*Waiting]
	entry *filter.Entry[*Waiting] // nil when it has ended
	timer *Timer
}

// Await waits for a packet; while the program starts, from when it takes effect. It
// fails for a filter that does not compile (*filter.SyntaxError) and for a nil Run.
// When the program ends, what waits ends with it, and nobody is told.
func (s *Scope) Await(a Await) (*Waiting, error) {
	switch {
	case s.closed:
		return nil, ErrScopeClosed
	case a.Run == nil:
		return nil, errNoFunction
	}
	if a.Match == nil && a.Filter != "" {
		f, err := filter.Compile(a.Filter)
		if err != nil {
			return nil, err
		}
		a.Match = f
	}
	w := &Waiting{scope: s, a: a}
	if a.Timeout != 0 {
		t, err := s.After(a.Timeout, w.expire)
		if err != nil {
			return nil, err
		}
		w.timer = t
	}
	if s.waits == nil {
		s.waits = new(waits)
		s.dirty() // from now on the chain asks them
	}
	s.waits.add(w)
	return w, nil
}

// Cancel ends the wait; Run is not called any more. Cancelling one that has ended,
// or twice, does nothing.
func (w *Waiting) Cancel() {
	if w == nil || w.entry == nil || w.scope.closed {
		return
	}
	w.scope.waits.remove(w)
	w.timer.Cancel()
}

// expire is what the timer calls.
func (w *Waiting) expire() {
	w.Cancel()
	w.a.Run(nil)
}

// deliver gives p, which is nobody's any more, to who waits for it.
func (w *Waiting) deliver(p *packet.Packet) {
	if !w.a.Stay {
		w.Cancel()
	}
	w.scope.w.last = w.scope
	w.a.Run(p)
}

// take gives p, which nobody else gets, to t. It is a copy, of no more room than it
// needs: what a program keeps for a while is not a buffer that was read into.
func (w *worker) take(t *Waiting, p *packet.Packet) {
	q := p.Clone()
	w.part()
	w.pool.Put(p)
	w.hand = q // the device that it came in by is Home
	t.deliver(q)
	w.hand = nil
}
