package engine

import (
	"encoding/binary"
	"time"

	"github.com/tunscript/tunscript/engine/frag"
	"github.com/tunscript/tunscript/engine/packet"
)

// send puts a packet that the engine has taken on its way out. It leaves with
// the batch in hand, in the order of the calls.
func (w *worker) send(p *packet.Packet) {
	w.supers.walker.Flush() // the segments in front of it leave in front of it
	p.SetTag(taken)
	l := w.devices[p.Out.Index]
	if w.flows.table != nil && !l.apart {
		if w.over != nil && !w.sends(p) {
			return
		}
		w.rewrite(p)
	}
	switch {
	case l.gone:
		w.lost(l, p, ReasonGone)
	default:
		w.fit(p, l)
		if p.Time.IsZero() {
			p.Time = w.now
		}
		if p.GSO().Size > 0 && !l.whole(p) {
			w.cutUp(p, l)
			return
		}
		w.leave(p, l)
		return
	}
	w.spend(p)
}

// leave puts p, which has the link type of l, on its way out by l.
func (w *worker) leave(p *packet.Packet, l *lane) {
	if frag.Fits(p, l.port.MTU) {
		w.put(l, p)
		return
	}
	if !w.cut(p, l) {
		w.lost(l, p, ReasonTooBig)
	}
	w.spend(p)
}

// cut sends the pieces of p, which is too large for l, and reports whether it may
// be cut.
func (w *worker) cut(p *packet.Packet, l *lane) (ok bool) {
	n := len(l.out)
	if l.out, ok = frag.Cut(l.out, p, l.port.MTU, &w.pool); !ok {
		return false
	}
	pieces := l.out[n:]
	l.out = l.out[:n] // put writes no further than it has read
	for _, q := range pieces {
		q.SetTag(taken)
		w.put(l, q)
	}
	return true
}

// spend takes a packet that will not be sent.
func (w *worker) spend(p *packet.Packet) {
	p.SetTag(taken)
	w.spent = append(w.spent, p)
}

// fit gives p the link type of l.
func (w *worker) fit(p *packet.Packet, l *lane) {
	if p.Link() != l.port.Link {
		if l.port.Link == packet.IP {
			p.PopEthernet()
		} else {
			// A packet made without Ethernet comes from the far side and goes to the
			// kernel: there is nobody else on a TAP device's wire.
			p.PushEthernet(l.port.MAC, l.port.PeerMAC)
		}
	}
}

// flush writes what was sent, device by device.
func (w *worker) flush() {
	for _, l := range w.devices {
		if len(l.out) == 0 {
			continue
		}
		if l.queue == nil {
			w.leaveTo(l)
			continue
		}
		w.writing = l
		if l.takes != nil {
			l.join.End()
		}
		err := l.queue.Write(l.out, w.lostOne)
		if err != nil { // how many left before is not known: none is called sent
			for _, p := range l.out {
				if p.Tag()&lostBit == 0 {
					w.lostOne(p, ReasonGone)
				}
			}
		}
		watched := w.e.watched()
		for i, p := range l.out {
			if p.Tag()&lostBit == 0 {
				l.stats.sent.add(wire(p))
				l.stats.sentBytes.add(uint64(p.Len()))
				if watched {
					w.observe(Event{Kind: Sent, Device: l.name, Packet: p})
				}
			}
			w.pool.Put(p)
			l.out[i] = nil
		}
		l.out = l.out[:0]
		if l.takes != nil {
			if less := l.joins(); less != "" {
				w.e.log.Warn("the kernel refuses super-packets: from now on packets are written one by one, which is slower", "device", l.name, "protocol", less)
			}
		}
		if err != nil && !l.gone {
			w.endLane(l, err)
		}
	}
	for i, p := range w.spent {
		w.pool.Put(p)
		w.spent[i] = nil
	}
	w.spent = w.spent[:0]
	if w.over != nil {
		w.handOver()
	}
	if w.flows.table != nil {
		w.flows.table.Expire(w.now, batch)
	}
	w.publish()
}

// lost counts a packet that could not leave by l.
func (w *worker) lost(l *lane, p *packet.Packet, why Reason) {
	l.stats.lost.add(1)
	w.reasons.add(why)
	if w.e.watched() {
		w.observe(Event{Kind: Lost, Device: l.name, Packet: p, Reason: string(why)})
	}
}

// observe shows an event to every observer, in one that is used again.
func (w *worker) observe(e Event) {
	w.event = e
	w.event.Worker = w.index + 1
	if w.event.Time = w.now; w.event.Time.IsZero() {
		w.event.Time = time.Now()
	}
	for _, o := range *w.e.observers.Load() {
		if o.filter == nil || e.Packet != nil && o.filter.Match(e.Packet) {
			o.Observe(&w.event)
		}
	}
	w.event.Packet, w.event.Err = nil, nil
}

func (w *worker) observeVerdict(l *lane, p *packet.Packet, v Verdict, by *Handle) {
	e := Event{Device: l.name, Packet: p}
	if by != nil {
		e.Program, e.Handler = by.scope.Name(), by.h.Name
	}
	switch v.kind {
	case pass, accept:
		if e.Kind = Passed; v.kind == accept {
			e.Kind = Accepted
		}
		if p.Out == nil {
			e.Reason = string(ReasonUnforwarded)
		}
	case drop:
		e.Kind, e.Reason = Dropped, string(v.reason())
	case replace:
		e.Kind = Replaced
	case take:
		t := v.more.(*Waiting)
		e.Kind, e.Program, e.Handler = Taken, t.scope.Name(), t.a.Name
	case hold:
		e.Kind, e.Reason = Held, string(v.reason())
	}
	w.observe(e)
}

// key is a number made of the engine's seed for a worker's pool.
func key(seed uint64) [32]byte {
	var k [32]byte
	binary.LittleEndian.PutUint64(k[:], seed)
	return k
}
