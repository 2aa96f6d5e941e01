package filter

import "github.com/tunscript/tunscript/engine/packet"

// Numbers of "ether proto" that are not simply compared with the ethertype: IEEE
// 802.2 service access points, and two protocols of AppleTalk.
const (
	sapIP      = 0x06
	sapIPX     = 0xe0
	sapNetBEUI = 0xf0
	sapISO     = 0xfe
	typeIPX    = 0x8137
	typeATalk  = 0x809b
	typeAARP   = 0x80f3

	maxLength = 1500 // up to here the type field of Ethernet is a length (IEEE 802.3)

	snap      = 0xaaaa0300 // the LLC and SNAP header of an encapsulated ethertype (RFC 1042)
	snapApple = 0xaaaa0308 // the first half of AppleTalk's
)

// etherProto tests what an Ethernet frame carries: an ethertype or, up to 1500,
// the destination service access point of a frame with a length field.
func (g gen) etherProto(n uint32) *cond {
	if g.link != packet.Ethernet {
		return g.typ(n)
	}
	length := within(g.at(g.l3()-2, 2), 0, maxLength)
	inSNAP := func(head, rest uint32) *cond {
		return and(length, within(g.net(4, 4), rest, rest), within(g.net(0, 4), head, head))
	}
	switch {
	case n == sapIP, n == sapNetBEUI, n == sapISO:
		both := n<<8 | n
		return and(length, within(g.net(0, 2), both, both))
	case n == sapIPX:
		return or(g.typ(typeIPX), and(length, or(
			and(within(g.net(4, 4), typeIPX, typeIPX), within(g.net(0, 4), snap, snap)),
			g.byteIs(0, sapIPX),
			within(g.net(0, 2), 0xffff, 0xffff)))) // IPX right behind 802.3, without LLC
	case n == typeATalk:
		return or(g.typ(n), inSNAP(snapApple, 0x00070000|typeATalk))
	case n == typeAARP:
		return or(g.typ(n), inSNAP(snap, typeAARP))
	case n <= maxLength:
		return and(length, g.byteIs(0, n))
	}
	return g.typ(n)
}
