package engine

import "time"

// openMail takes what is in the worker's ring, and returns what cannot wait.
func (w *worker) openMail() (urgent []func()) {
	if w.boxNext < len(w.box) {
		return w.mail.takeUrgent()
	}
	urgent, items := w.mail.take(w.box)
	w.box, w.boxNext = items, 0
	return urgent
}

// unpackMost is how many packets of the ring are handled before their buffers go back: fewer
// than a pool keeps.
const unpackMost = 8 * batch

// unpack runs posts and packets that were taken out of the ring, for at most a slice of
// time on the system's clock, and returns how many.
func (w *worker) unpack() (n int) {
	for w.boxNext < len(w.box) && !w.ended && w.owed[0]+w.owed[1] < unpackMost {
		it := w.box[w.boxNext]
		w.box[w.boxNext] = item{}
		w.boxNext++
		n++
		if it.post != nil {
			it.post()
		} else {
			w.received(it)
		}
		if n%sliceEvery == 0 && !w.e.cfg.Clock.virtual && time.Since(w.now) > slice {
			break
		}
	}
	return n
}

// received goes on with a packet that another worker has handed over.
func (w *worker) received(it item) {
	p, l := it.p, w.devices[it.lane]
	w.pool.Adopt(p)
	w.owed[size(p)]++
	switch it.way {
	case arrives:
		p.In, p.Out = l.port, l.way
		if l.apart || !w.steer(l, p) { // the flow may be another's by now
			w.handle(l, p)
		}
	case continues:
		p.In, p.Out = l.port, l.way
		w.passJoined(l, p)
	case leaves:
		p.Out = l.port
		w.send(p)
	case departs:
		p.Out = l.port
		if l.gone {
			w.lost(l, p, ReasonGone)
			w.spend(p)
		} else {
			w.line(l, p)
		}
	}
}

// handTo has the other worker get it when the batch ends.
func (w *worker) handTo(other int, it item) { w.over[other] = append(w.over[other], it) }

// handOver gives the other workers what the batch has for them, and offers buffers for
// those that came with packets. The batch has been written.
func (w *worker) handOver() {
	for i, items := range w.over {
		if len(items) == 0 {
			continue
		}
		o := w.e.workers[i]
		n := o.mail.give(items, &w.pool, o.wake)
		for _, it := range items[n:] {
			w.refused(it)
		}
		clear(items)
		w.over[i] = items[:0]
	}
	if n := w.owed[0] + w.owed[1]; n > 0 {
		w.mail.refill(&w.pool, &w.owed)
		w.idle.Store(w.finished()) // before it is counted that they are through
		w.mail.done.Add(uint64(n))
	}
}

// refused ends a packet that another worker's ring had no room for.
func (w *worker) refused(it item) {
	l, p := w.devices[it.lane], it.p
	if it.way == departs || it.way == leaves {
		w.lost(l, p, ReasonRing)
	} else {
		if it.way == arrives {
			w.arrived(l, p)
		}
		w.verdicts[drop].add(wire(p))
		w.reasons.add(ReasonRing)
		if w.e.watched() {
			w.observe(Event{Kind: Dropped, Device: l.name, Packet: p, Reason: string(ReasonRing)})
		}
	}
	w.pool.Put(p)
}

// through reports that no worker will get a packet any more, as w will not but by its
// ring: every device has come to its end, and nothing is on its way between workers.
func (e *Engine) through(w *worker) bool {
	if len(e.workers) == 1 {
		return true
	}
	w.idle.Store(true)
	// What is through is counted before what came. Were a packet on its way while we
	// count, it would be missing in the first sum and not in the second.
	var done, came uint64
	for _, o := range e.workers {
		done += o.mail.done.Load()
	}
	for _, o := range e.workers {
		if !o.idle.Load() {
			return false
		}
	}
	for _, o := range e.workers {
		came += o.mail.came.Load()
	}
	return done == came
}

// leaveTo has what l was to write, of which this worker has no queue, written by the
// first worker.
func (w *worker) leaveTo(l *lane) {
	for i, p := range l.out {
		w.handTo(0, item{p: p, lane: l.index, way: departs})
		l.out[i] = nil
	}
	l.out = l.out[:0]
}

// deliver gives the first worker what another one had for it when the run ended.
func (e *Engine) deliver(w *worker) {
	first := e.workers[0]
	for _, l := range w.devices {
		if l.queue == nil {
			w.leaveTo(l)
		}
	}
	if w != first {
		first.box = append(first.box, w.over[0]...)
		w.over[0] = w.over[0][:0]
	}
	for _, it := range w.box[w.boxNext:] {
		if it.p != nil && (it.way == departs || it.way == leaves) {
			w.received(it)
		} else {
			w.pool.Put(it.p)
		}
	}
	w.box, w.boxNext = nil, 0
}
