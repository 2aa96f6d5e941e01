package filter

import "github.com/tunscript/tunscript/engine/packet"

// A gen makes conditions for frames of one link type. packet.IP frames are what
// libpcap calls DLT_RAW, packet.Ethernet ones DLT_EN10MB.
type gen struct {
	link packet.LinkType
	tags uint32 // "vlan" written so far: what follows looks behind as many tags
}

const (
	typeRARP   = 0x8035
	typeVLAN91 = 0x9100 // QinQ before it had a number of its own

	ethHeader = 14
	tagLen    = 4
)

// l3 is where the network header is.
func (g gen) l3() uint32 {
	if g.link == packet.Ethernet {
		return ethHeader + g.tags*tagLen
	}
	return 0
}

// at is size bytes at off, counted from the start of the frame. Behind a tag that
// need not be there any byte may be meant, so checksums are taken care of.
func (g gen) at(off uint32, size uint8) load {
	return load{size: size, off: off, leaves: g.tags > 0}
}

// net is size bytes at off in the network header.
func (g gen) net(off uint32, size uint8) load { return g.at(g.l3()+off, size) }

// trans4 is size bytes at off behind the IPv4 header, however long that is.
func (g gen) trans4(off uint32, size uint8) load {
	return load{place: fromIPv4End, base: g.l3(), size: size, off: off, leaves: g.tags > 0}
}

// byteIs tests one byte of the network header.
func (g gen) byteIs(off, v uint32) *cond { return within(g.net(off, 1), v, v) }

// typ tests the network protocol by its ethertype. Without Ethernet only the IP
// version can tell.
func (g gen) typ(t uint32) *cond {
	var c *cond
	switch {
	case g.link == packet.Ethernet:
		c = within(g.at(g.l3()-2, 2), t, t)
	case t == packet.TypeIPv4:
		c = masked(g.at(0, 1), 0xf0, 0x40)
	case t == packet.TypeIPv6:
		c = masked(g.at(0, 1), 0xf0, 0x60)
	default:
		return never
	}
	c.typ, c.usual = true, true
	return c
}

func (g gen) ip4() *cond { return g.typ(packet.TypeIPv4) }
func (g gen) ip6() *cond { return g.typ(packet.TypeIPv6) }

// first tests that an IPv4 packet is no fragment but perhaps the first.
func (g gen) first() *cond {
	c := masked(g.net(6, 2), 0x1fff, 0)
	c.usual = true
	return c
}

// proto4 tests the protocol of an IPv4 packet.
func (g gen) proto4(n uint32) *cond { return and(g.ip4(), g.byteIs(9, n)) }

// proto6 tests the first next header of an IPv6 packet, and the one behind a
// fragment header that comes first; no other extension header is looked behind.
func (g gen) proto6(n uint32) *cond {
	return and(g.ip6(), or(g.byteIs(6, n), and(g.byteIs(6, packet.ProtoFragment), g.byteIs(40, n))))
}

func (g gen) proto(n uint32) *cond { return or(g.proto4(n), g.proto6(n)) }

// vlan tests for a tag, whose number is id unless that is negative. The caller
// counts it.
func (g gen) vlan(id int) *cond {
	if g.link != packet.Ethernet {
		return never
	}
	c := or(g.typ(packet.TypeVLAN), g.typ(packet.TypeQinQ), g.typ(typeVLAN91))
	if id >= 0 {
		c = and(c, masked(g.net(0, 2), 0x0fff, uint32(id)))
	}
	return c
}
