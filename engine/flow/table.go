package flow

import (
	"math/rand/v2"
	"time"

	"github.com/tunscript/tunscript/engine/packet"
)

// DefaultLimit is how many flows a Table holds that was not told.
const DefaultLimit = 65536

// Config is what a Table is made of.
type Config struct {
	Limit int         // most flows held, at most 2^30; 0: DefaultLimit
	Rand  rand.Source // of the hash's seeds and of free ports; nil: always the same
	// Ended is called with every value of a flow that ends, while the table is at
	// work: it must not ask it anything. It may be nil.
	Ended func(any)
	// Directory is what several tables share out flows by, of which this is the one
	// numbered Number; nil: this is the only one.
	Directory *Directory
	Number    int // from 0, at most 65535
}

// A Table holds flows. The zero Table is not usable; see New. It is used by one
// goroutine at a time.
type Table struct {
	limit   int
	dir     *Directory // nil where there is no other table
	number  int
	rand    rand.Source
	ended   func(any)
	seeds   seeds
	base    time.Time // what now counts from
	started bool      // base is set
	now     time.Duration
	entries slab[entry]
	free    uint32 // first of the entries that are free again
	shares  slab[share]
	unused  uint32 // the same of shares
	index   index
	lists   [lists]list
	journal []change

	fragments fragments
	scratch   *packet.Packet // a quote that is looked at
	stats     Stats
}

// Stats is what a Table holds, and has counted since it was made.
type Stats struct {
	Held      int    // flows, those that are idle too long but not ended yet included
	Rewritten int    // of them, those that are rewritten
	Made      uint64 // flows ever
	Expired   uint64 // ended because idle too long
	Evicted   uint64 // ended because room was needed
}

// New makes an empty Table. It allocates little until there are flows.
func New(c Config) *Table {
	t := &Table{limit: c.Limit, rand: c.Rand, ended: c.Ended, dir: c.Directory, number: c.Number}
	if t.limit <= 0 {
		t.limit = DefaultLimit
	}
	t.limit = min(t.limit, 1<<30)
	if t.rand == nil {
		t.rand = rand.NewPCG(0, 0)
	}
	for i := range t.seeds {
		t.seeds[i] = t.rand.Uint64()
	}
	t.scratch, _ = packet.Parse([]byte{4 << 4}, packet.IP)
	return t
}

// Len is how many flows the table holds.
func (t *Table) Len() int { return t.stats.Held }

// Stats returns what the table holds and has counted.
func (t *Table) Stats() Stats { return t.stats }

// Rewriting reports that some flow is rewritten.
func (t *Table) Rewriting() bool { return t.stats.Rewritten > 0 }

// clock sets the time. One that goes back counts as that before: the lists are in
// the order of time.
func (t *Table) clock(now time.Time) {
	if !t.started {
		t.base, t.started = now, true
	}
	t.now = max(t.now, now.Sub(t.base))
}

// Find is the flow that the packet p, as it came in, belongs to, and false if the
// table does not hold one. It counts as a sign of life: once for a packet.
func (t *Table) Find(p *packet.Packet, now time.Time) (Flow, bool) {
	if t.stats.Held == 0 {
		return Flow{}, false
	}
	t.clock(now)
	k, s := t.read(p)
	return t.lookUp(&k, p, s)
}

// Get is Find that makes the flow if there is none, and makes room for it if it
// must. It is false for a packet that has no flow, or another table's.
func (t *Table) Get(p *packet.Packet, now time.Time) (Flow, bool) {
	t.clock(now)
	k, s := t.read(p)
	f, ok := t.lookUp(&k, p, s)
	switch {
	case ok:
		return t.Ask(f, p), true
	case s == none, s == later, !t.claim(&k):
		return f, false
	}
	return t.create(k, p, s), true
}

// claim reports that k is this table's, or nobody's until now.
func (t *Table) claim(k *tuple) bool { return t.dir == nil || t.dir.claim(k, t.number) == t.number }

// Peek is Find that is no sign of life: for packets that did not come in.
func (t *Table) Peek(p *packet.Packet) (Flow, bool) {
	if t.stats.Held == 0 {
		return Flow{}, false
	}
	k, s := t.read(p)
	i, d := t.locate(&k, p, s)
	if i == 0 || t.expired(t.entry(i)) {
		return Flow{}, false
	}
	return t.handle(i, d), true
}

func (t *Table) handle(i uint32, d Dir) Flow { return Flow{t, i, t.entry(i).gen, d} }

func (t *Table) locate(k *tuple, p *packet.Packet, s subject) (uint32, Dir) {
	switch s {
	case none:
		return 0, 0
	case later:
		return t.recall(*k, p)
	}
	return t.find(k)
}

func (t *Table) lookUp(k *tuple, p *packet.Packet, s subject) (Flow, bool) {
	i, d := t.locate(k, p, s)
	if i == 0 {
		return Flow{}, false
	}
	e := t.entry(i)
	switch {
	case t.expired(e):
		t.end(i)
		t.stats.Expired++
		return Flow{}, false
	case s == report:
		// Whoever can guess a flow's ports can forge errors about it: they keep
		// nothing alive.
		return Flow{t, i, e.gen, d}, true
	case e.begins(p, s):
		t.end(i)
		return Flow{}, false
	}
	if s == first {
		t.remember(*k, p, i, d)
	}
	e.advance(p, d, s)
	t.use(i)
	return Flow{t, i, e.gen, d}, true
}

// opens is the direction of the packet p that its flow, of which it has the key k, is made
// for.
func opens(k *tuple, p *packet.Packet, s subject) Dir {
	if k.kind == answers || s == report || k.proto == packet.ProtoTCP && tcpFlags(p).Has(packet.SYN|packet.ACK) {
		return Back
	}
	return Forward
}

// create makes the flow of p, whose key k this table has claimed and holds in no flow.
func (t *Table) create(k tuple, p *packet.Packet, s subject) Flow {
	d := opens(&k, p, s)
	i := t.place(k, d)
	e := t.entry(i)
	if s != report {
		e.advance(p, d, s)
		t.use(i)
	}
	if s == first {
		t.remember(k, p, i, d)
	}
	return Flow{t, i, e.gen, d}
}

// place makes a flow with the key k in direction d, and makes room for it if it must.
func (t *Table) place(k tuple, d Dir) uint32 {
	t.expire(2) // for each that comes, two may go: so what is over never adds up
	if t.stats.Held >= t.limit {
		t.evict()
	}
	i := t.alloc()
	e := t.entry(i)
	e.key[d], e.key[1-d] = k, k.reverse()
	t.link(i, d)
	// The answers may be another's already: of a flow that was rewritten to look
	// like this one. Then they stay its.
	if have, _ := t.find(&e.key[1-d]); have == 0 && t.claim(&e.key[1-d]) {
		t.link(i, 1-d)
	}
	e.born, e.seen = uint32(t.now/time.Second), t.now
	t.enter(i, e.of())
	t.stats.Held++
	t.stats.Made++
	return i
}

// end takes the flow i out.
func (t *Table) end(i uint32) {
	e := t.entry(i)
	t.unlink(i, Forward)
	t.unlink(i, Back)
	t.leave(i)
	if e.acts&rewrites != 0 {
		t.stats.Rewritten--
	}
	for n := e.shares; n != 0; {
		n = t.dropShare(n)
	}
	t.release(i)
	t.stats.Held--
}
