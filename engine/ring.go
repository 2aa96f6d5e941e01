package engine

import (
	"sync"
	"sync/atomic"

	"github.com/tunscript/tunscript/engine/packet"
)

// ringRoom bounds what waits in a ring.
const ringRoom = 4096

// A ring is what other goroutines have for a worker, and the only thing that they share
// with it: packets and posts, bounded, and beside them exchanges, stops and the like, in a
// list that never refuses, for a lost one would be somebody who waits for ever.
//
// It is a slice that the worker takes away whole and an empty one that it leaves, so one
// lock serves a batch, on either side.
type ring struct {
	waiting atomic.Bool // something is in one of the lists

	mu      sync.Mutex
	items   []item
	urgent  []func()
	buffers [2][]*packet.Packet // for those whose packets came: ordinary ones and large ones
	closed  bool

	// Packets that came so far, and those of them that are through: see Engine.through.
	came, done atomic.Uint64
}

// An item is a packet or a post.
type item struct {
	post func()
	p    *packet.Packet // else
	lane int            // by which it came or leaves
	way  passage
}

// A passage is where a packet goes on that another worker has handed over.
type passage uint8

const (
	arrives   passage = iota // as if it had been read here
	continues                // behind the joining of fragments
	leaves                   // of a flow that the other worker does not own
	departs                  // ready, by a queue that the other worker has not
)

func (r *ring) post(fn func(), wake func()) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return ErrScopeClosed
	case len(r.items) >= ringRoom:
		return ErrFull
	}
	r.items = append(r.items, item{post: fn})
	r.waiting.Store(true)
	wake()
	return nil
}

// send puts fn on the list that never refuses; false after close.
func (r *ring) send(fn func(), wake func()) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	r.urgent = append(r.urgent, fn)
	r.waiting.Store(true)
	wake()
	return true
}

// give puts packets of another worker into the ring, as many as there is room for, and
// puts as many buffers that are free into that worker's pool, if it has them: what goes
// round between two workers is then not made anew for every packet.
func (r *ring) give(items []item, pool *packet.Pool, wake func()) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		n = max(0, min(len(items), ringRoom-len(r.items)))
	}
	if n == 0 {
		return 0
	}
	r.items = append(r.items, items[:n]...)
	r.came.Add(uint64(n))
	for _, it := range items[:n] {
		free := &r.buffers[size(it.p)]
		if last := len(*free) - 1; last >= 0 {
			pool.Put((*free)[last])
			(*free)[last] = nil
			*free = (*free)[:last]
		}
	}
	r.waiting.Store(true)
	wake()
	return n
}

// size is which of a ring's buffers are like that of p.
func size(p *packet.Packet) int {
	if p.Large() {
		return 1
	}
	return 0
}

// take empties both lists. What it returns of items is good until the next call but one.
func (r *ring) take(empty []item) (urgent []func(), items []item) {
	if !r.waiting.Load() {
		return nil, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting.Store(false)
	urgent, items = r.urgent, r.items
	r.urgent, r.items = nil, empty[:0]
	return urgent, items
}

// takeUrgent empties the list that never refuses, alone.
func (r *ring) takeUrgent() (urgent []func()) {
	if !r.waiting.Load() {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting.Store(len(r.items) > 0)
	urgent, r.urgent = r.urgent, nil
	return urgent
}

// refill offers buffers of pool, as many of each size as packets came that were handed
// over, for those who hand over next.
func (r *ring) refill(pool *packet.Pool, owed *[2]int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, keep := range [...]int{ringRoom, batch} {
		most := min(owed[i], keep-len(r.buffers[i]))
		r.buffers[i] = pool.Spare(r.buffers[i], most, i == 1)
		owed[i] = 0
	}
}

// close refuses everything from now on and returns what was there.
func (r *ring) close() (urgent []func(), items []item) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	urgent, items = r.urgent, r.items
	r.urgent, r.items = nil, nil
	return urgent, items
}
