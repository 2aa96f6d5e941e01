package packet

import "encoding/binary"

// StripEthernet takes the Ethernet header and its VLAN tags off, so that the
// frame begins with what they carried. Padding behind the packet's own end goes
// with them.
func (p *Packet) StripEthernet() {
	if p.link != Ethernet {
		return
	}
	l := p.Layout()
	p.end = p.off + l.End
	p.link = IP
	p.pull(min(l.L3, p.Len()))
}

// AddEthernet puts an Ethernet header in front of an IP packet.
func (p *Packet) AddEthernet(src, dst MAC) {
	if p.link != IP {
		return
	}
	kind := p.Layout().Type
	h := p.push(ethLen)
	copy(h[0:], dst[:])
	copy(h[6:], src[:])
	binary.BigEndian.PutUint16(h[12:], kind)
	p.link = Ethernet
	p.touch()
}
