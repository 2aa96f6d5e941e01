package engine

import (
	"math/rand/v2"

	"github.com/tunscript/tunscript/engine/flow"
	"github.com/tunscript/tunscript/engine/packet"
)

// The kernel's choice of a queue is a hint: it knows nothing of rewriting, forgets a flow
// after 3 s, and hashes fragments without ports. What several workers have in common is the
// directory: a flow belongs to the worker that met it first, which handles all of its packets,
// and writes them, by its own queue. So the kernel learns where the flow's answers belong.

// directorySeed keeps what seeds the directory apart from what all others draw.
const directorySeed = 0x646972

// share makes the directory of several workers, and flow tables for all of them.
func (e *Engine) share() {
	if len(e.workers) == 1 {
		return
	}
	e.directory = flow.NewDirectory(rand.NewPCG(e.seed, directorySeed))
	for _, w := range e.workers {
		w.openFlows()
	}
}

// steer reports whether p, which has come in by l, is another worker's, and hands it over.
// What it has found of p's flow meet need not look up again.
func (w *worker) steer(l *lane, p *packet.Packet) bool {
	s := &w.flows
	f, found, who := s.table.Claim(p, w.now, w.joins)
	if who == w.index {
		s.claimed, s.f, s.found = p, f, found
		return false
	}
	w.steered.add(wire(p))
	w.handTo(who, item{p: p, lane: l.index, way: arrives})
	return true
}

// sends reports whether p, which is about to leave, is this worker's to send: what answers it
// belongs to who has sent it. A packet of another worker's flow is sent by that one.
func (w *worker) sends(p *packet.Packet) bool {
	who := w.flows.table.Own(w.flows.f, p, w.now)
	if who == w.index || w.ended { // at the end nobody else will
		return true
	}
	p.Own()
	w.handTo(who, item{p: p, lane: p.Out.Index, way: leaves})
	return false
}

// steerJoined hands over a datagram, joined from fragments, whose flow is another worker's.
func (w *worker) steerJoined(p *packet.Packet) bool {
	_, _, who := w.flows.table.Claim(p, w.now, false)
	if who == w.index {
		return false
	}
	w.steered.add(1)
	w.handTo(who, item{p: p, lane: p.In.Index, way: continues})
	return true
}

// passJoined runs p through the chain of l from where fragments are joined on.
func (w *worker) passJoined(l *lane, p *packet.Packet) {
	if w.stale {
		w.rebuild()
	}
	p.SetTag(borrowed)
	w.hand = p
	var v Verdict
	var by *Handle
	if w.meet(p) {
		v = Drop(ReasonFlow)
	} else {
		v, by = w.decide(l.chain.behindJoin(), p, 0)
	}
	w.conclude(l, w.hand, v, by)
}

// behindJoin is the chain from where fragments are joined on, or all of it.
func (c chain) behindJoin() chain {
	for i, seg := range c {
		if seg.joins {
			return c[i:]
		}
	}
	return c
}
