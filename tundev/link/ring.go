package link

import "sync"

// The bounds of a ring: as many packets as the kernel keeps for a TUN device, and no more
// memory than a socket may have.
const (
	ringFrames = 512
	ringBytes  = 1 << 20
)

// ring is one direction between a worker and the goroutines of a link: frames in a row,
// each behind its length, as they stand on the wire. Who takes them takes all at once, in
// exchange for an empty buffer, so that two buffers are all there is.
type ring struct {
	mu    sync.Mutex
	some  sync.Cond // a frame came, or there will be none
	room  sync.Cond // frames were taken, or there will be no room
	buf   []byte
	n     int // frames in buf
	most  int // bytes in buf
	ready bool
	over  bool // who takes ends when it has all; until start
	done  bool // as over, for good

	wake func() // of the worker that takes; nil: a goroutine waits in take
	idle bool   // that worker found nothing and must be woken
}

// newRing makes a ring for frames of up to longest bytes.
func newRing(longest int) *ring {
	r := &ring{most: max(ringBytes, 4*(headLen+longest))}
	r.some.L, r.room.L = &r.mu, &r.mu
	return r
}

// What became of a frame.
type fate uint8

const (
	kept fate = iota
	full      // no room
	down      // nobody is there to take it
)

// put copies b in. Where there is no room it waits for it, if it may.
func (r *ring) put(b []byte, wait bool) fate {
	r.mu.Lock()
	for wait && r.ready && r.full(b) {
		r.room.Wait()
	}
	switch {
	case !r.ready:
		r.mu.Unlock()
		return down
	case r.full(b):
		r.mu.Unlock()
		return full
	}
	r.buf = appendFrame(r.buf, b)
	r.n++
	first, wake := r.n == 1, r.woken()
	r.mu.Unlock()
	if first {
		r.some.Signal()
	}
	if wake != nil {
		wake()
	}
	return kept
}

func (r *ring) full(b []byte) bool {
	return r.n == ringFrames || len(r.buf)+headLen+len(b) > r.most
}

// woken is the worker to wake, if it sleeps; the lock is held.
func (r *ring) woken() func() {
	if !r.idle {
		return nil
	}
	r.idle = false
	return r.wake
}

// take returns all frames there are, for an empty buffer. It waits for one, if it may;
// nil when there is none, or will be none.
func (r *ring) take(empty []byte, wait bool) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	for wait && r.n == 0 && !r.over && !r.done {
		r.some.Wait()
	}
	if r.n == 0 {
		return nil
	}
	b := r.buf
	r.buf, r.n = empty[:0], 0
	r.room.Broadcast()
	return b
}

// rest says that the worker goes to sleep when the ring is empty, and is to be woken.
func (r *ring) rest() (empty bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.idle = r.n == 0
	return r.idle
}

// start begins a session: frames come in once somebody is ready.
func (r *ring) start(ready bool) {
	r.mu.Lock()
	r.over = r.done
	r.ready = ready && !r.done
	r.mu.Unlock()
}

// stop ends a session. It returns how many frames nobody will take.
func (r *ring) stop() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.n
	r.buf, r.n = r.buf[:0], 0
	r.ready, r.over = false, true
	r.some.Broadcast()
	r.room.Broadcast()
	return n
}

// close lets no more frames in. Those that are there may be taken.
func (r *ring) close() {
	r.mu.Lock()
	r.ready, r.done = false, true
	r.mu.Unlock()
	r.some.Broadcast()
	r.room.Broadcast()
}

// reopen undoes close, for wake to be called when something comes.
func (r *ring) reopen(ready bool, wake func()) {
	r.mu.Lock()
	r.buf, r.n = r.buf[:0], 0
	r.ready, r.over, r.done = ready, false, false
	r.wake, r.idle = wake, wake != nil
	r.mu.Unlock()
}

// finished says that close was called.
func (r *ring) finished() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.done
}
