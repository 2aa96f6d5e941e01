package filter

import "github.com/tunscript/tunscript/engine/packet"

// ports tests for ports lo to hi of the protocols given by number, in IPv4 (where
// later fragments have none) and in IPv6, where only a header right behind the
// fixed one counts.
func (g gen) ports(q qual, lo, hi uint32, protos ...uint32) *cond {
	isProto := func(off uint32) *cond {
		c := never
		for _, n := range protos {
			c = or(c, g.byteIs(off, n))
		}
		return c
	}
	port := func(l func(off uint32) load) *cond {
		return q.either(func(src bool) *cond {
			off := uint32(2)
			if src {
				off = 0
			}
			return within(l(off), lo, hi)
		})
	}
	// libpcap asks for IPv6 first; as no frame is both, the order does not matter,
	// and IPv4 first is faster.
	return or(
		and(g.ip4(), isProto(9), g.first(), port(func(off uint32) load { return g.trans4(off, 2) })),
		and(g.ip6(), isProto(6), port(func(off uint32) load { return g.net(40+off, 2) })),
	)
}

// portProtos are the protocols that "port" means with the qualifier proto, and
// false if it makes no sense.
func portProtos(proto string) (nums []uint32, ok bool) {
	switch proto {
	case "":
		return []uint32{packet.ProtoSCTP, packet.ProtoTCP, packet.ProtoUDP}, true
	case "tcp":
		return []uint32{packet.ProtoTCP}, true
	case "udp":
		return []uint32{packet.ProtoUDP}, true
	case "sctp":
		return []uint32{packet.ProtoSCTP}, true
	}
	return nil, false
}
