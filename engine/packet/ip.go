package packet

import "net/netip"

// IPView reads and writes an IP header of either version in place. What a version
// lacks is read as not there and refused when set.
type IPView struct{ p *Packet }

// IP returns the IP header of either version, and false on a packet without one.
func (p *Packet) IP() (IPView, bool) { return IPView{p}, p.Layout().Version != 0 }

func (v IPView) is4() bool    { return v.p.Layout().Version == 4 }
func (v IPView) v4() IPv4View { return IPv4View(v) }
func (v IPView) v6() IPv6View { return IPv6View(v) }

// Version is 4 or 6.
func (v IPView) Version() uint8 { return v.p.Layout().Version }

// Src is the source address.
func (v IPView) Src() netip.Addr {
	if v.is4() {
		return v.v4().Src()
	}
	return v.v6().Src()
}

// Dst is the destination address.
func (v IPView) Dst() netip.Addr {
	if v.is4() {
		return v.v4().Dst()
	}
	return v.v6().Dst()
}

// TTL is the time to live, or IPv6's hop limit.
func (v IPView) TTL() uint8 {
	if v.is4() {
		return v.v4().TTL()
	}
	return v.v6().TTL()
}

// Proto is the protocol of what follows, behind IPv6's extension headers.
func (v IPView) Proto() uint8 { return v.p.Layout().Proto }

// TOS is the type of service, or IPv6's traffic class: DSCP and ECN.
func (v IPView) TOS() uint8 {
	if v.is4() {
		return v.v4().TOS()
	}
	return v.v6().TOS()
}

// DSCP is the differentiated services code point, 0 to 63.
func (v IPView) DSCP() uint8 { return v.TOS() >> 2 }

// ECN is the congestion field, 0 to 3.
func (v IPView) ECN() uint8 { return v.TOS() & 3 }

// Len is the length of the whole IP packet as the header says, in bytes.
func (v IPView) Len() int {
	if v.is4() {
		return v.v4().Len()
	}
	return v.v6().Len()
}

// ID is the identification; in IPv6 that of the fragment header, if there is one.
func (v IPView) ID() (id uint32, ok bool) {
	if v.is4() {
		return uint32(v.v4().ID()), true
	}
	if at := v.p.Layout().Frag; at > 0 {
		return v.p.get32(at + 4), true
	}
	return 0, false
}

// DF says that nobody may fragment the packet, which IPv6 always says.
func (v IPView) DF() bool { return !v.is4() || v.v4().DF() }

// MF says that more fragments follow; in IPv6 the fragment header does, if there
// is one.
func (v IPView) MF() (mf, ok bool) {
	l := v.p.Layout()
	return l.MoreFrags, v.is4() || l.Frag > 0
}

// Frag is the fragment offset in bytes; in IPv6 that of the fragment header, if
// there is one.
func (v IPView) Frag() (off int, ok bool) {
	l := v.p.Layout()
	return l.FragOff, v.is4() || l.Frag > 0
}

// Checksum is IPv4's header checksum as it will leave; IPv6 has none.
func (v IPView) Checksum() (sum uint16, ok bool) {
	if v.is4() {
		return v.v4().Checksum(), true
	}
	return 0, false
}

// SetSrc sets the source address, which must be of the header's version.
func (v IPView) SetSrc(a netip.Addr) error {
	if v.is4() {
		return v.v4().SetSrc(a)
	}
	return v.v6().SetSrc(a)
}

// SetDst sets the destination address, which must be of the header's version.
func (v IPView) SetDst(a netip.Addr) error {
	if v.is4() {
		return v.v4().SetDst(a)
	}
	return v.v6().SetDst(a)
}

// SetTTL sets the time to live or the hop limit.
func (v IPView) SetTTL(ttl uint8) {
	if v.is4() {
		v.v4().SetTTL(ttl)
	} else {
		v.v6().SetTTL(ttl)
	}
}

// SetProto sets the protocol; what follows is read as that from then on.
func (v IPView) SetProto(proto uint8) {
	if v.is4() {
		v.v4().SetProto(proto)
	} else {
		v.v6().SetProto(proto)
	}
}

// SetTOS sets the type of service or the traffic class.
func (v IPView) SetTOS(tos uint8) {
	if v.is4() {
		v.v4().SetTOS(tos)
	} else {
		v.v6().SetTOS(tos)
	}
}

// SetDSCP sets the code point; only the low 6 bits of d count.
func (v IPView) SetDSCP(d uint8) { v.SetTOS(v.TOS()&3 | d<<2) }

// SetECN sets the congestion field; only the low 2 bits of e count.
func (v IPView) SetECN(e uint8) { v.SetTOS(v.TOS()&^3 | e&3) }

// SetLen sets the length of the whole IP packet by hand: it stays until ResetLen.
func (v IPView) SetLen(n int) error {
	if v.is4() {
		return v.v4().SetLen(n)
	}
	return v.v6().SetLen(n)
}

// ResetLen lets the length follow the bytes again.
func (v IPView) ResetLen() {
	v.v4().ResetLen()
	v.v6().ResetLen()
}

// SetID sets the identification: 16 bits in IPv4, 32 in an IPv6 fragment header.
func (v IPView) SetID(id uint32) error {
	switch at := v.p.Layout().Frag; {
	case v.is4() && id > 0xffff:
		return &FieldError{"ip.id", "an IPv4 id has 16 bits: give 0 to 65535"}
	case v.is4():
		v.v4().SetID(uint16(id))
	case at > 0:
		v.p.change32(at+4, id)
	default:
		return absent("ip.id")
	}
	return nil
}

// SetDF forbids or allows fragments. IPv6 always forbids them.
func (v IPView) SetDF(on bool) error {
	if v.is4() {
		v.v4().SetDF(on)
	} else if !on {
		return &FieldError{"ip.df", "nobody on the way may fragment IPv6: leave it"}
	}
	return nil
}

// SetMF says whether more fragments follow.
func (v IPView) SetMF(on bool) error {
	if v.is4() {
		v.v4().SetMF(on)
		return nil
	}
	at := v.p.Layout().Frag
	if at == 0 {
		return absent("ip.mf")
	}
	v.p.reshape(at+3, []byte{v.p.get8(at+3)&^1 | bit(on, 1)})
	return nil
}

// SetFrag sets the fragment offset in bytes: a multiple of 8 up to 65528.
func (v IPView) SetFrag(off int) error {
	if v.is4() {
		return v.v4().SetFrag(off)
	}
	at := v.p.Layout().Frag
	switch {
	case at == 0:
		return absent("ip.frag")
	case off < 0 || off > 65528 || off%8 != 0:
		return fragError("ip6.frag", off)
	}
	v.p.reshape16(at+2, v.p.get16(at+2)&7|uint16(off))
	return nil
}

// SetChecksum sets IPv4's header checksum by hand: it stays until ResetChecksum.
func (v IPView) SetChecksum(sum uint16) error {
	if !v.is4() {
		return &FieldError{"ip.checksum", "IPv6 has no header checksum: set that of the transport"}
	}
	v.v4().SetChecksum(sum)
	return nil
}

// ResetChecksum lets IPv4's header checksum be computed.
func (v IPView) ResetChecksum() {
	if v.is4() {
		v.v4().ResetChecksum()
	}
}
