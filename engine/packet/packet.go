package packet

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// LinkType says what the first byte of a frame is.
type LinkType uint8

const (
	IP       LinkType = iota // an IPv4 or IPv6 header, as on a TUN device
	Ethernet                 // an Ethernet header, as on a TAP device
)

func (l LinkType) String() string {
	if l == Ethernet {
		return "ethernet"
	}
	return "ip"
}

// Size limits of a frame, in bytes.
const (
	MaxLen   = 65535 + 40 + 18 // an IPv6 packet with the largest payload, behind Ethernet and a VLAN tag
	Headroom = 128             // free bytes kept on both sides: vnet header, Ethernet, a pushed header
)

// ErrEmpty is returned by Parse for no bytes at all.
var ErrEmpty = errors.New("packet: no bytes: a packet has at least one")

// A ParseError says why bytes cannot be a packet of their link type.
type ParseError struct {
	Link LinkType
	Len  int    // bytes given
	Why  string // what is wrong and what would be right
}

func (e *ParseError) Error() string {
	return fmt.Sprintf("packet: %d bytes are no %s packet: %s", e.Len, e.Link, e.Why)
}

// A Port is where packets come in or leave: a device as packets know it. It is
// a snapshot that is never changed, so that any goroutine may read it; when the
// device changes, later packets carry another Port.
type Port struct {
	Name    string
	Index   int // the device's place in its engine, from 0
	Link    LinkType
	MTU     int            // largest IP packet, in bytes
	MAC     MAC            // the kernel's own, on Ethernet
	PeerMAC MAC            // of the far side, where answers come from, on Ethernet
	Addrs   []netip.Prefix // the kernel's side
	Peers   []netip.Addr   // the far side: where a built packet comes from
}

// Peer returns the far side's address of the version of a, or an invalid
// address where the port has none.
func (pt *Port) Peer(a netip.Addr) netip.Addr {
	if pt != nil {
		for _, peer := range pt.Peers {
			if peer.Is4() == a.Is4() {
				return peer
			}
		}
	}
	return netip.Addr{}
}

// A Packet is one packet, or a super-packet that stands for several. The zero
// value is empty; see [Parse], [Build] and [Pool.Get].
type Packet struct {
	In   *Port     // where it came in; nil for one made from nothing
	Out  *Port     // where it will leave; nil when nowhere
	Time time.Time // when it was received, or made

	buf      []byte // backing array; the frame is buf[off:end]
	home     []byte // its own, while buf is a window on another's; else nil
	off, end int
	link     LinkType
	at       Layout // valid when at.found
	sum3     sumState
	sum4     sumState
	fixed    fixed // lengths that were set by hand
	pad      int   // bytes behind the packet's own end when its IP length was set by hand
	gso      GSO
	came     Came
	edits    uint32 // counts changes, so that a lookup made before one is known to be stale

	why  string // why an empty answer is empty
	pool *Pool
	kept bool // in the pool: nobody has it
	tag  uint64
}

// Parse makes a packet of a copy of b. It is lenient, as a quote in an ICMP
// error must be: it refuses no bytes, more than MaxLen, and, for [IP], a
// version that is neither 4 nor 6. A header that is cut short has no view.
func Parse(b []byte, link LinkType) (*Packet, error) {
	if err := check(b, link); err != nil {
		return nil, err
	}
	p := newPacket(len(b))
	p.link = link
	copy(p.extend(len(b)), b)
	return p, nil
}

func check(b []byte, link LinkType) error {
	switch {
	case len(b) == 0:
		return ErrEmpty
	case len(b) > MaxLen:
		return &ParseError{link, len(b), fmt.Sprintf("at most %d fit", MaxLen)}
	case link == IP && b[0]>>4 != 4 && b[0]>>4 != 6:
		return &ParseError{link, len(b), fmt.Sprintf("the first four bits say version %d, want 4 or 6", b[0]>>4)}
	}
	return nil
}

func newPacket(n int) *Packet {
	p := &Packet{buf: make([]byte, n+2*Headroom)}
	p.off, p.end = Headroom, Headroom
	return p
}

// extend makes the frame n bytes longer at its end and returns the new bytes,
// which hold whatever was there.
func (p *Packet) extend(n int) []byte {
	if p.end+n > len(p.buf) {
		p.grow(n)
	}
	b := p.buf[p.end : p.end+n]
	p.end += n
	p.touch()
	return b
}

// grow moves the frame into a buffer with room for n more bytes at its end and
// fresh headroom.
func (p *Packet) grow(n int) {
	buf := p.home
	if len(buf) < Headroom+p.Len()+n+Headroom {
		buf = make([]byte, Headroom+p.Len()+n+Headroom)
	}
	copy(buf[Headroom:], p.frame())
	p.end = Headroom + p.Len()
	p.off, p.buf, p.home = Headroom, buf, nil
}

// push makes the frame n bytes longer at its start.
func (p *Packet) push(n int) []byte {
	if p.off < n {
		p.grow(0)
	}
	p.off -= n
	p.touch()
	return p.buf[p.off : p.off+n]
}

// pull takes n bytes off the start.
func (p *Packet) pull(n int) {
	p.off += n
	p.touch()
}

// resize makes the part of the frame from at to at+from to bytes long, moving
// what follows. The bytes of the part are to be written by the caller.
func (p *Packet) resize(at, from, to int) {
	tail := p.Len() - at - from
	if d := to - from; d > 0 {
		p.extend(d)
	} else {
		defer func() { p.end += d }()
	}
	f := p.frame()
	copy(f[at+to:], f[at+from:at+from+tail])
	p.touch()
}

// touch forgets the layout: bytes that decide about it have changed.
func (p *Packet) touch() {
	p.at.found = false
	p.edits++
}

// frame is the frame as it stands, checksums as they are.
func (p *Packet) frame() []byte { return p.buf[p.off:p.end] }

// Frame returns the frame as it stands, without finishing any checksum: what a
// device writes that knows [Packet.Partial]. It is valid until the packet
// changes or is given away.
func (p *Packet) Frame() []byte { return p.frame() }

// Bytes returns the frame with every checksum finished. It is valid until the
// packet changes or is given away, and must not be written to.
func (p *Packet) Bytes() []byte {
	p.Finish()
	return p.frame()
}

// Append appends the frame with every checksum finished to b; the packet itself
// keeps the states it has.
func (p *Packet) Append(b []byte) []byte {
	n := len(b)
	b = append(b, p.frame()...)
	p.finishInto(b[n:])
	return b
}

// Len is the length of the frame in bytes. It is 0 for an empty packet: an
// answer that may not be given.
func (p *Packet) Len() int { return p.end - p.off }

// Link says what the frame begins with.
func (p *Packet) Link() LinkType { return p.link }

// Edits is a number that is another one after every change of the packet.
func (p *Packet) Edits() uint32 { return p.edits }

// Why says why an empty answer is empty, for instance "an error about an
// error"; it is "" for all other packets.
func (p *Packet) Why() string { return p.why }

// Clone returns a copy that belongs to the caller, with the same checksum
// states, ports and time.
func (p *Packet) Clone() *Packet {
	q := p.fresh(p.Len())
	copy(q.extend(p.Len()), p.frame())
	q.In, q.Out, q.Time = p.In, p.Out, p.Time
	q.at, q.sum3, q.sum4, q.fixed, q.pad = p.at, p.sum3, p.sum4, p.fixed, p.pad
	q.link, q.gso, q.came, q.why = p.link, p.gso, p.came, p.why
	return q
}

// Set makes the packet a copy of b, as Parse does, keeping ports and time.
func (p *Packet) Set(b []byte, link LinkType) error {
	if err := check(b, link); err != nil {
		return err
	}
	p.reset()
	p.link = link
	copy(p.extend(len(b)), b)
	return nil
}

// reset empties the packet and keeps its buffer.
func (p *Packet) reset() {
	if p.home != nil {
		p.buf, p.home = p.home, nil
	}
	p.off = min(Headroom, len(p.buf)) // a zero Packet has no buffer
	p.end = p.off
	p.sum3, p.sum4, p.fixed, p.pad, p.gso, p.came, p.why = asCame, asCame, 0, 0, GSO{}, Made, ""
	p.touch()
}

// fresh is an empty packet from the same pool, with room for n bytes.
func (p *Packet) fresh(n int) *Packet {
	q := p.pool.Get(n)
	q.link = p.link
	return q
}

// Tag is one word for who runs the packet, which means nothing here.
func (p *Packet) Tag() uint64 { return p.tag }

// SetTag sets the word that Tag returns. It is for the engine; a handler that
// sets it breaks the engine's bookkeeping.
func (p *Packet) SetTag(v uint64) { p.tag = v }
