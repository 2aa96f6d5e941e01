package packet

import "encoding/binary"

// A Partial says that the transport checksum holds only the kernel's partial
// sum, and where: what the vnet header of a TUN device carries as csum_start and
// csum_offset. Start counts from the first byte of the frame, Offset from Start.
type Partial struct {
	Start, Offset int
}

// A GSO says how a super-packet is to be cut into segments. Size is the payload
// of one segment in bytes; 0 means an ordinary packet.
type GSO struct {
	Type uint8 // virtio_net_hdr gso_type, the ECN bit included
	Size uint16
}

// GSO returns how a super-packet is cut; the zero GSO for an ordinary packet.
func (p *Packet) GSO() GSO { return p.gso }

// SetGSO marks the packet as a super-packet. It is for devices.
func (p *Packet) SetGSO(g GSO) { p.gso = g }

// Segments is how many packets on the wire the packet stands for, 1 for an
// ordinary one.
func (p *Packet) Segments() int {
	if p.gso.Size == 0 {
		return 1
	}
	n := p.Len() - p.Layout().Data
	return max(1, (n+int(p.gso.Size)-1)/int(p.gso.Size))
}

// Partial returns where the unfinished transport checksum is, and false if there
// is none. A device that is about to write the frame calls [Packet.Unfinish]
// first.
func (p *Packet) Partial() (Partial, bool) {
	if p.sum4 != unfinished {
		return Partial{}, false
	}
	l := p.Layout()
	at := l.sumAt()
	if at == 0 {
		return Partial{}, false
	}
	return Partial{Start: l.L4, Offset: at - l.L4}, true
}

// SetPartial says that the transport checksum is the kernel's partial sum. It is
// for devices, right after the bytes were read, and has no effect on a packet
// whose transport has no checksum that we know.
func (p *Packet) SetPartial() {
	if p.Layout().sumAt() > 0 {
		p.sum4 = unfinished
	}
}

// Verify lets the TCP checksum that came with the packet be computed anew where it is
// right, so that the packet may become part of a super-packet, which gets its checksums
// from the kernel; one that is wrong stays wrong. It is for devices that get packets one
// by one from a wire, right after the bytes were read, and costs a sum over them.
func (p *Packet) Verify() {
	l := p.Layout()
	at := l.sumAt()
	if l.Proto != ProtoTCP || at == 0 || p.sum4 != asCame || l.Fragment() {
		return
	}
	if b := p.frame(); binary.BigEndian.Uint16(b[at:]) == l.transportSum(b) {
		p.sum4 = due
	}
}

// Unfinish makes the frame ready for a device that finishes transport checksums
// itself, as one with a vnet header does: one that is due becomes the kernel's
// partial sum, which costs nothing, and whatever else is due is finished. It
// reports whether there is a [Packet.Partial] now.
func (p *Packet) Unfinish() bool {
	l, b := p.Layout(), p.frame()
	if at := l.sumAt(); p.sum4 == due && at > 0 && !l.Fragment() && (l.Version == 6 || l.Proto != ProtoICMP) {
		binary.BigEndian.PutUint16(b[at:], fold(l.pseudo(b)))
		p.sum4 = unfinished
	}
	if p.sum4 != unfinished {
		p.Finish()
		return false
	}
	if p.sum3 == due && l.Version == 4 {
		binary.BigEndian.PutUint16(b[l.L3+10:], l.headerSum(b))
		p.sum3 = asCame
	}
	return true
}
