package engine

import (
	"github.com/tunscript/tunscript/engine/frag"
	"github.com/tunscript/tunscript/engine/packet"
)

// defrag is the stage of the chain that joins fragments. It stands in front of the
// first handler that asks for it: that one, its filter included, and all behind it
// see whole datagrams. A worker has none until it sees its first fragment there.
type defrag struct {
	joiner *frag.Joiner
	expiry Timer // in the worker's heap while anything is held, and only then
}

// fragReasons says how what became of a fragment is counted.
var fragReasons = [...]Reason{
	frag.Held: ReasonHeld, frag.Joined: ReasonHeld,
	frag.Duplicate: ReasonFragDuplicate, frag.Malformed: ReasonFragMalformed,
	frag.Overlap: ReasonFragOverlap, frag.Limit: ReasonFragLimit, frag.Expired: ReasonFragExpired,
}

// join takes the fragment in hand in. The datagram that it completed is in hand
// from then on; without one the verdict about the fragment stands.
func (w *worker) join(p *packet.Packet) Verdict {
	d := &w.defrag
	if d.joiner == nil {
		d.joiner = frag.New(frag.Limits{}, &w.pool, w.abandoned)
		d.expiry = Timer{fn: w.expire, at: -1}
	}
	whole, fate := d.joiner.Add(p, w.now)
	w.schedule()
	switch fate {
	case frag.Joined:
		w.reasons.add(ReasonHeld)
		if w.e.watched() {
			w.observe(Event{Kind: Joined, Device: whole.In.Name, Packet: whole})
		}
		if w.over != nil && w.steerJoined(whole) {
			return Verdict{kind: hold, more: Reason("")}
		}
		whole.SetTag(borrowed)
		w.hand = whole
		w.pool.Put(p)
		if w.flows.table != nil && w.meet(whole) {
			return Drop(ReasonFlow)
		}
		return Verdict{}
	case frag.Held:
		return Verdict{kind: hold, more: ReasonHeld}
	}
	return Drop(fragReasons[fate])
}

// abandoned counts the held fragments of a datagram that will not be whole.
func (w *worker) abandoned(a frag.Abandoned) {
	why := fragReasons[a.Why]
	w.reasons.addN(why, uint64(a.Fragments))
	if !w.e.watched() {
		return
	}
	p := a.Packet()
	e := Event{Kind: Abandoned, Packet: p, Reason: string(why)}
	if a.In != nil {
		e.Device = a.In.Name
	}
	w.observe(e)
	w.pool.Put(p)
}

// schedule lets the expiry come when the joiner has something to give up. While
// nothing is held there is no timer.
func (w *worker) schedule() {
	d := &w.defrag
	at, held := d.joiner.Next()
	due := at.UnixNano()
	switch t := &d.expiry; {
	case t.at < 0 && held:
	case t.at >= 0 && !held:
		w.timers.remove(t)
		return
	case t.at >= 0 && due < t.due:
		w.timers.remove(t)
	default: // none, or one that comes early and looks again
		return
	}
	d.expiry.due = due
	w.timers.add(&d.expiry)
}

// expire gives up what was not whole in time.
func (w *worker) expire() {
	w.defrag.joiner.Expire(w.now)
	w.schedule()
}

// endDefrag gives up what is held, at the end of the run.
func (w *worker) endDefrag() {
	if w.defrag.joiner != nil {
		w.defrag.joiner.Close()
	}
}
