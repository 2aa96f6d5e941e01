package packet

import "encoding/binary"

// EthernetView reads and writes the Ethernet header in place.
type EthernetView struct{ p *Packet }

// Ethernet returns the Ethernet header, and false on a packet that has none.
func (p *Packet) Ethernet() (EthernetView, bool) {
	return EthernetView{p}, p.link == Ethernet && p.Len() >= ethLen
}

func (v EthernetView) at() int {
	if v.p.link == Ethernet && v.p.Len() >= ethLen {
		return 0
	}
	return gone
}

// Dst is the address that the frame is for.
func (v EthernetView) Dst() MAC { return v.p.getMAC(v.at()) }

// Src is the address that the frame is from.
func (v EthernetView) Src() MAC { return v.p.getMAC(v.at() + 6) }

// Type is the ethertype that follows the addresses: TypeVLAN where there is a
// tag. Below 1536 it is an IEEE 802.3 length.
func (v EthernetView) Type() uint16 { return v.p.get16(v.at() + 12) }

// SetDst sets the address that the frame is for.
func (v EthernetView) SetDst(m MAC) { v.p.change(v.at(), m[:]) }

// SetSrc sets the address that the frame is from.
func (v EthernetView) SetSrc(m MAC) { v.p.change(v.at()+6, m[:]) }

// SetType sets the ethertype; what follows is read as that from then on.
func (v EthernetView) SetType(t uint16) { v.p.reshape16(v.at()+12, t) }

func (p *Packet) getMAC(off int) (m MAC) {
	if b := p.frame(); off+6 <= len(b) {
		m = MAC(b[off:])
	}
	return m
}

// PushEthernet puts an Ethernet header before an IP packet, as one needs that
// leaves by a TAP device. It does nothing to a packet that has one.
func (p *Packet) PushEthernet(dst, src MAC) {
	if p.link == Ethernet || p.Len() == 0 {
		return
	}
	typ := uint16(TypeIPv4)
	if p.frame()[0]>>4 == 6 {
		typ = TypeIPv6
	}
	h := p.push(ethLen)
	copy(h, dst[:])
	copy(h[6:], src[:])
	binary.BigEndian.PutUint16(h[12:], typ)
	p.link = Ethernet
}

// PopEthernet takes the Ethernet header and VLAN tags off an IP packet, as one
// needs that leaves by a TUN device, and Ethernet's padding with them. It reports
// whether the packet now begins with IP; another stays as it is.
func (p *Packet) PopEthernet() bool {
	if p.link == IP {
		return true
	}
	l := *p.Layout()
	if l.Version == 0 {
		return false
	}
	if p.fixed&fixedIP == 0 {
		p.end = p.off + l.End
	}
	p.pull(l.L3)
	p.link = IP
	return true
}
