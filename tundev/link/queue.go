package link

import (
	"io"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
)

// queue is the worker's side.
type queue struct {
	d     *Device
	max   int
	ended <-chan struct{} // closed when there will be no other peer
	batch []byte          // from the ring
	left  []byte          // of it
}

func (q *queue) Read(ps []*packet.Packet, pool *packet.Pool) (n int, err error) {
	if q.d.hold.Closed() {
		return 0, io.EOF
	}
	over := q.over() // before the ring is looked at: what came until then is read first
	for n < len(ps) {
		if len(q.left) == 0 {
			b := q.d.in.take(q.batch, false)
			if b == nil {
				if q.d.in.rest() {
					break
				}
				continue
			}
			q.batch, q.left = b, b
		}
		var f []byte
		f, q.left = cutFrame(q.left)
		p := pool.Get(len(f))
		if p.Set(f, q.d.info.Link) != nil { // what Set refuses the ring does not hold
			pool.Put(p)
			continue
		}
		p.Verify() // segments of a stream leave joined by a device that takes them so
		ps[n] = p
		n++
	}
	if len(q.left) == 0 {
		q.d.in.rest()
	}
	if n == 0 && over {
		return 0, &Error{Op: "read", Device: q.d.conf.Name, Kind: ErrPeerGone,
			Fix: `start it again, or set on_lost = "wait"`}
	}
	return n, nil
}

func (q *queue) over() bool {
	select {
	case <-q.ended:
		return true
	default:
		return false
	}
}

func (q *queue) Write(ps []*packet.Packet, lost func(*packet.Packet, engine.Reason)) error {
	d := q.d
	for _, p := range ps {
		b := p.Bytes()
		var why engine.Reason
		switch {
		case p.Link() != d.info.Link || malformed(b, d.info.Link):
			why = engine.ReasonRefused
		case len(b) > q.max:
			why = engine.ReasonTooBig
		default:
			switch d.out.put(b, false) {
			case kept:
				continue
			case full:
				why = engine.ReasonFull
			case down:
				why = engine.ReasonDown
			}
			d.n.dropped.Add(1)
		}
		lost(p, why)
	}
	return nil
}

func (q *queue) FD() int { return -1 }

func (q *queue) Close() error {
	q.d.hold.Release()
	return q.d.release()
}
