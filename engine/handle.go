package engine

import (
	"time"

	"github.com/tunscript/tunscript/engine/packet"
)

// handleBatch runs what was read from l to completion, for at most a slice of
// time on the system's clock.
func (w *worker) handleBatch(l *lane) {
	steers := w.over != nil && !l.apart
	for n := 0; l.next < l.read && !w.ended; {
		p := l.in[l.next]
		l.in[l.next] = nil
		l.next++
		p.In, p.Out, p.Time = l.port, l.way, w.now
		p.SetCame(packet.Whole)
		if !steers || !w.steer(l, p) {
			w.handle(l, p)
		}
		n++
		if n%sliceEvery == 0 && !w.e.cfg.Clock.virtual && time.Since(w.now) > slice {
			return
		}
	}
}

// handle takes in one packet that was read from l.
func (w *worker) handle(l *lane, p *packet.Packet) {
	w.arrived(l, p)
	switch {
	case l.faults[arriving] == nil:
		w.pass(l, p)
	case p.GSO().Size > 0: // what happens to packets happens to each
		w.passPieces(l, p)
	default:
		w.flows.claimed = nil // faults may make another packet of it
		if !w.impaired(l, arriving, p, 0) {
			w.pass(l, p)
		}
	}
}

// arrived tells everybody of p, which has come in by l.
func (w *worker) arrived(l *lane, p *packet.Packet) {
	l.stats.received.add(wire(p))
	l.stats.receivedBytes.add(uint64(p.Len()))
	if w.e.watched() {
		w.observe(Event{Kind: Received, Device: l.name, Packet: p})
	}
}

// pass runs p through the chain of l, from which it came, and carries out what was
// decided.
func (w *worker) pass(l *lane, p *packet.Packet) {
	w.turn++
	if w.stale {
		w.rebuild()
	}
	if p.GSO().Size > 0 {
		w.passSuper(l, p)
		return
	}
	p.SetTag(borrowed)
	w.hand = p
	var v Verdict
	var by *Handle
	if w.flows.table != nil && !l.apart && w.meet(p) {
		v = Drop(ReasonFlow)
	} else {
		v, by = w.decide(l.chain, p, 0)
	}
	w.conclude(l, w.hand, v, by) // joining exchanges it
}

// conclude carries out what was decided about p, the packet in hand.
func (w *worker) conclude(l *lane, p *packet.Packet, v Verdict, by *Handle) {
	w.hand = nil
	v = w.settled(l, p, v, by)
	w.carryOut(p, v)
	if w.flows.table != nil {
		w.part()
	}
}

// settled tells everybody of the verdict about p, and returns what it comes to.
func (w *worker) settled(l *lane, p *packet.Packet, v Verdict, by *Handle) Verdict {
	if v.kind == reply {
		v = w.reply(p)
	}
	if v.kind == replace && v.empty() {
		v = Drop(ReasonEmpty)
	}
	if w.flows.table != nil && !l.apart {
		w.settle(p, v)
	}
	w.verdicts[v.kind].add(wire(p))
	if (v.kind == drop || v.kind == hold) && v.reason() != "" {
		w.reasons.add(v.reason())
	}
	if v.kind <= accept && p.Out == nil {
		w.reasons.add(ReasonUnforwarded)
	}
	if w.e.watched() {
		w.observeVerdict(l, p, v, by)
	}
	return v
}

// reply is the verdict that Reply comes to: with the packet itself if neither flows nor
// observers have yet to hear of the question.
func (w *worker) reply(p *packet.Packet) Verdict {
	if w.flows.table == nil && !w.e.watched() && p.Turn() {
		return Replace(p)
	}
	return Replace(p.Reply())
}

// carryOut does with p, the packet in hand, what v says.
func (w *worker) carryOut(p *packet.Packet, v Verdict) {
	switch v.kind {
	case pass, accept:
		if p.Out == nil {
			w.pool.Put(p)
			return
		}
		w.send(p)
	case drop, hold:
		w.pool.Put(p)
	case replace:
		w.replace(p, v)
	case take:
		w.take(v.more.(*Waiting), p)
	}
}

// replace sends the packets of v in p's place.
func (w *worker) replace(p *packet.Packet, v Verdict) {
	p.SetTag(free)
	if v.p != nil {
		w.sendTaken(v.p, p)
	}
	if list, ok := v.more.([]*packet.Packet); ok {
		for _, q := range list {
			w.sendTaken(q, p)
		}
	}
	if owner(p.Tag()) != taken {
		w.pool.Put(p)
	}
}

// sendTaken sends q, which a verdict about p gave away.
func (w *worker) sendTaken(q, p *packet.Packet) {
	switch {
	case isEmpty(q):
		w.reasons.add(ReasonEmpty)
	case owner(q.Tag()) == taken:
		w.reasons.add(ReasonTaken)
	default:
		if q.Out == nil && q.In == nil { // made from nothing; a copy of p has p's way out, or none
			q.Out = p.In
		}
		if q.Out == nil {
			w.reasons.add(ReasonUnforwarded)
			if q != p { // p goes back at the end of replace
				w.spend(q)
			}
			return
		}
		w.send(q)
	}
}
