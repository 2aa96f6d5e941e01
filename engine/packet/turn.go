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
	b := p.frame()
	h, t := b[l.L3:l.L4], b[l.L4:]
	if p.link == Ethernet {
		mac := MAC(b[:6])
		copy(b, b[6:12])
		copy(b[6:], mac[:])
	}
	if l.Version == 4 {
		put16(h[2:], len(h)+len(t))
		put16(h[4:], int(p.nextID()))
		put16(h[6:], 0)
		h[8] = 64
		src, dst := [4]byte(h[12:]), [4]byte(h[16:])
		copy(h[12:], dst[:])
		copy(h[16:], src[:])
		p.sum3 = due
	} else {
		h[1] &= 0xf0 // of the flow label
		h[2], h[3] = 0, 0
		put16(h[4:], len(t))
		h[7] = 64
		src, dst := [16]byte(h[8:]), [16]byte(h[24:])
		copy(h[8:], dst[:])
		copy(h[24:], src[:])
	}
	if l.Proto == ProtoUDP {
		if l.Version == 4 {
			h[1] = 0 // TOS
		} else {
			h[0], h[1] = 0x60, 0
		}
		t[0], t[1], t[2], t[3] = t[2], t[3], t[0], t[1]
		// Addresses and ports exchanged are the same sum, so what the kernel has left
		// unfinished stays so.
		if n := int(t[4])<<8 | int(t[5]); p.sum4 != unfinished || n != len(t) {
			put16(t[4:], len(t))
			t[6], t[7] = 0, 0
			p.sum4 = due
		}
	} else {
		t[0] = EchoReply
		if l.Version == 6 {
			t[0] = EchoReply6
		}
		p.sum4 = due
	}
	p.Out, p.came = p.In, Made
	p.edits++
	return true
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
