package tundev

import (
	"cmp"
	"context"
	"io"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
)

// pipeSlots is the room of each direction, as of the kernel's own ring.
const pipeSlots = 500

// Pipe is a device in memory: the Device is for an engine, and the Wire is the other
// side, where a test, a program or another engine is the host. Nothing is set up
// anywhere, so it needs no privilege and runs on every system. Of c it uses Name
// ("tun0" or "tap0" if empty), Kind, Address, Peer, MAC, PeerMAC, MTU, TxQueueLen and Queues.
//
// With several queues, each for a worker, packets of a flow come in by one of them, as the
// kernel has it for flows that it does not know better.
//
// It takes what write(2) on a TUN or TAP device takes, which includes packets larger
// than the MTU. What the engine sends while nobody reads is dropped and counted from
// the 501st packet on.
func Pipe(c Config) (*Device, *Wire) {
	link := c.Kind.link()
	slots := c.TxQueueLen
	if slots <= 0 {
		slots = pipeSlots
	}
	in, out := make(rings, max(c.Queues, 1)), rings{newRing(slots)}
	for i := range in {
		in[i] = newRing(slots)
	}
	near := c.pipeInfo()
	d := pipeEnd(near, link, in, out, true)
	return d, &Wire{near: d, in: in, out: out[0], link: link, far: sync.OnceValue(func() *Device {
		return pipeEnd(exchange(near), link, out, in, false)
	})}
}

func (c Config) pipeInfo() engine.Info {
	in := engine.Info{
		Name: c.Name, Link: c.Kind.link(), MTU: c.MTU,
		Address: slices.Clone(c.Address), Peer: slices.Clone(c.Peer),
	}
	if in.Name == "" {
		in.Name = string(cmp.Or(c.Kind, TUN)) + "0"
	}
	if in.MTU == 0 {
		in.MTU = DefaultMTU
	}
	if in.Link == packet.Ethernet {
		in.MAC, in.PeerMAC = cmp.Or(c.MAC, defaultMAC), cmp.Or(c.PeerMAC, defaultPeerMAC)
	}
	return in
}

// exchange is the device as the host sees it: what was the peer's is its own.
func exchange(near engine.Info) engine.Info {
	far := near
	far.MAC, far.PeerMAC = near.PeerMAC, near.MAC
	far.Address, far.Peer = nil, nil
	for _, p := range near.Peer {
		bits := p.BitLen()
		for _, a := range near.Address {
			if a.Contains(p) {
				bits = a.Bits()
				break
			}
		}
		far.Address = append(far.Address, netip.PrefixFrom(p, bits))
	}
	for _, a := range near.Address {
		far.Peer = append(far.Peer, a.Addr())
	}
	return far
}

func pipeEnd(in engine.Info, link packet.LinkType, rx, tx rings, near bool) *Device {
	d := &Device{}
	d.info.Store(&in)
	lost := new(atomic.Bool)
	for _, r := range rx {
		d.queues = append(d.queues, &pipeQueue{d: d, rx: r, tx: tx, link: link, near: near, lost: lost})
	}
	return d
}

// pipeQueue is a queue of the device's side of a pipe.
type pipeQueue struct {
	d    *Device
	rx   *ring
	tx   rings
	link packet.LinkType
	near bool         // its engine decides whether the wire may wait
	lost *atomic.Bool // of all queues
}

func (q *pipeQueue) gone(op string) error {
	return &Error{Op: op, Device: q.d.Info().Name, Kind: ErrGone, Fix: "bring it back with Wire.Restore"}
}

// reopen gives the same queues again.
func (q *pipeQueue) reopen(context.Context) ([]queue, error) {
	if q.lost.Load() {
		return nil, q.gone("reopen")
	}
	return q.d.queues, nil
}

func (q *pipeQueue) retire() {}

func (q *pipeQueue) attached(env engine.Env) {
	q.rx.readBy(env.Wake)
	q.waiting(!env.Virtual)
}

func (q *pipeQueue) detached() {
	q.rx.readBy(nil)
	q.waiting(false)
}

func (q *pipeQueue) waiting(may bool) {
	if q.near {
		q.rx.waiting(may)
		for _, r := range q.tx {
			r.waiting(may)
		}
	}
}

// marked: when either end closes, both directions end.
func (q *pipeQueue) marked() {
	q.rx.close()
	for _, r := range q.tx {
		r.close()
	}
}

func (q *pipeQueue) Read(ps []*packet.Packet, pool *packet.Pool) (int, error) {
	if q.d.hold.Closed() {
		return 0, io.EOF
	}
	if q.lost.Load() {
		return 0, q.gone("read")
	}
	return q.rx.readBatch(ps, pool, q.link)
}

func (q *pipeQueue) Write(ps []*packet.Packet, lost func(*packet.Packet, engine.Reason)) error {
	if q.lost.Load() {
		return q.gone("write")
	}
	q.tx.writeBatch(ps, q.link, lost)
	return nil
}

func (q *pipeQueue) FD() int { return -1 }

func (q *pipeQueue) Close() error {
	q.d.hold.Release()
	q.marked()
	return nil
}
