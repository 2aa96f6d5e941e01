package packet

// VLANView reads and writes the outermost VLAN tag in place (IEEE 802.1Q).
type VLANView struct{ p *Packet }

// VLAN returns the outermost VLAN tag, and false on a packet without one.
func (p *Packet) VLAN() (VLANView, bool) { return VLANView{p}, p.Layout().Tags > 0 }

func (v VLANView) at() int {
	if v.p.Layout().Tags > 0 {
		return ethLen
	}
	return gone
}

// ID is the VLAN's number, 0 to 4095.
func (v VLANView) ID() uint16 { return v.p.get16(v.at()) & 0xfff }

// Prio is the priority, 0 to 7.
func (v VLANView) Prio() uint8 { return v.p.get8(v.at()) >> 5 }

// DEI is the drop eligible indicator.
func (v VLANView) DEI() bool { return v.p.get8(v.at())&0x10 != 0 }

// Type is the ethertype of what follows the tag.
func (v VLANView) Type() uint16 { return v.p.get16(v.at() + 2) }

// SetID sets the VLAN's number; only the low 12 bits of id count.
func (v VLANView) SetID(id uint16) { v.p.change16(v.at(), v.p.get16(v.at())&0xf000|id&0xfff) }

// SetPrio sets the priority; only the low 3 bits of prio count.
func (v VLANView) SetPrio(prio uint8) { v.p.change8(v.at(), v.p.get8(v.at())&0x1f|prio<<5) }

// SetDEI sets the drop eligible indicator.
func (v VLANView) SetDEI(on bool) { v.p.change8(v.at(), v.p.get8(v.at())&^0x10|bit(on, 0x10)) }

// SetType sets the ethertype of what follows the tag.
func (v VLANView) SetType(t uint16) { v.p.reshape16(v.at()+2, t) }

// PushVLAN puts a tag outside all others. It fails on a packet without an
// Ethernet header, and on one with two tags, behind which nothing would be found.
func (p *Packet) PushVLAN(id uint16, prio uint8) error {
	if _, ok := p.Ethernet(); !ok {
		return &FieldError{"vlan", "a tag stands behind an Ethernet header, which this packet has not: add one first"}
	}
	if p.Layout().Tags == 2 {
		return &FieldError{"vlan", "there are two tags already: take one off first"}
	}
	h := p.push(vlanLen)
	copy(h[:12], p.frame()[vlanLen:])
	f := p.frame()
	f[12], f[13] = TypeVLAN>>8, TypeVLAN&0xff
	f[14], f[15] = prio<<5|uint8(id>>8)&15, uint8(id)
	return nil
}

// PopVLAN takes the outermost tag off and reports whether there was one.
func (p *Packet) PopVLAN() bool {
	if p.Layout().Tags == 0 {
		return false
	}
	f := p.frame()
	copy(f[vlanLen:ethLen+2], f[:12])
	p.pull(vlanLen)
	return true
}

func bit(on bool, b uint8) uint8 {
	if on {
		return b
	}
	return 0
}
