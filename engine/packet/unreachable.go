package packet

// UnreachableKind says what cannot be reached, for [Packet.Unreachable].
type UnreachableKind uint8

// The kinds. ICMPv6 has them all, too; its UnreachableFragmentation is a "packet
// too big".
const (
	UnreachablePort UnreachableKind = iota
	UnreachableHost
	UnreachableNet
	UnreachableAdmin
	UnreachableFragmentation
)

// String is the kind's name in scripts, such as "port".
func (k UnreachableKind) String() string {
	switch k {
	case UnreachablePort:
		return "port"
	case UnreachableHost:
		return "host"
	case UnreachableNet:
		return "net"
	case UnreachableAdmin:
		return "admin"
	case UnreachableFragmentation:
		return "fragmentation"
	}
	return "unknown"
}

// Unreachable returns the ICMP or ICMPv6 error that says that the packet cannot go
// where it was sent, quoting it. Mtu counts for UnreachableFragmentation alone: 0
// takes that of the port the packet was to leave by.
//
// The error comes from the packet's destination if it is about a port, else from
// the port's peer address, if there is one. It is empty where none may be sent:
// about an ICMP error, a fragment other than the first, a broadcast or multicast
// ("packet too big" excepted), and to what is no single host (RFC 1122 section
// 3.2.2, RFC 4443 section 2.4 e).
func (p *Packet) Unreachable(kind UnreachableKind, mtu int) *Packet {
	if mtu <= 0 && p.Out != nil {
		mtu = p.Out.MTU
	}
	e := icmpErr{type4: DestUnreach, type6: DestUnreach6}
	switch kind {
	case UnreachablePort:
		e.code4, e.code6, e.fromDst = 3, 4, true
	case UnreachableHost:
		e.code4, e.code6 = 1, 3
	case UnreachableNet:
		e.code4, e.code6 = 0, 0
	case UnreachableAdmin:
		e.code4, e.code6 = 13, 1
	case UnreachableFragmentation:
		e.code4, e.type6, e.mtu = 4, PacketTooBig, max(mtu, 0)
		if e.mtu == 0 && p.Layout().Version == 6 {
			e.mtu = 1280 // what every link carries, RFC 8200 section 5
		}
	default:
		return p.none("there is no such kind of unreachable")
	}
	return p.icmpError(e)
}

// TTLExceeded returns the ICMP or ICMPv6 error of a router at which the packet's
// hops ran out, quoting it. Where it comes from and when it is empty is as for
// [Packet.Unreachable].
func (p *Packet) TTLExceeded() *Packet {
	return p.icmpError(icmpErr{type4: TimeExceeded, type6: TimeExceeded6})
}

type icmpErr struct {
	type4, code4, type6, code6 uint8
	mtu                        int
	fromDst                    bool
}

// How long an error is at most: RFC 792 quotes 8 bytes, RFC 1812 section 4.3.2.3
// as much as fits in 576, RFC 4443 section 2.4 (c) in 1280.
const (
	maxError4 = 576
	maxError6 = 1280
)

func (p *Packet) icmpError(e icmpErr) *Packet {
	if why := p.noError(e); why != "" {
		return p.none(why)
	}
	l, own := p.Layout(), p.own()
	proto, most := uint8(ProtoICMP), maxError4-ip4Len
	if l.Version == 6 {
		proto, most = ProtoICMPv6, maxError6-ip6Len
	}
	quote := min(l.End-l.L3, most-icmpLen)
	q, h := p.answer(proto, 0, icmpLen+quote)
	clear(h[:icmpLen])
	if l.Version == 4 {
		h[0], h[1] = e.type4, e.code4
		put16(h[6:], min(e.mtu, 65535))
	} else {
		h[0], h[1] = e.type6, e.code6
		put16(h[4:], e.mtu>>16)
		put16(h[6:], e.mtu)
	}
	copy(h[icmpLen:], p.frame()[l.L3:])
	p.show(l.L3, h[icmpLen:])
	if !e.fromDst && own.IsValid() {
		IPView{q}.SetSrc(own) // of the right version
	}
	return q
}

// noError says why no error about the packet may be sent, "" if one may.
func (p *Packet) noError(e icmpErr) string {
	l := p.Layout()
	switch {
	case l.Version == 0:
		return "only IP packets have ICMP errors"
	case l.FragOff > 0:
		return "only the first fragment has an ICMP error"
	case l.L4 == 0 && (l.Proto == ProtoICMP || l.Proto == ProtoICMPv6):
		return "its ICMP header is cut short: it may be an error"
	case l.icmpIs(4) && icmpError(p.get8(l.L4)),
		l.icmpIs(6) && (p.get8(l.L4) < 128 || p.get8(l.L4) == Redirect6):
		return "an ICMP error gets no ICMP error"
	case !p.host(p.src()):
		return "its source is no single host"
	case !p.many(p.dst()) && !p.toGroup():
		return ""
	case l.Version == 6 && e.type6 == PacketTooBig && p.own().IsValid():
		return "" // multicast, too, has a path MTU
	}
	return "a packet to many hosts has no ICMP error"
}
