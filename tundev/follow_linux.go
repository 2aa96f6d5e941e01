package tundev

import (
	"cmp"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev/host"
)

// follow keeps Device.Info in step with the kernel from when an engine first has the
// device. One goroutine listens; that the device is gone it leaves to the descriptor to
// say.
type follow struct {
	watch *host.Watch // nil if the device is of another namespace
	index int
	begun bool
	on    sync.WaitGroup
	other atomic.Bool // the MTU may be another: the worker makes room
}

// listen has the goroutine begin.
func (q *tunQueue) listen() {
	w := q.follow.watch
	if w == nil || q.follow.begun {
		return
	}
	q.follow.begun = true
	q.look() // what has happened since it was opened
	q.follow.on.Go(func() {
		for {
			index, err := w.Next()
			switch {
			case err != nil:
				return
			case index == q.follow.index, index == 0:
				q.look()
			}
		}
	})
}

// deaf ends it for good, but does not wait. Any goroutine may call it.
func (q *tunQueue) deaf() {
	if q.follow.watch != nil {
		q.follow.watch.Close()
	}
}

// look asks the kernel what the device is now.
func (q *tunQueue) look() {
	l, err := q.s.h.LinkAt(q.follow.index)
	switch {
	case err == nil:
		in := q.c.describe(l)
		in.Kernel = ""
		if l.Name != q.c.Name {
			in.Kernel = l.Name
		}
		q.d.update(func(was *engine.Info) { *was = in })
		q.changed()
	case errors.Is(err, host.ErrNoLink):
		// A device that was moved to another namespace leaves this one just as one that was
		// deleted does, but its descriptor goes on.
		if _, err := query(q.fd); err == nil {
			q.d.update(func(in *engine.Info) { in.Moved = true })
		}
	}
}

// refresh asks for the MTU when a packet was longer than it, and makes room for that.
func (q *tunQueue) refresh() {
	least := room
	if q.vnet.on {
		least = q.most + 1
	}
	if f := q.first; f.s.h != nil {
		f.look()
	}
	q.d.update(func(in *engine.Info) { in.MTU = max(in.MTU, least) }) // if it cannot be asked
	q.fit()
}

// describe is what the kernel says of the link, and what only c knows.
func (c Config) describe(l host.Link) engine.Info {
	in := engine.Info{Name: c.Name, Link: c.Kind.link(), MTU: l.MTU, Peer: slices.Clone(c.Peer), Down: !l.Up}
	for _, a := range l.Addrs {
		in.Address = append(in.Address, a.Prefix)
		if len(c.Peer) == 0 && a.Peer.IsValid() {
			in.Peer = append(in.Peer, a.Peer)
		}
	}
	if in.Link == packet.Ethernet {
		in.PeerMAC = cmp.Or(c.PeerMAC, defaultPeerMAC)
		if len(l.MAC) == len(in.MAC) {
			in.MAC = packet.MAC(l.MAC)
		}
	}
	return in
}
