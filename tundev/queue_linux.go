package tundev

import (
	"errors"
	"io"
	"syscall"
	"unsafe"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"golang.org/x/sys/unix"
)

const (
	// room is what a read offers: the buffer of an ordinary packet in a Pool. Where there
	// may be larger ones, it is read into a large one, and what is small then copied: that
	// costs less than readv into both, 0.1 us a packet.
	room  = 2048 - 2*packet.Headroom
	piLen = 4 // struct tun_pi: flags, and the ethertype in network order

	// enough bytes end a read: of super-packets a full batch would be 4 MB, each of which
	// is out of the processor's cache by the time it is written.
	enough = 128 << 10
)

// tunQueue is the descriptor of a TUN or TAP device. It reads and writes by RawSyscall:
// the descriptor never blocks, so the Go runtime need not be told. The two calls stand in
// the loops of Read and Write themselves: the kernel leaves a processor that has forgotten
// where to return to, so every function between the call and the loop costs a wrong guess.
type tunQueue struct {
	d    *Device
	c    Config
	s    *setup
	link packet.LinkType
	pi   bool
	fd   int // -1 after Close

	opened bool   // by Open, which can do so again
	home   *netns // where it was opened
	follow follow

	vnet  vnet
	iov   [2]unix.Iovec
	room  int            // what a read offers
	most  int            // the longest frame that the MTU lets come
	spare *packet.Packet // what the read that found nothing was to fill
	head  [piLen]byte

	first  *tunQueue   // of the device, which sees to all of it
	others []*tunQueue // the first's: the device's other queues

	sys func([]byte) unix.Errno // a kernel of a test, in place of send's write(2)
}

func (q *tunQueue) attached(env engine.Env) {
	q.fit()
	if !env.Virtual {
		q.listen()
	}
}

// fit makes the room that the MTU and super-packets ask for.
func (q *tunQueue) fit() {
	const around = etherLen + 2*4 // with two VLAN tags
	q.most = q.d.info.Load().MTU
	if q.link == packet.Ethernet {
		q.most += around
	}
	if q.vnet.on || q.d.info.Load().MTU+around+piLen >= room {
		q.room = vnetLen + packet.MaxLen
	}
}

func (q *tunQueue) detached() {}
func (q *tunQueue) marked()   { q.deaf() }

// Read drains the descriptor.
func (q *tunQueue) Read(ps []*packet.Packet, pool *packet.Pool) (n int, err error) {
	if q.d.hold.Closed() {
		return 0, io.EOF
	}
	if q.follow.other.Load() && q.follow.other.Swap(false) {
		q.fit()
	}
	q.vnet.splitter.Pool = pool
	for total := 0; n < len(ps) && total < enough; {
		p := q.spare
		if p == nil {
			p = pool.Get(min(q.room, packet.MaxLen)) // and the header of the device fits into its headroom
		}
		b := p.Room(q.room)
		r, _, errno := syscall.RawSyscall6(unix.SYS_READ, uintptr(q.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), 0, 0, 0)
		got := int(r)
		if errno != 0 {
			q.spare = p
			if errno == unix.EINTR {
				continue
			}
			if errno == unix.EAGAIN || n > 0 { // an error is still there at the next call
				return n, nil
			}
			return 0, q.lost("read", errno)
		}
		q.spare = nil
		switch {
		case q.room > room && got <= room:
			q.spare, p = p, pool.Get(room)
			copy(p.Room(got), b)
		case got == room && q.room == room:
			// The MTU was raised meanwhile: this packet is cut short, and the last one.
			q.refresh()
			pool.Put(p)
			continue
		}
		if got < q.skip() || p.Fill(q.skip(), got, q.link) != nil {
			// What is no IP packet (AF_PACKET may send anything through a TUN device)
			// goes no further, as in the driver of a network card.
			pool.Put(p)
			continue
		}
		if q.vnet.on {
			q.vnet.read(p, [vnetLen]byte(p.Lead(vnetLen)))
			if p.Len() > q.most && p.GSO().Size == 0 {
				q.refresh() // the MTU was raised meanwhile
			}
		}
		ps[n] = p
		n++
		total += got
	}
	return n, nil
}

// skip is how many bytes stand before the packet.
func (q *tunQueue) skip() int {
	switch {
	case q.pi:
		return piLen
	case q.vnet.on:
		return vnetLen
	}
	return 0
}

// Write sends one packet after the other: the kernel takes no batch.
func (q *tunQueue) Write(ps []*packet.Packet, lost func(*packet.Packet, engine.Reason)) error {
	for _, p := range ps {
		if p.Link() != q.link || p.Len() == 0 {
			lost(p, engine.ReasonRefused)
			continue
		}
		var errno unix.Errno
		if q.vnet.on && p.GSO().Size > 0 {
			errno = q.writeSuper(p)
		} else {
			m := q.message(p)
			_, _, errno = syscall.RawSyscall6(m.call, uintptr(q.fd), uintptr(m.at), m.n, 0, 0, 0)
			for errno == unix.EINTR {
				errno = q.send(m)
			}
		}
		switch errno {
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

// A message is a packet as the device takes it: the arguments of write(2) or writev(2).
type message struct {
	call uintptr
	at   unsafe.Pointer
	n    uintptr
}

// message is p behind the header that the device wants. It is good until the next one.
func (q *tunQueue) message(p *packet.Packet) message {
	var b []byte
	switch {
	case q.vnet.on:
		q.vnet.head = q.vnet.header(p)
		if b = p.Lead(vnetLen); b == nil {
			return q.vector(q.vnet.head[:], p.Frame())
		}
		copy(b, q.vnet.head[:])
	case q.pi:
		b = p.Bytes()
		q.tag(b)
		return q.vector(q.head[:], b)
	default:
		b = p.Bytes()
	}
	return message{unix.SYS_WRITE, unsafe.Pointer(&b[0]), uintptr(len(b))}
}

// vector is a message in two parts.
func (q *tunQueue) vector(head, b []byte) message {
	q.iov[0].Base, q.iov[1].Base = &head[0], &b[0]
	q.iov[0].SetLen(len(head))
	q.iov[1].SetLen(len(b))
	return message{unix.SYS_WRITEV, unsafe.Pointer(&q.iov[0]), uintptr(len(q.iov))}
}

// send writes a message.
func (q *tunQueue) send(m message) unix.Errno {
	if q.sys != nil {
		return q.sys(unsafe.Slice((*byte)(m.at), m.n))
	}
	for {
		_, _, errno := syscall.RawSyscall6(m.call, uintptr(q.fd), uintptr(m.at), m.n, 0, 0, 0)
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
		q.home.close()
		return nil
	}
	q.deaf()
	q.follow.on.Wait()
	err := errors.Join(q.s.close(), tuntap{fd: q.fd}.close())
	q.home.close()
	q.fd, q.spare = -1, nil
	return err
}
