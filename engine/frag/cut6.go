package frag

import (
	"encoding/binary"

	"github.com/tunscript/tunscript/engine/packet"
)

// fragments6 cuts an IPv6 packet as RFC 8200 section 4.5 says: what routers read
// on the way stands in every fragment, in front of a fragment header.
func (c *cutter) fragments6(mtu int) bool {
	b, l := c.p.Bytes(), c.p.Layout()
	at, prev := perFragment(b, l.L3, l.End)
	head, next, id := b[:at], b[prev], c.id()
	if l.Frag > 0 { // an atomic fragment (RFC 6946): it has the header already
		var last int
		last, prev = headers6(b, l.L3, l.Frag)
		if last != l.Frag {
			return false
		}
		head, next, id = b[:l.Frag], b[l.Frag], binary.BigEndian.Uint32(b[l.Frag+4:])
		at = l.Frag + fragLen
	}
	data := b[at:l.End]
	around := len(head) - l.L3 + fragLen
	size := max(c.size, around+8) // as for IPv4
	if mtu > 0 && size > mtu {
		return false
	}
	for off := 0; off < len(data); {
		n := min(len(data)-off, size-around)
		more := uint16(0)
		if off+n < len(data) {
			n, more = n&^7, 1
		}
		h := [fragLen]byte{next}
		binary.BigEndian.PutUint16(h[2:], uint16(off)|more)
		binary.BigEndian.PutUint32(h[4:], id)
		q, f := c.piece(head, h[:], data[off:off+n])
		f[prev] = packet.ProtoFragment
		binary.BigEndian.PutUint16(f[l.L3+4:], uint16(around-ip6Len+n))
		off += n
		c.add(q, l.L3+around+n)
	}
	return true
}

// perFragment finds the end of the headers that every fragment has: those up to the
// routing header, else the hop-by-hop options, else the IPv6 header alone. prev is the
// offset of the byte that says what follows.
func perFragment(b []byte, l3, end int) (at, prev int) {
	at, prev = l3+ip6Len, l3+6
	here, by := at, prev
	for here+8 <= end {
		kind := b[by]
		if kind != packet.ProtoHopByHop && kind != packet.ProtoRouting && kind != packet.ProtoDestOpts {
			break
		}
		n := (int(b[here+1]) + 1) * 8
		if here+n > end {
			break
		}
		by, here = here, here+n
		if kind != packet.ProtoDestOpts { // these count only in front of a routing header
			at, prev = here, by
		}
	}
	return at, prev
}
