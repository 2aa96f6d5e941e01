package engine

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/tunscript/tunscript/engine/offload"
	"github.com/tunscript/tunscript/engine/packet"
)

const (
	batch = 64 // packets read at once
	// slice is how long one batch may hold up posts, timers and other queues; it
	// is asked every sliceEvery packets, as reading a clock costs more than an
	// empty chain.
	slice      = time.Millisecond
	sliceEvery = 16
)

// Whose a packet is; kept in its tag.
const (
	free     = iota // its maker's
	borrowed        // in the hand of a handler
	taken           // given to the engine
)

func owner(tag uint64) uint64 { return tag & 3 }

// A worker owns its queues, scopes, timers and buffers. Everything here is used
// on its goroutine, but for what is marked.
type worker struct {
	e       *Engine
	index   int    // from 0; Lua's is one more
	seed    uint64 // of all its chance
	devices []*lane
	scopes  []*Scope // in the order of the configuration
	timers  timers
	defrag  defrag
	joins   bool // some handler wants fragments joined
	joining bool // fragments are to be joined in front of the next segment
	flows   flows
	faults  faults
	supers  supers
	showOne func(*packet.Packet) offload.Fate // one closure for all walks
	pool    packet.Pool
	mail    ring   // any goroutine
	box     []item // taken out of it, and the place of the next one
	boxNext int
	owed    [2]int      // buffers that came with packets of other workers
	over    [][]item    // for each other worker, what it is given when the batch ends; nil of one alone
	steered counter     // packets that were another's
	idle    atomic.Bool // any goroutine: no packet will come, but by the ring
	calls   calls
	waiter  *waiter

	now     time.Time      // of the batch, timer or post in hand
	hand    *packet.Packet // the packet in hand
	last    *Scope         // who ran last
	stale   bool           // chains are to be made anew
	timing  bool           // handlers are timed
	broken  []*Scope       // to be started anew
	leaving []*Scope       // to be ended
	turn    uint64         // of packets, timers and posts: which is in hand

	ended bool

	event    Event
	lostOne  func(*packet.Packet, Reason) // one closure for all writes
	writing  *lane
	spent    []*packet.Packet // taken, and not to be sent: put back with the batch, so that until then they count as taken
	steps    int              // at this instant of virtual time
	virtual  atomic.Int64     // any goroutine: now, on a virtual clock
	verdicts [hold + 1]counter
	reasons  named[Reason]
	errors   named[string] // by program
	classes  named[string]
	reported reported
	handles  atomic.Pointer[[]*Handle]
	owns     atomic.Pointer[[]*own]
	touched  []*Handle // whose counts are to be published

	impairments []*Impairment // of the configuration

	goroutine  atomic.Uint64 // the goroutine that runs it, 0 for none
	generation atomic.Uint64 // of scopes
}

// A lane is a device as a worker sees it.
type lane struct {
	index  int
	name   string
	info   Info        // what port was made of
	other  atomic.Bool // any goroutine: info is to be asked for again
	port   *packet.Port
	way    *packet.Port // where passed packets leave, nil for nowhere
	apart  bool         // its packets have no flow
	chain  chain
	queue  Queue  // nil where this worker has none: the first writes for it
	takes  Supers // the queue, if it takes super-packets; else nil
	theirs bool   // the first worker's takes them
	join   offload.Joiner
	// faults are the rules about packets that arrive and that leave, nil where there
	// are none.
	faults [2][]*fault
	ready  atomic.Bool // any goroutine: something may wait to be read
	ended  bool        // no more packets will come
	gone   bool        // lost: nothing can be written
	told   bool        // the first worker's: the loss is seen to
	away   *away       // it may come back, nil if not
	in     [batch]*packet.Packet
	read   int // packets in in
	next   int // the next of them to handle
	out    []*packet.Packet
	stats  deviceCounters
}

func newWorker(e *Engine, index int) *worker {
	w := &worker{e: e, index: index, seed: seedOf(e.seed, index)}
	w.pool.Rand = rand.New(rand.NewChaCha8(key(w.seed)))
	w.faults.most = e.part(cmp.Or(e.cfg.Held, DefaultHeld))
	w.handles.Store(new([]*Handle))
	w.owns.Store(new([]*own))
	w.lostOne = func(p *packet.Packet, why Reason) {
		p.SetTag(taken | lostBit)
		w.lost(w.writing, p, why)
	}
	w.openSupers()
	return w
}

// lostBit marks a packet that a write could not send.
const lostBit = 4

// wake makes the worker go round its loop. Any goroutine may call it.
func (w *worker) wake() { w.waiter.wake() }

// wakeQueue makes the worker read the queue of device i.
func (w *worker) wakeQueue(i int) {
	if !w.devices[i].ready.Swap(true) {
		w.waiter.wake()
	}
}

// refresh reads the clock, unless it is virtual.
func (w *worker) refresh() {
	if !w.e.cfg.Clock.virtual {
		w.now = time.Now()
	}
}

// loop runs until the run ends, on the system's clock.
func (w *worker) loop() {
	var due time.Time
	for !w.ended {
		w.now = time.Now()
		if w.letters() {
			w.waiter.worked = true
		}
		for range batch {
			if w.ended || !w.runTimer() {
				break
			}
			w.waiter.worked = true
			if time.Since(w.now) > slice {
				break // packets get their turn
			}
		}
		w.flush()
		if w.ended {
			return
		}
		// What came into the ring while the box was not empty is still there, and its wake
		// may have been taken for that of something else.
		more := w.packets() || w.boxNext < len(w.box) || w.mail.waiting.Load()
		if w.ended {
			return
		}
		if len(w.devices) > 0 && w.finished() && w.e.through(w) {
			w.stop(w.e.lossError())
			return
		}
		due = time.Time{}
		if at, ok := w.timers.next(); ok {
			due = time.Unix(0, at)
		}
		if at, ok := w.faults.held.next(); ok && (due.IsZero() || at.Before(due)) {
			due = at
		}
		w.waiter.wait(more, due)
	}
}

// letters takes what other goroutines sent, and reports whether there was any.
func (w *worker) letters() bool {
	urgent := w.openMail()
	for _, fn := range urgent {
		fn()
	}
	n := w.unpack()
	w.restartBroken()
	return len(urgent)+n > 0
}

// packets gives every queue that may have something its turn, and reports
// whether there is more to do right now.
func (w *worker) packets() (more bool) {
	if w.faults.held.due(w.now) {
		w.release()
	}
	w.wokenAway()
	for _, l := range w.devices {
		if l.next == l.read && (l.ended || !l.ready.Load()) {
			continue
		}
		if l.next == l.read {
			l.ready.Store(false)
			n, err := l.queue.Read(l.in[:], &w.pool)
			l.read, l.next = n, 0
			if n > 0 {
				l.ready.Store(true) // asked again until it says 0
			}
			if err != nil {
				w.endLane(l, err)
			}
		}
		w.handleBatch(l)
		w.flush()
		if w.ended {
			return false
		}
		more = more || l.next < l.read || l.ready.Load() && !l.ended
	}
	return more || w.faults.held.due(w.now)
}

// finished reports that no device will give a packet again, and none is held by
// faults.
func (w *worker) finished() bool {
	if w.faults.held.len() > 0 {
		return false
	}
	for _, l := range w.devices {
		if !l.ended || l.away != nil || l.next < l.read {
			return false
		}
	}
	return true
}

// rebuild makes the chains anew, after handlers came or went.
func (w *worker) rebuild() {
	w.restartBroken()
	w.stale = false
	var all []*Handle
	var owns []*own
	for _, s := range w.scopes {
		s.prune()
		owns = append(owns, s.config.own)
		all = append(all, s.handles...)
	}
	for _, h := range all {
		h.setTiming(w.timing)
	}
	w.handles.Store(&all)
	w.owns.Store(&owns)
	for _, l := range w.devices {
		l.chain = buildChain(w.scopes, l.index)
	}
	w.joins = slices.ContainsFunc(w.devices, func(l *lane) bool {
		return slices.ContainsFunc(l.chain, func(seg *segment) bool { return seg.joins })
	})
}

// closePrograms ends every program, and what the worker still holds.
func (w *worker) closePrograms() {
	w.ended = true // an exchange that comes now comes too late
	urgent, items := w.mail.close()
	for _, fn := range urgent {
		fn()
	}
	w.box, w.boxNext = append(w.box[w.boxNext:], items...), 0
	for _, s := range w.scopes {
		s.close()
	}
	w.endDefrag()
	w.endFaults()
}

// empty puts back what was read and not handled.
func (w *worker) empty() {
	for _, l := range w.devices {
		for ; l.next < l.read; l.next++ {
			w.pool.Put(l.in[l.next])
		}
	}
}

// clock is the engine's time as devices and starting programs ask for it. Any
// goroutine may.
func (w *worker) clock() time.Time {
	if w.e.cfg.Clock.virtual {
		return time.Unix(0, w.virtual.Load()).In(w.e.cfg.Clock.start.Location())
	}
	return time.Now()
}

// moveTo sets a virtual clock.
func (w *worker) moveTo(t time.Time) {
	if w.e.cfg.Clock.virtual {
		w.now = t
		w.virtual.Store(t.UnixNano())
	}
}
