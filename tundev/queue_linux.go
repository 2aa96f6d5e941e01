package tundev

import (
	"cmp"
	"errors"
	"io"
	"slices"
	"unsafe"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev/host"
	"golang.org/x/sys/unix"
)

const (
	// room is what a read offers: the buffer of an ordinary packet in a Pool. Where the
	// MTU may be more than that, a packet goes on into the queue's spill (readv) and is
	// put together in a large one. Not doing so always saves a fifth of a read: readv
	// costs 0.1 us more.
	room  = 2048 - 2*packet.Headroom
	piLen = 4 // struct tun_pi: flags, and the ethertype in network order
)

// tunQueue is the descriptor of a TUN or TAP device. It reads and writes by RawSyscall:
// the descriptor never blocks, so the Go runtime need not be told.
type tunQueue struct {
	d    *Device
	s    *setup
	link packet.LinkType
	pi   bool
	fd   int // -1 after Close

	iov   [2]unix.Iovec
	spill []byte         // nil while the MTU says that all packets fit into room
	spare *packet.Packet // what the read that found nothing was to fill
	head  [piLen]byte
}

func newDevice(c Config, t tuntap, s *setup, l host.Link) *Device {
	d := &Device{}
	d.describe(c, l)
	d.queue = &tunQueue{d: d, s: s, link: c.Kind.link(), pi: c.PI, fd: t.fd}
	return d
}

// describe stores what the kernel says of the link, and what only c knows.
func (d *Device) describe(c Config, l host.Link) {
	in := engine.Info{Name: l.Name, Link: c.Kind.link(), MTU: l.MTU, Peer: slices.Clone(c.Peer)}
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
	d.info.Store(&in)
}

func (q *tunQueue) attached(engine.Env) { q.fit() }

// fit makes the spill if the MTU asks for it.
func (q *tunQueue) fit() {
	const around = piLen + etherLen + 2*4 // with two VLAN tags
	if q.spill == nil && q.d.info.Load().MTU+around >= room {
		q.spill = make([]byte, piLen+packet.MaxLen-room)
	}
}

func (q *tunQueue) detached() {}
func (q *tunQueue) marked()   {}

// Read drains the descriptor.
func (q *tunQueue) Read(ps []*packet.Packet, pool *packet.Pool) (n int, err error) {
	if q.d.hold.Closed() {
		return 0, io.EOF
	}
	for n < len(ps) {
		p := q.spare
		if p == nil {
			p = pool.Get(room)
		}
		got, errno := q.read(p.Room(room))
		if errno != 0 {
			q.spare = p
			if errno == unix.EAGAIN || n > 0 { // an error is still there at the next call
				return n, nil
			}
			return 0, q.lost("read", errno)
		}
		q.spare = nil
		switch {
		case got > room:
			p = q.long(p, got, pool)
		case got == room && q.spill == nil:
			// The MTU was raised meanwhile: this packet is cut short, and the last one.
			q.refresh()
			q.spare = p
			continue
		}
		if got < q.skip() || p.Fill(q.skip(), got, q.link) != nil {
			// What is no IP packet (AF_PACKET may send anything through a TUN device)
			// goes no further, as in the driver of a network card.
			pool.Put(p)
			continue
		}
		ps[n] = p
		n++
	}
	return n, nil
}

// skip is how many bytes stand before the packet.
func (q *tunQueue) skip() int {
	if q.pi {
		return piLen
	}
	return 0
}

// read reads one packet into b and, if there is one, the spill.
func (q *tunQueue) read(b []byte) (int, unix.Errno) {
	call, at, n := uintptr(unix.SYS_READ), unsafe.Pointer(&b[0]), uintptr(len(b))
	if q.spill != nil {
		q.iov[0].Base, q.iov[1].Base = &b[0], &q.spill[0]
		q.iov[0].SetLen(len(b))
		q.iov[1].SetLen(len(q.spill))
		call, at, n = unix.SYS_READV, unsafe.Pointer(&q.iov[0]), 2
	}
	for {
		got, _, errno := unix.RawSyscall(call, uintptr(q.fd), uintptr(at), n)
		if errno != unix.EINTR {
			return int(got), errno
		}
	}
}

// long puts a packet of n bytes together that did not fit into p.
func (q *tunQueue) long(p *packet.Packet, n int, pool *packet.Pool) *packet.Packet {
	whole := pool.Get(n)
	b := whole.Room(n)
	copy(b, p.Room(room))
	copy(b[room:], q.spill)
	q.spare = p
	return whole
}

// refresh asks the kernel for the MTU again, and makes room for what is longer.
func (q *tunQueue) refresh() {
	in := *q.d.info.Load()
	in.MTU = max(in.MTU, room) // if it cannot be asked
	if q.s.h != nil {
		if l, err := q.s.h.Link(in.Name); err == nil {
			in.MTU = max(l.MTU, room)
		}
	}
	q.d.info.Store(&in)
	q.fit()
}

// Write sends one packet after the other: the kernel takes no batch.
func (q *tunQueue) Write(ps []*packet.Packet, lost func(*packet.Packet, engine.Reason)) error {
	for _, p := range ps {
		b := p.Bytes()
		if p.Link() != q.link || len(b) == 0 {
			lost(p, engine.ReasonRefused)
			continue
		}
		switch errno := q.write(b); errno {
		case 0:
		case unix.EIO:
			lost(p, engine.ReasonDown)
		case unix.EAGAIN, unix.ENOBUFS, unix.ENOMEM:
			lost(p, engine.ReasonFull)
		case unix.EBADFD, unix.EBADF, unix.EFAULT:
			return q.lost("write", errno)
		default: // EINVAL, and whatever else the kernel has against this packet
			lost(p, engine.ReasonRefused)
		}
	}
	return nil
}

// write writes one packet.
func (q *tunQueue) write(b []byte) unix.Errno {
	call, at, n := uintptr(unix.SYS_WRITE), unsafe.Pointer(&b[0]), uintptr(len(b))
	if q.pi {
		q.tag(b)
		q.iov[0].Base, q.iov[1].Base = &q.head[0], &b[0]
		q.iov[0].SetLen(piLen)
		q.iov[1].SetLen(len(b))
		call, at, n = unix.SYS_WRITEV, unsafe.Pointer(&q.iov[0]), 2
	}
	for {
		_, _, errno := unix.RawSyscall(call, uintptr(q.fd), uintptr(at), n)
		if errno != unix.EINTR {
			return errno
		}
	}
}

// tag fills in the packet information: on TUN the kernel goes by its ethertype, on TAP
// by the frame's own.
func (q *tunQueue) tag(b []byte) {
	q.head = [piLen]byte{}
	switch {
	case q.link == packet.Ethernet && len(b) >= etherLen:
		copy(q.head[2:], b[12:14])
	case q.link == packet.IP && b[0]>>4 == 4:
		q.head[2], q.head[3] = packet.TypeIPv4>>8, packet.TypeIPv4&0xff
	case q.link == packet.IP && b[0]>>4 == 6:
		q.head[2], q.head[3] = packet.TypeIPv6>>8, packet.TypeIPv6&0xff
	}
}

// lost is the error that ends a device: EBADFD when it was deleted or its namespace is
// gone (EFAULT from a read that was on its way), EBADF when the descriptor was closed.
func (q *tunQueue) lost(op string, errno unix.Errno) error {
	return &Error{Op: op, Device: q.d.info.Load().Name, Kind: ErrGone, Err: errno,
		Fix: "it was deleted, or its network namespace was: open it again"}
}

func (q *tunQueue) FD() int { return q.fd }

// Close lets go of the device. One that we made disappears; one that was there before
// is put back as it was.
func (q *tunQueue) Close() error {
	q.d.hold.Release()
	if q.fd < 0 {
		return nil
	}
	err := errors.Join(q.s.close(), unix.Close(q.fd))
	q.fd, q.spare, q.spill = -1, nil, nil
	return err
}
