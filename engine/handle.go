package engine

import (
	"time"

	"github.com/tunscript/tunscript/engine/packet"
)

// handleBatch runs what was read from l to completion, for at most a slice of
// time on the system's clock.
func (w *worker) handleBatch(l *lane) {
	for n := 0; l.next < l.read && !w.ended; {
		p := l.in[l.next]
		l.in[l.next] = nil
		l.next++
		p.In, p.Out, p.Time = l.port, l.way, w.now
		p.SetCame(packet.Whole)
		w.handle(l, p)
		n++
		if n%sliceEvery == 0 && !w.e.cfg.Clock.virtual && time.Since(w.now) > slice {
			return
		}
	}
}

// handle takes in one packet that was read from l.
func (w *worker) handle(l *lane, p *packet.Packet) {
	l.stats.received.add(1)
	l.stats.receivedBytes.add(uint64(p.Len()))
	if w.e.watched() {
		w.observe(Event{Kind: Received, Device: l.name, Packet: p})
	}
	if l.faults[arriving] == nil || !w.impaired(l, arriving, p, 0) {
		w.pass(l, p)
	}
}

// pass runs p through the chain of l, from which it came, and carries out what was
// decided.
func (w *worker) pass(l *lane, p *packet.Packet) {
	if w.stale {
		w.rebuild()
	}
	watched := w.e.watched()
	p.SetTag(borrowed)
	w.hand = p
	var v Verdict
	var by *Handle
	if w.flows.table != nil && w.meet(p) {
		v = Drop(ReasonFlow)
	} else {
		v, by = w.decide(l.chain, p)
	}
	p, w.hand = w.hand, nil // joining exchanges it
	if v.kind == replace && v.empty() {
		v = Drop(ReasonEmpty)
	}
	if w.flows.table != nil {
		w.settle(p, v)
	}
	w.verdicts[v.kind].add(1)
	if (v.kind == drop || v.kind == hold) && v.reason() != "" {
		w.reasons.add(v.reason())
	}
	if v.kind <= accept && p.Out == nil {
		w.reasons.add(ReasonUnforwarded)
	}
	if watched {
		w.observeVerdict(l, p, v, by)
	}
	w.carryOut(p, v)
	if w.flows.table != nil {
		w.part()
	}
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
