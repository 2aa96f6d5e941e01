package packet

import (
	"encoding/binary"
	"net/netip"
)

// An answer is a packet of its own, from the pool of the question's. It has the
// question's time and device, by which it also leaves. Where the RFCs forbid one,
// it is empty: Len is 0, Why says why, and setting a field does nothing.

// none is the empty answer.
func (p *Packet) none(why string) *Packet {
	q := p.fresh(0)
	q.In, q.Out, q.Time, q.why = p.In, p.In, p.Time, why
	return q
}

// answer makes the way back to where an IP packet came from: Ethernet with its
// tags and an IP header, everything exchanged, before n bytes of protocol proto
// that the caller writes. It returns the packet and those bytes.
func (p *Packet) answer(proto, tos uint8, n int) (*Packet, []byte) {
	l := p.Layout()
	head := l.L3 + ip4Len
	if l.Version == 6 {
		head = l.L3 + ip6Len
	}
	q := p.fresh(head + n)
	q.In, q.Out, q.Time = p.In, p.In, p.Time
	b, f := q.extend(head+n), p.frame()
	p.turnLink(b)
	h, from := b[l.L3:head], f[l.L3:]
	if l.Version == 4 {
		put16(h, 0x4500|int(tos))
		put16(h[2:], ip4Len+n)
		put16(h[4:], int(p.nextID()))
		put16(h[6:], 0)
		h[8], h[9], h[10], h[11] = 64, proto, 0, 0
		copy(h[12:16], from[16:20])
		copy(h[16:20], from[12:16])
		q.sum3 = due
	} else {
		h[0], h[1], h[2], h[3] = 0x60|tos>>4, tos<<4, 0, 0
		put16(h[4:], n)
		h[6], h[7] = proto, 64
		copy(h[8:24], from[24:40])
		copy(h[24:40], from[8:24])
	}
	q.sum4 = due
	return q, b[head:]
}

// turnLink writes what stands before IP or ARP: MACs exchanged, tags kept.
func (p *Packet) turnLink(b []byte) {
	if p.link != Ethernet {
		return
	}
	f := p.frame()
	copy(b[:6], f[6:12])
	copy(b[6:12], f[:6])
	copy(b[12:p.at.L3], f[12:p.at.L3])
	if p.toGroup() {
		mac := p.ownMAC()
		copy(b[6:12], mac[:])
	}
}

// toGroup reports an Ethernet broadcast or multicast.
func (p *Packet) toGroup() bool { return p.link == Ethernet && p.get8(0)&1 != 0 }

// fallbackMAC answers on a port that names no PeerMAC: the peer_mac that devices
// have by default.
var fallbackMAC = MAC{2, 0, 0, 0, 0, 2}

// ownMAC is the MAC of the side that answers.
func (p *Packet) ownMAC() MAC {
	switch {
	case p.In != nil && p.In.PeerMAC != MAC{}:
		return p.In.PeerMAC
	case p.link == Ethernet && !p.toGroup():
		return p.getMAC(0)
	}
	return fallbackMAC
}

// src and dst are the addresses of an IP packet.
func (p *Packet) src() netip.Addr { return IPView{p}.Src() }
func (p *Packet) dst() netip.Addr { return IPView{p}.Dst() }

// many reports an address that is no single host's: multicast, or broadcast as
// far as the port knows the network.
func (p *Packet) many(a netip.Addr) bool {
	if !a.Is4() {
		return a.IsMulticast()
	}
	b := a.As4()
	return p.many4(binary.BigEndian.Uint32(b[:]))
}

// many4 is many of an IPv4 address.
func (p *Packet) many4(a uint32) bool {
	if a>>28 == 0xe || a == 0xffffffff {
		return true
	}
	if p.In == nil {
		return false
	}
	for _, net := range p.In.Addrs {
		// RFC 919: all ones behind the prefix; RFC 3021: not in a /31.
		if net.Bits() >= 31 {
			continue
		}
		if ones := uint32(1)<<(32-net.Bits()) - 1; a&ones == ones && net.Contains(addr4(a)) {
			return true
		}
	}
	return false
}

func addr4(a uint32) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(a >> 24), byte(a >> 16), byte(a >> 8), byte(a)})
}

// host reports an address that an error may be sent to: RFC 1122 section 3.2.2
// and RFC 4443 section 2.4 (e.6) want a single host.
func (p *Packet) host(a netip.Addr) bool {
	if a.IsUnspecified() || a.IsLoopback() || p.many(a) {
		return false
	}
	if a.Is4() {
		first := a.As4()[0]
		return first != 0 && first < 240 // this network; class E
	}
	return true
}

// own is the address of the side that answers, of the packet's version.
func (p *Packet) own() netip.Addr { return p.In.Peer(p.dst()) }
