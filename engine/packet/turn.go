package packet

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
	if src, dst := p.src(), p.dst(); src.IsUnspecified() || p.many(src) || p.many(dst) {
		return false
	}
	p.end = p.off + l.End // no padding
	p.turnHeaders(l)
	p.turnTransport(l)
	p.Out, p.came = p.In, Made
	p.edits++
	return true
}

// turnHeaders exchanges what stands in front of the transport, as answer makes it.
func (p *Packet) turnHeaders(l *Layout) {
	b := p.frame()
	if p.link == Ethernet {
		mac := MAC(b[:6])
		copy(b, b[6:12])
		copy(b[6:], mac[:])
	}
	h, n := b[l.L3:l.L4], len(b)-l.L4
	if l.Version == 4 {
		put16(h[2:], len(h)+n)
		put16(h[4:], int(p.nextID()))
		put16(h[6:], 0)
		h[8] = 64
		src, dst := [4]byte(h[12:]), [4]byte(h[16:])
		copy(h[12:], dst[:])
		copy(h[16:], src[:])
		p.sum3 = due
		return
	}
	h[1] &= 0xf0 // of the flow label
	h[2], h[3] = 0, 0
	put16(h[4:], n)
	h[7] = 64
	src, dst := [16]byte(h[8:]), [16]byte(h[24:])
	copy(h[8:], dst[:])
	copy(h[24:], src[:])
}

// turnTransport exchanges ports, or makes a request a reply. Only an echo keeps its TOS.
func (p *Packet) turnTransport(l *Layout) {
	b := p.frame()
	h, t := b[l.L3:], b[l.L4:]
	switch {
	case l.Proto == ProtoUDP && l.Version == 4:
		h[1] = 0
	case l.Proto == ProtoUDP:
		h[0], h[1] = 0x60, 0
	case l.Version == 4:
		t[0] = EchoReply
	default:
		t[0] = EchoReply6
	}
	if l.Proto == ProtoUDP {
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
