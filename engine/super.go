package engine

import (
	"slices"

	"github.com/tunscript/tunscript/engine/offload"
	"github.com/tunscript/tunscript/engine/packet"
)

// Supers is a Queue whose Write takes super-packets, all of them: what the kernel
// behind it does not take it cuts up itself. Any other queue is given ordinary packets
// only.
type Supers interface {
	Queue

	// Join says which packets are to be joined to super-packets on their way out: TCP
	// segments, UDP datagrams. It may become less while the device is in use.
	Join() (tcp, udp bool)
}

// supers is the stage of super-packets. There are three ways through: nobody wants one,
// or only handlers with Super do, and it goes through whole; or somebody wants its
// segments, and from there on each goes through on its own, in place.
type supers struct {
	walker offload.Walker
	cutter offload.Walker // on the way out, in the midst of a walk
	pieces []*packet.Packet

	lane  *lane
	chain chain // what is in front of the segments: from its first segment's
	at    int   // handler on
	asked bool  // a handler with Super has seen the super-packet
}

func (w *worker) openSupers() {
	s := &w.supers
	s.walker = offload.Walker{Pool: &w.pool, Out: w.send}
	s.cutter = offload.Walker{Pool: &w.pool}
	w.showOne = w.show
}

// passSuper runs the super-packet p through the chain of l: whole, as far as nobody
// wants its segments, and from there on one segment after the other.
func (w *worker) passSuper(l *lane, p *packet.Packet) {
	if offload.Check(p) != nil {
		w.malformed(l, p)
		return
	}
	p.SetTag(borrowed)
	w.hand, w.supers.asked = p, false
	if w.flows.table != nil && w.meet(p) {
		w.conclude(l, p, Drop(ReasonFlow), nil)
		return
	}
	v, by, rest, at := w.decideSuper(l.chain, p)
	if rest != nil && p.GSO().Size == 0 { // a handler has made an ordinary packet of it
		v, by = w.decide(rest, p, at)
		rest = nil
	}
	if rest == nil {
		w.conclude(l, w.hand, v, by)
		return
	}
	w.hand = nil
	w.part()
	s := &w.supers
	s.lane, s.chain, s.at = l, rest, at
	if !s.asked { // who waits for a later segment only since an earlier one may stand in front
		s.chain, s.at = l.chain, 0
	}
	// Check has passed, and handlers with Super may have made something else of it.
	whole, err := s.walker.Walk(p, w.showOne)
	switch {
	case err != nil:
		w.malformed(l, p)
	case !whole:
		w.pool.Put(p)
	}
	if len(w.spent) > 4*batch {
		w.flush() // so that the pool need not be larger than this
	}
}

// malformed drops a super-packet that nobody could cut.
func (w *worker) malformed(l *lane, p *packet.Packet) {
	w.hand = nil
	w.verdicts[drop].add(1)
	w.reasons.add(ReasonMalformed)
	if w.e.watched() {
		w.observe(Event{Kind: Dropped, Device: l.name, Packet: p, Reason: string(ReasonMalformed)})
	}
	w.pool.Put(p)
}

// decideSuper runs p through the chain until somebody decides, or may want a segment
// of it: then rest is what is left of the chain, from the handler numbered at on.
func (w *worker) decideSuper(c chain, p *packet.Packet) (v Verdict, by *Handle, rest chain, at int) {
	for k, seg := range c {
		if w.flows.ruled && w.passedOver(seg) {
			continue
		}
		if seg.waits != nil && seg.waits.some() {
			return v, nil, c[k:], 0
		}
		for i, h := range seg.handles {
			switch {
			case !h.on:
				continue
			case !h.h.Super:
				if h.filter.MayMatch(p) {
					return v, nil, c[k:], i
				}
				continue
			case !h.filter.Match(p):
				continue
			}
			w.supers.asked = true
			if v := w.ask(h, p); v.kind != pass {
				return v, h, nil, 0
			}
			if p.GSO().Size == 0 { // it has become an ordinary packet
				return v, nil, c[k:], i + 1
			}
		}
	}
	return v, nil, nil, 0
}

// show runs one segment through what is left of the chain.
func (w *worker) show(p *packet.Packet) offload.Fate {
	s := &w.supers
	if w.ended {
		return offload.Drop
	}
	w.turn++
	if w.stale {
		w.rebuild()
		if s.asked {
			s.chain, s.at = s.lane.chain.from(s.chain[0], s.at)
		} else {
			s.chain, s.at = s.lane.chain, 0
		}
	}
	p.SetTag(borrowed)
	w.hand = p
	var v Verdict
	var by *Handle
	if w.flows.table != nil && w.meet(p) {
		v = Drop(ReasonFlow)
	} else {
		v, by = w.decide(s.chain, p, s.at)
	}
	w.hand = nil
	v = w.settled(s.lane, p, v, by)
	fate := offload.Taken
	switch {
	case v.kind == drop, v.kind <= accept && p.Out == nil:
		fate = offload.Drop
	case v.kind <= accept:
		fate = offload.Pass
	default:
		p.Own()
		s.walker.Flush()
		w.carryOut(p, v)
	}
	if w.flows.table != nil {
		w.part()
	}
	return fate
}

// from is what is left of c for who was in front of the handler numbered at of seg, in
// the chain that c has taken the place of.
func (c chain) from(seg *segment, at int) (chain, int) {
	i := slices.IndexFunc(c, func(o *segment) bool {
		return o.prio > seg.prio || o.prio == seg.prio && (o.rank > seg.rank || o.rank == seg.rank && (o.waits == nil) == (seg.waits == nil))
	})
	switch {
	case i < 0:
		return chain{&segment{prio: seg.prio, rank: seg.rank}}, 0
	case at < len(seg.handles):
		at = max(0, slices.Index(c[i].handles, seg.handles[at]))
	default:
		at = 0
	}
	return c[i:], at
}

// passPieces runs the segments of p, which came from l where packets are impaired, through
// everything as if they had come so.
func (w *worker) passPieces(l *lane, p *packet.Packet) {
	pieces, err := w.supers.cutter.Split(nil, p)
	if err != nil {
		w.malformed(l, p)
		return
	}
	for _, q := range pieces {
		if !w.impaired(l, arriving, q, 0) {
			w.pass(l, q)
		}
	}
	w.pool.Put(p)
}

// setQueue gives l its queue; nil where the first worker writes for it, whose queue is
// first.
func (l *lane) setQueue(q, first Queue) {
	if q == nil {
		_, l.theirs = first.(Supers)
		return
	}
	l.queue = q
	if l.takes, _ = q.(Supers); l.takes != nil {
		l.joins()
	}
}

// joins asks the device what is to be joined, and reports what no longer is.
func (l *lane) joins() (less string) {
	tcp, udp := l.takes.Join()
	switch {
	case l.join.TCP && !tcp:
		less = "tcp"
	case l.join.UDP && !udp:
		less = "udp"
	}
	l.join.TCP, l.join.UDP = tcp, udp
	return less
}

// whole reports that p, a super-packet, leaves by l as it is.
func (l *lane) whole(p *packet.Packet) bool {
	at := p.Layout()
	return (l.takes != nil || l.theirs) && l.faults[leaving] == nil && (l.port.MTU == 0 || at.Data-at.L3+int(p.GSO().Size) <= l.port.MTU)
}

// cutUp sends the segments of p, which its device does not take whole.
func (w *worker) cutUp(p *packet.Packet, l *lane) {
	pieces, err := w.supers.cutter.Split(w.supers.pieces[:0], p)
	if err != nil {
		w.lost(l, p, ReasonMalformed)
	}
	for i, q := range pieces {
		q.SetTag(taken)
		w.leave(q, l)
		pieces[i] = nil
	}
	w.supers.pieces = pieces[:0]
	w.spend(p)
}

// line puts p behind what leaves by l, or joins it to that.
func (w *worker) line(l *lane, p *packet.Packet) {
	if l.takes != nil && l.join.Add(p, &w.pool) {
		w.spend(p)
		return
	}
	l.out = append(l.out, p)
}

// wire is how many packets p is on the wire.
func wire(p *packet.Packet) uint64 {
	if p.GSO().Size == 0 {
		return 1
	}
	return uint64(p.Segments())
}
