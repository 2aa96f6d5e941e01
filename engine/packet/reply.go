package packet

import "encoding/binary"

// Reply returns the answer that the packet's protocol gives, with addresses,
// ports and MACs exchanged, a TTL of 64, DF clear and no options:
//
//   - to an echo request the reply, with its id, seq, payload and TOS;
//   - to UDP its payload;
//   - to a TCP SYN a SYN-ACK with a seq drawn at random, to another segment an ACK
//     with its ack as seq; both acknowledge all of it, carry no payload and a
//     window of 65535;
//   - to an ARP request the reply and to a neighbor solicitation the
//     advertisement, from [Port].PeerMAC;
//   - to other protocols over IP what stands behind the IP header.
//
// A broadcast or multicast is answered from the port's peer address. The answer
// is empty, and [Packet.Why] says why, to an ICMP error, a RST, an answer, a
// fragment, TCP to many hosts, and a source that is no single host.
func (p *Packet) Reply() *Packet {
	l := p.Layout()
	switch {
	case l.arp():
		return p.replyARP()
	case l.Version == 0:
		return p.none("neither IP nor ARP: there is no answer to it")
	case l.Fragment():
		return p.none("a fragment is answered when it is whole: handle it with defrag")
	case l.L4 == 0:
		return p.none("its header is cut short")
	case l.icmpIs(6) && p.get8(l.L4) == NeighborSolicit:
		return p.replyND()
	}
	src, many := p.src(), p.many(p.dst())
	switch {
	case p.many(src), src.IsUnspecified() && l.Proto != ProtoUDP: // DHCP clients have no address yet
		return p.none("its source is no single host")
	case many && l.Proto == ProtoTCP:
		return p.none("TCP to many hosts has no answer") // RFC 9293 section 3.9.2.3
	case many && !p.own().IsValid():
		return p.none("it is for many hosts, and its device has no peer address to answer from: set peer")
	}
	q := p.replyIP()
	if many && q.Len() > 0 {
		IPView{q}.SetSrc(p.own()) // of the right version
	}
	return q
}

func (p *Packet) replyIP() *Packet {
	l := p.Layout()
	switch {
	case l.icmpIs(4):
		return p.replyEcho(p.get8(l.L4), EchoRequest, EchoReply, icmpError(p.get8(l.L4)))
	case l.icmpIs(6):
		return p.replyEcho(p.get8(l.L4), EchoRequest6, EchoReply6, p.get8(l.L4) < 128)
	case l.Proto == ProtoTCP:
		return p.replyTCP()
	}
	q, h := p.replySame(0)
	if l.Proto == ProtoUDP && h != nil {
		h[0], h[1], h[2], h[3] = h[2], h[3], h[0], h[1]
		put16(h[4:], len(h))
		h[6], h[7] = 0, 0
		if q.gso = p.gso; q.gso.Size > 0 {
			q.Unfinish()
		}
	}
	return q
}

// replySame answers with the same bytes behind the IP header; they are nil if they
// do not fit in an IP packet.
func (p *Packet) replySame(tos uint8) (*Packet, []byte) {
	l := p.Layout()
	n := l.End - l.L4
	if n > 65535 || l.Version == 4 && n > 65535-ip4Len {
		return p.none("it is longer than an IP packet can say"), nil
	}
	q, h := p.answer(l.Proto, tos, n)
	copy(h, p.frame()[l.L4:l.End])
	return q, h
}

func (p *Packet) replyEcho(typ, request, reply uint8, isError bool) *Packet {
	switch {
	case isError:
		return p.none("an ICMP error gets no answer") // RFC 1122 section 3.2.2
	case typ == reply:
		return p.none("a reply gets no answer")
	case typ != request:
		return p.none("this ICMP type has no answer here")
	}
	q, h := p.replySame(IPView{p}.TOS())
	if h != nil {
		h[0] = reply
	}
	return q
}

func (p *Packet) replyTCP() *Packet {
	v := TCPView{p}
	f := v.Flags()
	if f&RST != 0 {
		return p.none("a RST gets no answer")
	}
	seq, flags := uint32(0), ACK
	switch {
	case f&ACK != 0:
		seq = v.Ack()
	case f&SYN != 0:
		seq, flags = p.chance(), SYN|ACK
	}
	return p.segment(seq, v.Seq()+v.Span(), flags, 65535)
}

// segment answers a TCP segment by one without options or payload.
func (p *Packet) segment(seq, ack uint32, flags Flags, window int) *Packet {
	q, h := p.answer(ProtoTCP, 0, tcpLen)
	from := p.frame()[p.at.L4:]
	h[0], h[1], h[2], h[3] = from[2], from[3], from[0], from[1]
	binary.BigEndian.PutUint32(h[4:], seq)
	binary.BigEndian.PutUint32(h[8:], ack)
	h[12], h[13] = tcpLen/4<<4, uint8(flags)
	put16(h[14:], window)
	binary.BigEndian.PutUint32(h[16:], 0)
	return q
}

// RST returns the reset that RFC 9293 section 3.10.7.1 gives for a TCP segment
// without a connection: with its ack as seq, or, if it has none, acknowledging all
// of it. It is empty for anything else, for a RST, a fragment, and where there is
// no single host at both ends.
func (p *Packet) RST() *Packet {
	l := p.Layout()
	v, ok := p.TCP()
	switch {
	case !ok:
		return p.none("only TCP is reset")
	case v.Flags()&RST != 0:
		return p.none("a RST gets no answer")
	case l.Fragment():
		return p.none("a fragment is answered when it is whole: handle it with defrag")
	case p.many(p.dst()), p.toGroup():
		return p.none("TCP to many hosts has no answer")
	case !p.host(p.src()):
		return p.none("its source is no single host")
	}
	if v.Flags()&ACK != 0 {
		return p.segment(v.Ack(), 0, RST, 0)
	}
	return p.segment(0, v.Seq()+v.Span(), RST|ACK, 0)
}
