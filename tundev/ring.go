package tundev

import (
	"io"
	"sync"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
)

// ring is one direction of a Pipe: a bounded queue of frames. Any goroutine may use
// either end.
//
// Frames are copied into buffers that are used again, the one freed last first: as
// many are made as were ever in flight, and they are warm in the cache.
type ring struct {
	mu       sync.Mutex
	filled   sync.Cond // a frame came, or the ring was closed
	emptied  sync.Cond // a frame went, or the ring was closed
	slots    [][]byte
	first, n int
	free     [][]byte

	closed bool // no more frames come in; what is there may be read
	wait   bool // the wire's end may wait: an engine on the real clock has the other

	wake func(int) // of the device that reads, if an engine has it
	idle bool      // that device found the ring empty and must be woken
}

// bufLen is what a new buffer has room for: an ordinary packet.
const bufLen = 2048

func newRing(slots int) *ring {
	r := &ring{slots: make([][]byte, slots)}
	r.filled.L, r.emptied.L = &r.mu, &r.mu
	return r
}

// put copies a frame in; the lock is held and there is room.
func (r *ring) put(b []byte) {
	var buf []byte
	if last := len(r.free) - 1; last >= 0 {
		buf, r.free = r.free[last], r.free[:last]
	} else {
		buf = make([]byte, 0, max(bufLen, len(b)))
	}
	at := r.first + r.n
	if at >= len(r.slots) {
		at -= len(r.slots)
	}
	r.slots[at] = append(buf[:0], b...)
	r.n++
}

// take removes the oldest frame, which there is; the lock is held. The caller gives
// the buffer back to free.
func (r *ring) take() []byte {
	b := r.slots[r.first]
	r.slots[r.first] = nil
	if r.first++; r.first == len(r.slots) {
		r.first = 0
	}
	r.n--
	return b
}

// arrived unlocks, and tells who reads that there are n more frames.
func (r *ring) arrived(n int) {
	var wake func(int)
	if n > 0 && r.idle {
		wake, r.idle = r.wake, false
	}
	r.mu.Unlock()
	if n > 1 {
		r.filled.Broadcast()
	} else if n == 1 {
		r.filled.Signal()
	}
	if wake != nil {
		wake(0)
	}
}

// write is Wire.Write.
func (r *ring) write(b []byte) error {
	r.mu.Lock()
	for !r.closed && r.n == len(r.slots) && r.wait {
		r.emptied.Wait()
	}
	switch {
	case r.closed:
		r.mu.Unlock()
		return io.ErrClosedPipe
	case r.n == len(r.slots):
		r.mu.Unlock()
		return ErrFull
	}
	r.put(b)
	r.arrived(1)
	return nil
}

// read is Wire.Read.
func (r *ring) read(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for !r.closed && r.n == 0 && r.wait {
		r.filled.Wait()
	}
	switch {
	case r.n > 0:
	case r.closed:
		return 0, io.EOF
	default:
		return 0, ErrEmpty
	}
	f := r.take()
	n := copy(b, f)
	r.free = append(r.free, f)
	r.emptied.Signal()
	if n < len(f) {
		return n, io.ErrShortBuffer
	}
	return n, nil
}

// readBatch is Queue.Read.
func (r *ring) readBatch(ps []*packet.Packet, pool *packet.Pool, link packet.LinkType) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for n < len(ps) && r.n > 0 {
		f := r.take()
		p := pool.Get(len(f))
		if p.Set(f, link) == nil { // both ways in refuse what Set refuses
			ps[n] = p
			n++
		}
		r.free = append(r.free, f)
	}
	if n == 0 && r.closed {
		return 0, io.EOF
	}
	r.idle = r.n == 0
	switch {
	case n > 1:
		r.emptied.Broadcast()
	case n == 1:
		r.emptied.Signal()
	}
	return n, nil
}

// writeBatch is Queue.Write. What does not fit is lost, as in the kernel's ring.
func (r *ring) writeBatch(ps []*packet.Packet, link packet.LinkType, lost func(*packet.Packet, engine.Reason)) {
	r.mu.Lock()
	n := 0
	for _, p := range ps {
		b := p.Bytes()
		switch {
		case r.closed:
			lost(p, engine.ReasonGone)
		case p.Link() != link || malformed(b, link) != "":
			lost(p, engine.ReasonRefused)
		case r.n == len(r.slots):
			lost(p, engine.ReasonFull)
		default:
			r.put(b)
			n++
		}
	}
	r.arrived(n)
}

// close refuses what comes from now on, and wakes everybody.
func (r *ring) close() {
	r.mu.Lock()
	r.closed, r.idle = true, r.wake != nil
	r.arrived(1)
	r.filled.Broadcast()
	r.emptied.Broadcast()
}

// waiting says whether the wire's end may wait, and ends waits if not.
func (r *ring) waiting(may bool) {
	r.mu.Lock()
	r.wait = may
	r.mu.Unlock()
	r.filled.Broadcast()
	r.emptied.Broadcast()
}

// readBy says whose engine reads the ring; nil: nobody's.
func (r *ring) readBy(wake func(int)) {
	r.mu.Lock()
	r.wake, r.idle = wake, wake != nil
	r.arrived(min(r.n, 1))
}

func (r *ring) pending() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.n
}

// malformed says what write(2) on a TUN or TAP device answers EINVAL to, and "" if
// there is nothing.
func malformed(b []byte, link packet.LinkType) string {
	switch {
	case len(b) == 0:
		return "a packet has at least one byte"
	case len(b) > packet.MaxLen:
		return "longer than any packet"
	case link == packet.Ethernet && len(b) < 14:
		return "an Ethernet header has 14 bytes"
	case link == packet.IP && b[0]>>4 != 4 && b[0]>>4 != 6:
		return "the first four bits are no IP version, 4 or 6"
	}
	return ""
}
