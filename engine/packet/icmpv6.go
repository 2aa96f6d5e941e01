package packet

import "net/netip"

// ICMPv6 types (RFC 4443, RFC 4861). Those that ICMP has, too, end in 6.
const (
	DestUnreach6    = 1
	PacketTooBig    = 2
	TimeExceeded6   = 3
	ParamProblem6   = 4
	EchoRequest6    = 128
	EchoReply6      = 129
	RouterSolicit   = 133
	RouterAdvert    = 134
	NeighborSolicit = 135
	NeighborAdvert  = 136
	Redirect6       = 137
)

// Bits of ICMPv6View.Flags in a neighbor advertisement.
const (
	NARouter    = 0x80
	NASolicited = 0x40
	NAOverride  = 0x20
)

// ICMPv6View reads and writes an ICMPv6 header in place. ID and Seq, MTU and Flags
// are readings of the same four bytes: the type says which one counts.
type ICMPv6View struct{ p *Packet }

// ICMPv6 returns the ICMPv6 header, and false on a packet without one.
func (p *Packet) ICMPv6() (ICMPv6View, bool) { return ICMPv6View{p}, p.Layout().icmpIs(6) }

func (v ICMPv6View) at() int {
	if l := v.p.Layout(); l.icmpIs(6) {
		return l.L4
	}
	return gone
}

// Type is the message type, such as EchoRequest6.
func (v ICMPv6View) Type() uint8 { return v.p.get8(v.at()) }

// Code says more about the type.
func (v ICMPv6View) Code() uint8 { return v.p.get8(v.at() + 1) }

// ID is the identifier of an echo.
func (v ICMPv6View) ID() uint16 { return v.p.get16(v.at() + 4) }

// Seq is the sequence number of an echo.
func (v ICMPv6View) Seq() uint16 { return v.p.get16(v.at() + 6) }

// MTU is the next hop's, in "packet too big".
func (v ICMPv6View) MTU() uint32 { return v.p.get32(v.at() + 4) }

// Flags is NARouter, NASolicited and NAOverride of a neighbor advertisement.
func (v ICMPv6View) Flags() uint8 { return v.p.get8(v.at() + 4) }

// Checksum is the checksum as it will leave.
func (v ICMPv6View) Checksum() uint16 {
	if v.at() == gone {
		return 0
	}
	return v.p.transportChecksum()
}

// IsError reports an error message, which quotes a packet (RFC 4443 section 2.1).
func (v ICMPv6View) IsError() bool { return v.at() != gone && v.Type() < 128 }

// Target is the address that a neighbor solicitation asks for, an advertisement
// is about or a redirect names; false for other types and where it is cut short.
func (v ICMPv6View) Target() (netip.Addr, bool) {
	off := v.target()
	return v.p.getAddr6(off), off != gone
}

// target is the offset of the target address, gone if there is none.
func (v ICMPv6View) target() int {
	at := v.at()
	if at == gone || at+24 > v.p.Layout().End {
		return gone
	}
	switch v.Type() {
	case NeighborSolicit, NeighborAdvert, Redirect6:
		return at + 8
	}
	return gone
}

// LLAddr is the link-layer address option that goes with the type: the source's
// in solicitations and router advertisements, the target's in neighbor
// advertisements and redirects (RFC 4861 section 4.6.1).
func (v ICMPv6View) LLAddr() (MAC, bool) {
	off, _, _ := v.llAddr()
	return v.p.getMAC(off + 2), off != gone
}

// llAddr is the offset of the option, gone if there is none; where options end,
// 0 for a type that has none; and the option's number.
func (v ICMPv6View) llAddr() (off, end int, kind uint8) {
	at, l := v.at(), v.p.Layout()
	kind = 1
	switch v.Type() {
	case RouterSolicit:
		off = at + 8
	case RouterAdvert:
		off = at + 16
	case NeighborSolicit:
		off = at + 24
	case NeighborAdvert:
		off, kind = at+24, 2
	case Redirect6:
		off, kind = at+40, 2
	default:
		return gone, 0, 0
	}
	if at == gone || off > l.End {
		return gone, 0, 0
	}
	b := v.p.frame()
	for off+8 <= l.End && b[off+1] > 0 {
		n := int(b[off+1]) * 8
		if b[off] == kind && n == 8 {
			return off, l.End, kind
		}
		off += n
	}
	return gone, l.End, kind
}

// SetType sets the message type.
func (v ICMPv6View) SetType(t uint8) { v.p.change8(v.at(), t) }

// SetCode sets the code.
func (v ICMPv6View) SetCode(c uint8) { v.p.change8(v.at()+1, c) }

// SetID sets the identifier of an echo.
func (v ICMPv6View) SetID(id uint16) { v.p.change16(v.at()+4, id) }

// SetSeq sets the sequence number of an echo.
func (v ICMPv6View) SetSeq(seq uint16) { v.p.change16(v.at()+6, seq) }

// SetMTU sets the next hop's MTU.
func (v ICMPv6View) SetMTU(mtu uint32) { v.p.change32(v.at()+4, mtu) }

// SetFlags sets the flags of a neighbor advertisement.
func (v ICMPv6View) SetFlags(f uint8) { v.p.change8(v.at()+4, f) }

// SetTarget sets the target address of a message that has one.
func (v ICMPv6View) SetTarget(a netip.Addr) error {
	off := v.target()
	if off == gone {
		return &FieldError{"icmp6.target", "only neighbor solicitations, advertisements and redirects have one: set the type first"}
	}
	return v.p.setAddr6("icmp6.target", off, a)
}

// SetLLAddr sets the link-layer address option that goes with the type, and adds
// it where it is not there.
func (v ICMPv6View) SetLLAddr(m MAC) error {
	off, end, kind := v.llAddr()
	switch {
	case off != gone:
		v.p.change(off+2, m[:])
		return nil
	case end == 0:
		return &FieldError{"icmp6.lladdr", "this message has no place for one: it goes with neighbor and router messages"}
	case end-v.p.Layout().L3+8 > ip6Len+65535:
		return tooLong("icmp6.lladdr")
	}
	e := v.p.sumErrors()
	v.p.resizeAt(end, 0, 8, true)
	b := v.p.frame()[end:]
	b[0], b[1] = kind, 1
	copy(b[2:], m[:])
	v.p.touch()
	v.p.restore(e)
	return nil
}

// SetChecksum sets the checksum by hand: it stays until ResetChecksum.
func (v ICMPv6View) SetChecksum(sum uint16) { v.p.setTransportChecksum(v.at(), sum) }

// ResetChecksum lets the checksum be computed.
func (v ICMPv6View) ResetChecksum() { v.p.resetTransportChecksum(v.at()) }
