package frag

import (
	"math/rand/v2"

	"github.com/tunscript/tunscript/engine/packet"
)

// Fits reports whether p leaves as it is by a way out that takes IP packets of up
// to mtu bytes; 0 takes any. What was joined from fragments leaves in no larger
// ones than it came in, however small it is. A super-packet always fits.
func Fits(p *packet.Packet, mtu int) bool {
	if p == nil {
		return true
	}
	size := limit(p, mtu)
	return p.Len() <= size || size == 0 || p.GSO().Size > 0 || p.Len()-p.Layout().L3 <= size
}

// limit is the length of the largest IP packet that p may leave as, 0 for any.
func limit(p *packet.Packet, mtu int) int {
	if largest := int(p.Came()); largest > 0 && (mtu == 0 || largest < mtu) {
		return largest
	}
	return mtu
}

// Cut appends to dst the packets that p, which does not fit, leaves as: segments if it
// is TCP, else fragments. They come from pool, in order, with p's ports and time. p
// stays the caller's and is not changed but for the state of its checksums. It
// reports false, and appends nothing, if p may not be cut: IPv4 with DF that did
// not come in fragments, IPv6 that came whole, what is no IP, what has its length set
// by hand, and where not even the headers fit.
func Cut(dst []*packet.Packet, p *packet.Packet, mtu int, pool *packet.Pool) ([]*packet.Packet, bool) {
	if p == nil {
		return dst, false
	}
	ip, ok := p.IP()
	l := p.Layout()
	came := p.Came()
	c := cutter{dst: dst, p: p, pool: pool, size: limit(p, mtu)}
	switch {
	case !ok, ip.Len() != l.End-l.L3, p.GSO().Size > 0:
		return dst, false
	case c.size == 0:
		return dst, false
	case l.End-l.L3 <= c.size: // but for what stands behind its end
		q, _ := c.piece(p.Bytes()[:l.End], nil, nil)
		c.add(q, l.End)
	case l.Proto == packet.ProtoTCP && l.L4 > 0 && !l.Fragment() && came <= 0:
		ok = c.segments()
	case l.Version == 4:
		if ip.DF() && (came <= 0 || mtu > 0 && int(came) > mtu) {
			return dst, false
		}
		ok = c.fragments4(mtu)
	default:
		if l.Fragment() || came == packet.Whole {
			return dst, false
		}
		ok = c.fragments6(mtu)
	}
	if !ok {
		return dst, false
	}
	return c.dst, true
}

// A cutter is one call of Cut.
type cutter struct {
	dst  []*packet.Packet
	p    *packet.Packet
	pool *packet.Pool
	size int // of the largest piece, as an IP packet
}

// piece makes a packet of these parts of p's frame, in p's place.
func (c *cutter) piece(head, more, data []byte) (q *packet.Packet, b []byte) {
	n := len(head) + len(more) + len(data)
	q = c.pool.Get(n)
	b = q.Room(n)
	at := copy(b, head)
	at += copy(b[at:], more)
	copy(b[at:], data)
	return q, b
}

// add puts a piece of n bytes, whose headers are written, behind the others.
func (c *cutter) add(q *packet.Packet, n int) {
	// Fill refuses what is no IP packet, and these begin as p does.
	_ = q.Fill(0, n, c.p.Link())
	q.In, q.Out, q.Time = c.p.In, c.p.Out, c.p.Time
	q.SetCame(c.p.Came())
	c.dst = append(c.dst, q)
}

// id draws the identification of a datagram's IPv6 fragments, which nobody should
// guess (RFC 7739).
func (c *cutter) id() uint32 {
	if c.pool != nil && c.pool.Rand != nil {
		return c.pool.Rand.Uint32()
	}
	return rand.Uint32()
}

// A sum is a checksum field that a piece gets a sum of its own for.
type sum interface {
	Checksum() uint16
	SetChecksum(uint16)
	ResetChecksum()
}

// wrong is by how much the checksum of v differs from the right one, in ones'
// complement; 0 if it is right. v stays as it is.
func wrong(v sum) uint16 {
	came := v.Checksum()
	v.ResetChecksum()
	right := v.Checksum()
	if came == right {
		return 0
	}
	v.SetChecksum(came)
	return plus(came, ^right)
}

// resum computes the checksum of v, wrong by as much as by.
func resum(v sum, by uint16) {
	v.ResetChecksum()
	if by != 0 {
		v.SetChecksum(plus(v.Checksum(), by))
	}
}

// plus is a + b in ones' complement.
func plus(a, b uint16) uint16 {
	s := uint32(a) + uint32(b)
	return uint16(s + s>>16)
}
