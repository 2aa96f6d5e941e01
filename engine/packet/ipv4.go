package packet

import (
	"fmt"
	"net/netip"
)

// IPv4View reads and writes an IPv4 header in place (RFC 791). What it sets, the
// header checksum and the transport's follow.
type IPv4View struct{ p *Packet }

// IPv4 returns the IPv4 header, and false on a packet without one.
func (p *Packet) IPv4() (IPv4View, bool) { return IPv4View{p}, p.Layout().Version == 4 }

func (v IPv4View) at() int {
	if l := v.p.Layout(); l.Version == 4 {
		return l.L3
	}
	return gone
}

// Src is the source address.
func (v IPv4View) Src() netip.Addr { return v.p.getAddr4(v.at() + 12) }

// Dst is the destination address.
func (v IPv4View) Dst() netip.Addr { return v.p.getAddr4(v.at() + 16) }

// TTL is the time to live in hops.
func (v IPv4View) TTL() uint8 { return v.p.get8(v.at() + 8) }

// Proto is the protocol of what follows, such as ProtoTCP.
func (v IPv4View) Proto() uint8 { return v.p.get8(v.at() + 9) }

// TOS is the whole type-of-service byte: DSCP and ECN.
func (v IPv4View) TOS() uint8 { return v.p.get8(v.at() + 1) }

// DSCP is the differentiated services code point, 0 to 63 (RFC 2474).
func (v IPv4View) DSCP() uint8 { return v.TOS() >> 2 }

// ECN is the congestion field, 0 to 3 (RFC 3168).
func (v IPv4View) ECN() uint8 { return v.TOS() & 3 }

// ID is the identification that the fragments of a datagram share.
func (v IPv4View) ID() uint16 { return v.p.get16(v.at() + 4) }

// DF says that nobody may fragment the packet.
func (v IPv4View) DF() bool { return v.p.get8(v.at()+6)&0x40 != 0 }

// MF says that more fragments follow.
func (v IPv4View) MF() bool { return v.p.get8(v.at()+6)&0x20 != 0 }

// Frag is the fragment offset in bytes, a multiple of 8.
func (v IPv4View) Frag() int { return int(v.p.get16(v.at()+6)&0x1fff) * 8 }

// Len is the length of the whole IP packet as the header says, in bytes.
func (v IPv4View) Len() int { return int(v.p.get16(v.at() + 2)) }

// HeaderLen is the length of the header with its options, in bytes.
func (v IPv4View) HeaderLen() int { return int(v.p.get8(v.at())&15) * 4 }

// Options is the raw options, padding included. They are the packet's own bytes:
// read them before the next change, and write them by SetOptions.
func (v IPv4View) Options() []byte {
	at := v.at()
	if at == gone {
		return nil
	}
	return v.p.frame()[at+ip4Len : at+v.HeaderLen()]
}

// SetSrc sets the source address, which must be an IPv4 address.
func (v IPv4View) SetSrc(a netip.Addr) error { return v.p.setAddr4("ip4.src", v.at()+12, a) }

// SetDst sets the destination address, which must be an IPv4 address.
func (v IPv4View) SetDst(a netip.Addr) error { return v.p.setAddr4("ip4.dst", v.at()+16, a) }

// SetTTL sets the time to live.
func (v IPv4View) SetTTL(ttl uint8) { v.p.change8(v.at()+8, ttl) }

// SetProto sets the protocol; what follows is read as that from then on.
func (v IPv4View) SetProto(proto uint8) { v.p.reshape(v.at()+9, []byte{proto}) }

// SetTOS sets the whole type-of-service byte.
func (v IPv4View) SetTOS(tos uint8) { v.p.change8(v.at()+1, tos) }

// SetDSCP sets the code point; only the low 6 bits of d count.
func (v IPv4View) SetDSCP(d uint8) { v.SetTOS(v.TOS()&3 | d<<2) }

// SetECN sets the congestion field; only the low 2 bits of e count.
func (v IPv4View) SetECN(e uint8) { v.SetTOS(v.TOS()&^3 | e&3) }

// SetID sets the identification.
func (v IPv4View) SetID(id uint16) { v.p.change16(v.at()+4, id) }

// SetDF forbids or allows fragments.
func (v IPv4View) SetDF(on bool) { v.p.change8(v.at()+6, v.p.get8(v.at()+6)&^0x40|bit(on, 0x40)) }

// SetMF says whether more fragments follow. The transport checksum of what was
// whole before is finished first: it covers all fragments.
func (v IPv4View) SetMF(on bool) {
	v.p.reshape(v.at()+6, []byte{v.p.get8(v.at()+6)&^0x20 | bit(on, 0x20)})
}

// SetFrag sets the fragment offset in bytes: a multiple of 8 up to 65528.
func (v IPv4View) SetFrag(off int) error {
	if off < 0 || off > 65528 || off%8 != 0 {
		return fragError("ip4.frag", off)
	}
	v.p.reshape16(v.at()+6, v.p.get16(v.at()+6)&0xe000|uint16(off/8))
	return nil
}

func fragError(field string, off int) error {
	return &FieldError{field, fmt.Sprintf("%d is no fragment offset: give a multiple of 8 from 0 to 65528", off)}
}

// SetLen sets the total length by hand, 0 to 65535: it stays until ResetLen,
// whatever the packet's length becomes, and says nothing about the bytes there.
func (v IPv4View) SetLen(n int) error {
	if n < 0 || n > 65535 {
		return &FieldError{"ip4.len", fmt.Sprintf("%d does not fit in 16 bits: give 0 to 65535", n)}
	}
	v.p.fixIP()
	v.p.change16(v.at()+2, uint16(n))
	return nil
}

// ResetLen lets the total length follow the bytes again.
func (v IPv4View) ResetLen() {
	if l := v.p.Layout(); l.Version == 4 && v.p.fixed&fixedIP != 0 {
		v.p.change16(l.L3+2, uint16(l.End-l.L3))
		v.p.fixed &^= fixedIP
		v.p.touch()
	}
}

// fixIP makes the IP length stay, and keeps in mind where the packet ends.
func (p *Packet) fixIP() {
	if l := p.Layout(); p.fixed&fixedIP == 0 && l.Version != 0 {
		p.pad = p.Len() - l.End
		p.fixed |= fixedIP
		p.touch()
	}
}

// Checksum is the header checksum as it will leave.
func (v IPv4View) Checksum() uint16 {
	if l := v.p.Layout(); l.Version == 4 && v.p.sum3 == due {
		return l.headerSum(v.p.frame())
	}
	return v.p.get16(v.at() + 10)
}

// SetChecksum sets the header checksum by hand: it stays until ResetChecksum.
func (v IPv4View) SetChecksum(sum uint16) {
	if at := v.at(); at != gone {
		v.p.setRaw16(at+10, sum)
		v.p.sum3 = byHand
	}
}

// ResetChecksum lets the header checksum be computed.
func (v IPv4View) ResetChecksum() {
	v.p.sum3 = due
	v.p.edits++
}

// SetOptions replaces all options by b, padded with zeros to whole words (RFC 791
// section 3.1). At most 40 bytes fit.
func (v IPv4View) SetOptions(b []byte) error {
	if len(b) > 40 {
		return &FieldError{"ip4.options", fmt.Sprintf("%d bytes, but at most 40 fit", len(b))}
	}
	at := v.at()
	if at == gone {
		return nil
	}
	var opts [40]byte // b may be a part of this packet
	n := (copy(opts[:], b) + 3) &^ 3
	if n == v.HeaderLen()-ip4Len {
		v.p.change(at+ip4Len, opts[:n])
		return nil
	}
	if l := v.p.Layout(); l.End-l.L3-v.HeaderLen()+ip4Len+n > 65535 {
		return tooLong("ip4.options")
	}
	e := v.p.sumErrors()
	v.p.resizeAt(at+ip4Len, v.HeaderLen()-ip4Len, n, false)
	f := v.p.frame()[at:]
	f[0] = 4<<4 | uint8(ip4Len+n)/4
	copy(f[ip4Len:], opts[:n])
	v.p.touch()
	v.p.restore(e)
	return nil
}

func tooLong(field string) error {
	return &FieldError{field, "the IP packet would be longer than 65535 bytes: give less"}
}

func (p *Packet) getAddr4(off int) netip.Addr {
	if b := p.frame(); off+4 <= len(b) {
		return netip.AddrFrom4([4]byte(b[off:]))
	}
	return netip.Addr{}
}

func (p *Packet) setAddr4(field string, off int, a netip.Addr) error {
	if !a.Is4() {
		return wrongFamily(field, a, 4)
	}
	b := a.As4()
	p.change(off, b[:])
	return nil
}

func (p *Packet) reshape16(off int, v uint16) { p.reshape(off, []byte{byte(v >> 8), byte(v)}) }
