package packet

import "encoding/binary"

// Ethertypes and IP protocol numbers that lead from one header to the next.
const (
	TypeIPv4 = 0x0800
	TypeARP  = 0x0806
	TypeVLAN = 0x8100 // IEEE 802.1Q
	TypeQinQ = 0x88a8 // IEEE 802.1ad
	TypeIPv6 = 0x86dd

	ProtoICMP     = 1
	ProtoTCP      = 6
	ProtoUDP      = 17
	ProtoHopByHop = 0
	ProtoRouting  = 43
	ProtoFragment = 44
	ProtoAH       = 51
	ProtoICMPv6   = 58
	ProtoNoNext   = 59
	ProtoDestOpts = 60
	ProtoSCTP     = 132
)

// Fixed header lengths in bytes.
const (
	ethLen  = 14
	vlanLen = 4
	arpLen  = 28
	ip4Len  = 20
	ip6Len  = 40
	fragLen = 8
	icmpLen = 8
	udpLen  = 8
	tcpLen  = 20
)

// A Layout says where the headers of a frame are, in bytes from its start. An
// offset of 0 or less means that the header is not there; only L3 of a packet
// without Ethernet is truly 0, and Version tells.
type Layout struct {
	found bool

	Type    uint16 // ethertype of what stands at L3; from the version nibble where there is no Ethernet
	Version uint8  // 4 or 6 if a whole IP header stands at L3, else 0
	Proto   uint8  // IP protocol of what stands at L4, behind IPv6 extension headers
	Tags    uint8  // VLAN tags

	L3   int // IP, ARP or whatever follows Ethernet and its tags
	L4   int // transport or ICMP header; also set for a protocol without a view; 0 in a fragment other than the first
	Data int // payload: what follows the last header that has a view
	End  int // where the packet ends by its own length; the rest of the frame is padding

	Frag      int // offset of the IPv6 fragment header, 0 if there is none
	FragOff   int // fragment offset in bytes
	MoreFrags bool

	named int // offset of the byte that says Proto
	dst   int // offset of the address that the transport sums as the IPv6 destination
}

// Fragment reports one part of a datagram.
func (l *Layout) Fragment() bool { return l.FragOff > 0 || l.MoreFrags }

// Layout finds the headers, once until the next change that moves them. It is
// valid until the packet changes.
func (p *Packet) Layout() *Layout {
	if !p.at.found {
		p.at.find(p.frame(), p.link, p.endByHand())
	}
	return &p.at
}

// endByHand is where the packet ended before its IP length was set by hand, -1 if
// it was not: such a length says nothing about the bytes that are there.
func (p *Packet) endByHand() int {
	if p.fixed&fixedIP == 0 {
		return -1
	}
	return p.Len() - p.pad
}

func (l *Layout) find(b []byte, link LinkType, end int) {
	*l = Layout{found: true, End: len(b), Data: len(b)}
	if link == Ethernet {
		if len(b) < ethLen {
			l.Data = 0
			return
		}
		l.Type, l.L3 = binary.BigEndian.Uint16(b[12:]), ethLen
		for (l.Type == TypeVLAN || l.Type == TypeQinQ) && l.Tags < 2 && l.L3+vlanLen <= len(b) {
			l.Type = binary.BigEndian.Uint16(b[l.L3+2:])
			l.L3 += vlanLen
			l.Tags++
		}
	} else if len(b) > 0 {
		switch b[0] >> 4 {
		case 4:
			l.Type = TypeIPv4
		case 6:
			l.Type = TypeIPv6
		}
	}
	l.Data = l.L3
	switch l.Type {
	case TypeIPv4:
		l.find4(b, end)
	case TypeIPv6:
		l.find6(b, end)
	case TypeARP:
		// Only Ethernet and IPv4 addresses, which is 28 bytes, have a view.
		if h := b[l.L3:]; len(h) >= arpLen && h[4] == 6 && h[5] == 4 {
			l.Data = l.L3 + arpLen
			l.End = l.Data
		}
	}
}

func (l *Layout) find4(b []byte, end int) {
	h := b[l.L3:]
	if len(h) < ip4Len || h[0]>>4 != 4 {
		return
	}
	ihl := int(h[0]&15) * 4
	if ihl < ip4Len || ihl > len(h) {
		return
	}
	l.Version, l.Proto, l.named = 4, h[9], l.L3+9
	// A total length shorter than the header is taken for the frame's: 0 is what
	// a TCP segmentation offload leaves behind.
	if n := int(binary.BigEndian.Uint16(h[2:])); end >= l.L3+ihl {
		l.End = end
	} else if n >= ihl && n < len(h) {
		l.End = l.L3 + n
	}
	field := binary.BigEndian.Uint16(h[6:])
	l.FragOff, l.MoreFrags = int(field&0x1fff)*8, field&0x2000 != 0
	l.transport(b, l.L3+ihl)
}

func (l *Layout) find6(b []byte, end int) {
	h := b[l.L3:]
	if len(h) < ip6Len || h[0]>>4 != 6 {
		return
	}
	l.Version = 6
	// A payload length of 0 is a jumbogram's (RFC 2675), or a super-packet's.
	if n := int(binary.BigEndian.Uint16(h[4:])); end >= l.L3+ip6Len {
		l.End = end
	} else if n > 0 && ip6Len+n < len(h) {
		l.End = l.L3 + ip6Len + n
	}
	l.named, l.dst = l.L3+6, l.L3+24
	next, at := h[6], l.L3+ip6Len
	for {
		n := extLen(next, b[at:l.End])
		if n < 0 { // no extension header
			break
		}
		if n == 0 { // one that is cut short: nothing behind it can be found
			l.Proto, l.Data = next, at
			return
		}
		switch next {
		case ProtoFragment:
			field := binary.BigEndian.Uint16(b[at+2:])
			l.Frag, l.FragOff, l.MoreFrags = at, int(field&^7), field&1 != 0
		case ProtoRouting:
			if final := finalHop(b[at : at+n]); final > 0 {
				l.dst = at + final
			}
		}
		l.named = at
		next, at = b[at], at+n
		if l.FragOff > 0 { // what follows is the middle of something
			break
		}
	}
	l.Proto = next
	l.transport(b, at)
}

// finalHop is the offset of the last address of a routing header that has not
// been followed to its end, else 0: the transport sums that one, not the address
// in the IPv6 header (RFC 8200 section 8.1). Types 0 (RFC 5095), 2 (RFC 6275) and
// 4 (RFC 8754, whose list runs backwards).
func finalHop(h []byte) int {
	if h[3] == 0 || len(h) < 24 {
		return 0
	}
	switch h[2] {
	case 0:
		return 8 + (int(h[1])/2-1)*16
	case 2, 4:
		return 8
	}
	return 0
}

// extLen is the length of the IPv6 extension header of kind next at the start of
// b: -1 if next is none, 0 if it is not all there (RFC 8200 section 4, RFC 4302).
func extLen(next uint8, b []byte) int {
	n := 0
	switch next {
	case ProtoHopByHop, ProtoRouting, ProtoDestOpts:
		if len(b) >= 8 {
			n = (int(b[1]) + 1) * 8
		}
	case ProtoFragment:
		n = fragLen
	case ProtoAH:
		if len(b) >= 8 {
			n = (int(b[1]) + 2) * 4
		}
	default:
		return -1
	}
	if n > len(b) {
		return 0
	}
	return n
}

// transport settles L4 and Data for a transport header at offset at.
func (l *Layout) transport(b []byte, at int) {
	l.Data = at
	if l.FragOff > 0 {
		return
	}
	l.L4 = at
	n := 0
	switch {
	case l.Proto == ProtoTCP:
		n = tcpLen
		if at+n <= l.End {
			n = min(max(int(b[at+12]>>4)*4, tcpLen), l.End-at)
		}
	case l.Proto == ProtoUDP:
		n = udpLen
	case l.Proto == ProtoICMP && l.Version == 4, l.Proto == ProtoICMPv6 && l.Version == 6:
		n = icmpLen
	}
	if at+n <= l.End {
		l.Data = at + n
	} else {
		l.L4 = 0 // cut short: no view
	}
}

// transportIs reports a whole transport header of protocol proto.
func (l *Layout) transportIs(proto uint8) bool { return l.L4 > 0 && l.Proto == proto }

// icmpIs reports a whole ICMP header of IP version v.
func (l *Layout) icmpIs(v uint8) bool {
	if v == 4 {
		return l.Version == 4 && l.transportIs(ProtoICMP)
	}
	return l.Version == 6 && l.transportIs(ProtoICMPv6)
}
