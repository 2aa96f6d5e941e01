package engine

import (
	"math/rand/v2"
	"time"

	"github.com/tunscript/tunscript/engine/impair"
	"github.com/tunscript/tunscript/engine/packet"
)

// faults is the stage of bad links: package impair decides about each packet, and
// what it says is done here. It stands at the devices, in front of flow rules,
// tasks and handlers for what arrives, and behind everything for what leaves. A
// device without a rule costs a comparison.
type faults struct {
	rules []*Impairment // in the order in which they took effect, which is that of the stage
	made  uint64        // so far
	held  heldHeap
	most  int  // packets in held
	full  bool // it was said that held is full

	now, delayed, jumped, duplicated, corrupted, truncated counter
}

// A way is one of the two that packets go through a device.
type way uint8

const (
	arriving way = iota
	leaving
)

// A fault is one rule at one device, one way.
type fault struct {
	of     *Impairment
	link   *impair.Link
	chance *rand.Rand
}

// faultSeed keeps what faults draw apart from what programs and flows draw.
const faultSeed = 0x666175_6c7473

func (w *worker) newFault(m *Impairment, device int, wy way) *fault {
	// A source for each, so that what happens to the packets of one way does not
	// depend on how many come the other.
	place := m.order<<32 | uint64(device)<<1 | uint64(wy)
	return &fault{m, m.rule.Link(), rand.New(rand.NewPCG(w.seed^faultSeed, place))}
}

// relink gives every device the rules that are about it.
func (w *worker) relink() {
	for _, l := range w.devices {
		for wy := range l.faults {
			l.faults[wy] = nil
			for _, m := range w.faults.rules {
				if f := m.at(w, l.index, way(wy)); f != nil {
					l.faults[wy] = append(l.faults[wy], f)
				}
			}
		}
	}
}

// impaired runs p through the rules of l that stand behind the one numbered after,
// and reports whether it does not go on now: it is dropped or held.
func (w *worker) impaired(l *lane, wy way, p *packet.Packet, after uint64) bool {
	for _, f := range l.faults[wy] {
		if f.of.order <= after || !f.of.wants(wy, p, w.now) {
			continue
		}
		d := f.link.Decide(p, w.now, f.chance)
		if d.Drop != "" {
			w.faulty(l, wy, p, Reason(d.Drop))
			return true
		}
		if d.Copy {
			w.faults.duplicated.add(1)
			w.hold(l, wy, p.Clone(), f.of.order, d.CopyDelay)
		}
		w.damage(p, &d)
		if d.Jumped {
			w.faults.jumped.add(1)
		}
		if d.Delay > 0 {
			w.faults.delayed.add(1)
			w.hold(l, wy, p, f.of.order, d.Delay)
			return true
		}
	}
	return false
}

func (w *worker) damage(p *packet.Packet, d *impair.Decision) {
	if d.Corrupted() {
		w.faults.corrupted.add(1)
	}
	if d.Truncated() {
		w.faults.truncated.add(1)
	}
	d.Apply(p)
}

// faulty ends p, which a rule drops or nobody may hold.
func (w *worker) faulty(l *lane, wy way, p *packet.Packet, why Reason) {
	if wy == leaving {
		w.lost(l, p, why)
		w.spend(p)
		return
	}
	w.verdicts[drop].add(1)
	w.reasons.add(why)
	if w.e.watched() {
		w.observe(Event{Kind: Dropped, Device: l.name, Packet: p, Reason: string(why)})
	}
	w.pool.Put(p)
}

// hold keeps p, which is the engine's, until its delay is over.
func (w *worker) hold(l *lane, wy way, p *packet.Packet, after uint64, delay time.Duration) {
	s := &w.faults
	if s.held.len() >= s.most {
		if !s.full {
			s.full = true
			w.e.log.Warn("faults hold as many packets as they may, and drop others: raise limits.held, or delay less", "held", s.most)
		}
		w.faulty(l, wy, p, Reason(impair.HeldFull))
		return
	}
	if wy == leaving {
		p.SetTag(taken)
	} else if w.e.watched() {
		w.observe(Event{Kind: Held, Device: l.name, Packet: p, Reason: string(ReasonDelayed)})
	}
	s.held.push(heldPacket{due: w.now.Add(delay), p: p, lane: l, way: wy, after: after})
}

// release lets packets go on whose delay is over, at most a batch of them.
func (w *worker) release() {
	for n := 0; n < batch && !w.ended; n++ {
		h, ok := w.faults.held.pop(w.now)
		if !ok {
			break
		}
		l, p := h.lane, h.p
		switch {
		case h.way == leaving:
			if l.gone {
				w.lost(l, p, ReasonGone)
				w.spend(p)
			} else if !w.impaired(l, leaving, p, h.after) {
				w.line(l, p)
			}
		default:
			p.Time = w.now
			if w.e.watched() {
				w.observe(Event{Kind: Released, Device: l.name, Packet: p})
			}
			if !w.impaired(l, arriving, p, h.after) {
				w.pass(l, p)
			}
		}
	}
	w.flush()
}

// put gives p, which is ready to leave, to its device.
func (w *worker) put(l *lane, p *packet.Packet) {
	if l.faults[leaving] == nil || !w.impaired(l, leaving, p, 0) {
		w.line(l, p)
	}
}

// endFaults drops what is still held at the end of the run.
func (w *worker) endFaults() {
	for _, h := range w.faults.held.all {
		w.reasons.add(ReasonDelayed)
		w.pool.Put(h.p)
	}
	w.faults.held.all = nil
}

func (s *faults) publish() {
	if s.made == 0 {
		return
	}
	s.now.n = uint64(s.held.len())
	for _, c := range []*counter{&s.now, &s.delayed, &s.jumped, &s.duplicated, &s.corrupted, &s.truncated} {
		c.publish()
	}
}

func (s *faults) stats() FaultStats {
	return FaultStats{
		Held: s.now.get(), Delayed: s.delayed.get(), Jumped: s.jumped.get(),
		Duplicated: s.duplicated.get(), Corrupted: s.corrupted.get(), Truncated: s.truncated.get(),
	}
}
