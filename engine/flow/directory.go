package flow

import (
	"math/rand/v2"
	"sync"
	"time"
)

// A Directory keeps the flows of several tables apart: each flow is in one of them, which is
// where its packets belong. A table that does not know a packet's flow asks here for the one
// that does, and enters what nobody has; both keys of a flow are here as long as the flow is
// there. Safe for concurrent use, unlike the tables.
//
// It is divided by a hash of the key, so that tables which ask at the same time rarely wait
// for each other.
type Directory struct {
	seeds  seeds
	shards [shards]shard
	frags  gatherings
}

const shards = 64

type shard struct {
	mu   sync.Mutex
	keys map[tuple]uint16 // the number of the table that has it
	_    [48]byte         // a cache line of its own
}

// NewDirectory makes an empty directory. r seeds its hash; nil: always the same.
func NewDirectory(r rand.Source) *Directory {
	if r == nil {
		r = rand.NewPCG(0, 0)
	}
	d := new(Directory)
	for i := range d.seeds {
		d.seeds[i] = r.Uint64()
	}
	for i := range d.shards {
		d.shards[i].keys = map[tuple]uint16{}
	}
	return d
}

// Len is how many keys there are: two for a flow, unless one of them is another's.
func (d *Directory) Len() (n int) {
	for i := range d.shards {
		s := &d.shards[i]
		s.mu.Lock()
		n += len(s.keys)
		s.mu.Unlock()
	}
	return n
}

func (d *Directory) shard(k *tuple) *shard { return &d.shards[k.hash(&d.seeds)%shards] }

// claim enters k for the table numbered who, unless another has it, and returns who has it
// now.
func (d *Directory) claim(k *tuple, who int) int {
	s := d.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if has, ok := s.keys[*k]; ok {
		return int(has)
	}
	s.keys[*k] = uint16(who)
	return who
}

// owner is who has k, or else who asks.
func (d *Directory) owner(k *tuple, asks int) int {
	s := d.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if has, ok := s.keys[*k]; ok {
		return int(has)
	}
	return asks
}

// release takes out k, which the caller's table has.
func (d *Directory) release(k *tuple) {
	s := d.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.keys, *k)
}

// gatherings keep in mind which table has a datagram that comes in fragments, of which only
// the first says the flow: a cache of fixed size, as that of each table.
type gatherings struct {
	mu   sync.Mutex
	sets [fragSets][fragWays]struct {
		key tuple
		at  time.Time // zero: free
		who int
	}
}

// whose is which table has the datagram of key k, and who asks if nobody has: that one has
// it from then on. With mine it has it in any case.
func (ds *gatherings) whose(k *tuple, hash uint64, asks int, mine bool, now time.Time) int {
	ds.mu.Lock()
	defer ds.mu.Unlock()
	set := &ds.sets[hash%fragSets]
	oldest := &set[0]
	for i := range set {
		f := &set[i]
		if f.key == *k && now.Sub(f.at) < fragTime {
			if mine {
				f.who = asks
			}
			return f.who
		}
		if f.at.Before(oldest.at) {
			oldest = f
		}
	}
	oldest.key, oldest.at, oldest.who = *k, now, asks
	return asks
}
