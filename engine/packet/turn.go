package packet

import "encoding/binary"

// Turn makes the packet its own [Packet.Reply] and reports true, where the answer is the
// question with its headers turned round: UDP and echo requests between two hosts, without
// IP options or extension headers. Of any other packet it changes nothing and reports
// false. What Reply reads of the question is gone afterwards, so it is for who will not
// ask again; it saves a second packet, and finding the headers of that.
func (p *Packet) Turn() bool {
	if p.home != nil || p.gso.Size > 0 || p.fixed != 0 || p.toGroup() {
		return false
	}
	l := p.Layout()
	if l.Version == 0 || l.Fragment() || !p.turns(l) {
		return false
	}
	if !p.betweenHosts(l) {
		return false
	}
	p.end = p.off + l.End // no padding
	p.turnHeaders(l)
	p.turnTransport(l)
	p.Out, p.came = p.In, Made
	p.edits++
	return true
}

// betweenHosts reports single hosts at both ends.
func (p *Packet) betweenHosts(l *Layout) bool {
	if l.Version == 4 {
		b := p.frame()[l.L3:]
		src, dst := binary.BigEndian.Uint32(b[12:]), binary.BigEndian.Uint32(b[16:])
		return src != 0 && !p.many4(src) && !p.many4(dst)
	}
	src, dst := p.src(), p.dst()
	return !src.IsUnspecified() && !p.many(src) && !p.many(dst)
}

// turnHeaders exchanges what stands in front of the transport, as answer makes it. Only an
// echo keeps its TOS.
func (p *Packet) turnHeaders(l *Layout) {
	b := p.frame()
	if p.link == Ethernet {
		mac := MAC(b[:6])
		copy(b, b[6:12])
		copy(b[6:], mac[:])
	}
	h, n, tos := b[l.L3:l.L4], len(b)-l.L4, uint32(0xff)
	if l.Proto == ProtoUDP {
		tos = 0
	}
	if l.Version == 4 {
		p.turn4(h, n, tos)
		return
	}
	binary.BigEndian.PutUint32(h, binary.BigEndian.Uint32(h)&(0xf0000000|tos<<20)) // no flow label
	put16(h[4:], n)
	h[7] = 64
	src, dst := [16]byte(h[8:]), [16]byte(h[24:])
	copy(h[8:], dst[:])
	copy(h[24:], src[:])
}

// turn4 writes an IPv4 header in front of n bytes whose addresses are those of h,
// exchanged, and whose TOS what tos leaves of it. It goes by words and sums them at once:
// to read in words what was written in bytes, a processor has to wait until that has
// reached its cache.
func (p *Packet) turn4(h []byte, n int, tos uint32) {
	h = h[:ip4Len]
	word := func(i int) uint32 { return binary.BigEndian.Uint32(h[i:]) }
	first := 0x45000000 | word(0)&(tos<<16) | uint32(ip4Len+n)&0xffff
	second := uint32(p.nextID()) << 16 // neither DF nor a fragment
	third := 64<<24 | word(8)&0xff0000 // TTL and protocol
	src, dst := word(12), word(16)
	sum := ^fold(uint64(first) + uint64(second) + uint64(third) + uint64(src) + uint64(dst))
	binary.BigEndian.PutUint32(h, first)
	binary.BigEndian.PutUint32(h[4:], second)
	binary.BigEndian.PutUint32(h[8:], third|uint32(sum))
	binary.BigEndian.PutUint32(h[12:], dst)
	binary.BigEndian.PutUint32(h[16:], src)
	p.sum3 = asCame
}

// turnTransport exchanges ports, or makes a request a reply.
func (p *Packet) turnTransport(l *Layout) {
	t := p.frame()[l.L4:]
	switch {
	case l.Proto != ProtoUDP && l.Version == 4:
		t[0] = EchoReply
	case l.Proto != ProtoUDP:
		t[0] = EchoReply6
	default:
		t[0], t[1], t[2], t[3] = t[2], t[3], t[0], t[1]
		// Addresses and ports exchanged are the same sum, so what the kernel has left
		// unfinished stays so.
		if p.sum4 == unfinished && int(t[4])<<8|int(t[5]) == len(t) {
			return
		}
		put16(t[4:], len(t))
		t[6], t[7] = 0, 0
	}
	p.sum4 = due
}

// turns reports a packet whose answer has the headers that it has.
func (p *Packet) turns(l *Layout) bool {
	switch {
	case l.L4 == 0, l.Version == 4 && l.L4 != l.L3+ip4Len, l.Version == 6 && l.L4 != l.L3+ip6Len:
		return false
	case l.End-l.L4 > 65535-ip4Len: // nearly more than an IP packet can say
		return false
	case l.icmpIs(4):
		return p.get8(l.L4) == EchoRequest
	case l.icmpIs(6):
		return p.get8(l.L4) == EchoRequest6
	}
	return l.Proto == ProtoUDP
}
