package filter

import (
	"encoding/binary"

	"github.com/tunscript/tunscript/engine/packet"
)

// host4 tests IPv4 addresses: of IPv4, ARP and RARP packets, or of the one named.
func (g gen) host4(q qual, addr, mask uint32) *cond {
	at := func(t, src, dst uint32) *cond {
		return and(g.typ(t), q.either(func(isSrc bool) *cond {
			if isSrc {
				return masked(g.net(src, 4), mask, addr)
			}
			return masked(g.net(dst, 4), mask, addr)
		}))
	}
	ip := func() *cond { return at(packet.TypeIPv4, 12, 16) }
	arp := func(t uint32) *cond { return at(t, 14, 24) }
	switch q.proto {
	case "ip":
		return ip()
	case "arp":
		return arp(packet.TypeARP)
	case "rarp":
		return arp(typeRARP)
	}
	return or(ip(), arp(packet.TypeARP), arp(typeRARP))
}

// host6 tests IPv6 addresses, 32 bits at a time. A neighbour solicitation's target
// is not among them.
func (g gen) host6(q qual, addr, mask [16]byte) *cond {
	return and(g.ip6(), q.either(func(src bool) *cond {
		at := uint32(24)
		if src {
			at = 8
		}
		c := always
		for i := 0; i < 16; i += 4 {
			m, v := binary.BigEndian.Uint32(mask[i:]), binary.BigEndian.Uint32(addr[i:])
			c = and(c, masked(g.net(at+uint32(i), 4), m, v))
		}
		return c
	}))
}

// mac tests Ethernet addresses, the last four bytes first as libpcap does.
func (g gen) mac(q qual, addr [6]byte) *cond {
	if g.link != packet.Ethernet {
		return never
	}
	high, low := uint32(binary.BigEndian.Uint16(addr[:])), binary.BigEndian.Uint32(addr[2:])
	return q.either(func(src bool) *cond {
		at := uint32(0)
		if src {
			at = 6
		}
		return and(within(load{size: 4, off: at + 2}, low, low), within(load{size: 2, off: at}, high, high))
	})
}

var broadcastMAC = [6]byte{255, 255, 255, 255, 255, 255}

// broadcast is "broadcast" and "ip broadcast"; nil for what has none. As on a
// capture file no netmask is known, so only 0.0.0.0 and 255.255.255.255 are IP
// broadcasts, not the last address of a network.
func (g gen) broadcast(proto string) *cond {
	switch proto {
	case "", "ether":
		return g.mac(qual{dir: dstDir}, broadcastMAC)
	case "ip":
		dst := g.net(16, 4)
		return and(g.ip4(), or(within(dst, 0, 0), within(dst, 0xffffffff, 0xffffffff)))
	}
	return nil
}

// multicast is "multicast", "ip multicast" and "ip6 multicast"; nil for what has
// none. The broadcast is a multicast to Ethernet, and to IPv4 everything from
// 224.0.0.0 on is, as libpcap says.
func (g gen) multicast(proto string) *cond {
	switch proto {
	case "", "ether":
		if g.link != packet.Ethernet {
			return never
		}
		return masked(load{size: 1}, 1, 1)
	case "ip":
		return and(g.ip4(), within(g.net(16, 1), 224, 255))
	case "ip6":
		return and(g.ip6(), g.byteIs(24, 255))
	}
	return nil
}
