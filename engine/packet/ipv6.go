package packet

import (
	"fmt"
	"net/netip"
)

// IPv6View reads and writes an IPv6 header in place (RFC 8200). What it sets, the
// transport checksum follows.
type IPv6View struct{ p *Packet }

// IPv6 returns the IPv6 header, and false on a packet without one.
func (p *Packet) IPv6() (IPv6View, bool) { return IPv6View{p}, p.Layout().Version == 6 }

func (v IPv6View) at() int {
	if l := v.p.Layout(); l.Version == 6 {
		return l.L3
	}
	return gone
}

// Src is the source address.
func (v IPv6View) Src() netip.Addr { return v.p.getAddr6(v.at() + 8) }

// Dst is the destination address.
func (v IPv6View) Dst() netip.Addr { return v.p.getAddr6(v.at() + 24) }

// TTL is the hop limit.
func (v IPv6View) TTL() uint8 { return v.p.get8(v.at() + 7) }

// Proto is the protocol behind all extension headers that are there.
func (v IPv6View) Proto() uint8 {
	if v.at() == gone {
		return 0
	}
	return v.p.Layout().Proto
}

// TOS is the whole traffic class: DSCP and ECN.
func (v IPv6View) TOS() uint8 { return uint8(v.p.get16(v.at()) >> 4) }

// DSCP is the differentiated services code point, 0 to 63 (RFC 2474).
func (v IPv6View) DSCP() uint8 { return v.TOS() >> 2 }

// ECN is the congestion field, 0 to 3 (RFC 3168).
func (v IPv6View) ECN() uint8 { return v.TOS() & 3 }

// FlowLabel is the flow label, 20 bits (RFC 6437).
func (v IPv6View) FlowLabel() uint32 { return v.p.get32(v.at()) & 0xfffff }

// NextHeader is what directly follows the 40 bytes: an extension header or Proto.
func (v IPv6View) NextHeader() uint8 { return v.p.get8(v.at() + 6) }

// Len is the length of the whole IP packet as the header says, in bytes: 40 more
// than the payload length that stands there.
func (v IPv6View) Len() int {
	if v.at() == gone {
		return 0
	}
	return ip6Len + int(v.p.get16(v.at()+4))
}

// SetSrc sets the source address, which must be an IPv6 address.
func (v IPv6View) SetSrc(a netip.Addr) error { return v.p.setAddr6("ip6.src", v.at()+8, a) }

// SetDst sets the destination address, which must be an IPv6 address.
func (v IPv6View) SetDst(a netip.Addr) error { return v.p.setAddr6("ip6.dst", v.at()+24, a) }

// SetTTL sets the hop limit.
func (v IPv6View) SetTTL(ttl uint8) { v.p.change8(v.at()+7, ttl) }

// SetProto sets the protocol behind all extension headers; what follows is read
// as that from then on.
func (v IPv6View) SetProto(proto uint8) {
	if v.at() != gone {
		v.p.reshape(v.p.Layout().named, []byte{proto})
	}
}

// SetTOS sets the whole traffic class.
func (v IPv6View) SetTOS(tos uint8) {
	v.p.change16(v.at(), v.p.get16(v.at())&0xf00f|uint16(tos)<<4)
}

// SetDSCP sets the code point; only the low 6 bits of d count.
func (v IPv6View) SetDSCP(d uint8) { v.SetTOS(v.TOS()&3 | d<<2) }

// SetECN sets the congestion field; only the low 2 bits of e count.
func (v IPv6View) SetECN(e uint8) { v.SetTOS(v.TOS()&^3 | e&3) }

// SetFlowLabel sets the flow label; only the low 20 bits of f count.
func (v IPv6View) SetFlowLabel(f uint32) {
	v.p.change32(v.at(), v.p.get32(v.at())&^0xfffff|f&0xfffff)
}

// SetLen sets the length of the whole IP packet by hand, 40 to 65575: it stays
// until ResetLen, and says nothing about the bytes there.
func (v IPv6View) SetLen(n int) error {
	if n < ip6Len || n > ip6Len+65535 {
		return &FieldError{"ip6.len", fmt.Sprintf("%d cannot be written: give 40 to 65575, the header's 40 bytes included", n)}
	}
	v.p.fixIP()
	v.p.change16(v.at()+4, uint16(n-ip6Len))
	return nil
}

// ResetLen lets the length follow the bytes again.
func (v IPv6View) ResetLen() {
	if l := v.p.Layout(); l.Version == 6 && v.p.fixed&fixedIP != 0 {
		v.p.change16(l.L3+4, uint16(l.End-l.L3-ip6Len))
		v.p.fixed &^= fixedIP
		v.p.touch()
	}
}

func (p *Packet) getAddr6(off int) netip.Addr {
	if b := p.frame(); off+16 <= len(b) {
		return netip.AddrFrom16([16]byte(b[off:]))
	}
	return netip.Addr{}
}

func (p *Packet) setAddr6(field string, off int, a netip.Addr) error {
	if !a.Is6() {
		return wrongFamily(field, a, 6)
	}
	b := a.As16()
	p.change(off, b[:])
	return nil
}
