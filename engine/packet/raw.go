package packet

import "encoding/binary"

// Uint8 reads one byte at off, counted from the start of the frame as all offsets
// here, as it will leave; false if it is outside.
func (p *Packet) Uint8(off int) (uint8, bool) {
	var b [1]byte
	ok := p.read(off, b[:])
	return b[0], ok
}

// Uint16 reads two bytes at off, big-endian.
func (p *Packet) Uint16(off int) (uint16, bool) {
	var b [2]byte
	ok := p.read(off, b[:])
	return binary.BigEndian.Uint16(b[:]), ok
}

// Uint32 reads four bytes at off, big-endian.
func (p *Packet) Uint32(off int) (uint32, bool) {
	var b [4]byte
	ok := p.read(off, b[:])
	return binary.BigEndian.Uint32(b[:]), ok
}

// Bits reads n bits, at most 64, from bit off on, where bit 0 is the highest of
// the first byte, as RFC diagrams count.
func (p *Packet) Bits(off, n int) (uint64, bool) {
	if off < 0 || n < 0 || n > 64 || off > 8*MaxLen {
		return 0, false
	}
	var b [9]byte
	first, last := off/8, (off+n+7)/8
	if !p.read(first, b[:last-first]) {
		return 0, false
	}
	var v uint64
	for i := off; i < off+n; i++ {
		v = v<<1 | uint64(b[i/8-first]>>(7-i%8))&1
	}
	return v, true
}

// AppendRange appends n bytes from off on, as they will leave, to b; false if
// they are not all there.
func (p *Packet) AppendRange(b []byte, off, n int) ([]byte, bool) {
	if off < 0 || n < 0 || off > p.Len() || n > p.Len()-off {
		return b, false
	}
	at := len(b)
	b = append(b, p.frame()[off:off+n]...)
	p.show(off, b[at:])
	return b, true
}

func (p *Packet) read(off int, b []byte) bool {
	f := p.frame()
	if off < 0 || off > len(f) || len(b) > len(f)-off {
		return false
	}
	copy(b, f[off:])
	p.show(off, b)
	return true
}

// show puts checksums as they will leave into b, a copy of the frame from off on.
func (p *Packet) show(off int, b []byte) {
	if p.sum3 != due && p.sum4 != due && p.sum4 != unfinished {
		return
	}
	l := p.Layout()
	if at := l.L3 + 10; l.Version == 4 && p.sum3 == due && at+2 > off && at < off+len(b) {
		patch(b, at-off, l.headerSum(p.frame()))
	}
	if at := l.sumAt(); at > 0 && at+2 > off && at < off+len(b) {
		patch(b, at-off, p.transportChecksum())
	}
}

// patch writes v at off in b, as far as it is inside.
func patch(b []byte, off int, v uint16) {
	if off >= 0 && off < len(b) {
		b[off] = uint8(v >> 8)
	}
	if off++; off >= 0 && off < len(b) {
		b[off] = uint8(v)
	}
}

// SetUint8 writes one byte at off. Checksums follow, and a length or checksum that
// is written stays, as if set by its own name.
func (p *Packet) SetUint8(off int, v uint8) error { return p.SetBytes(off, []byte{v}) }

// SetUint16 writes two bytes at off, big-endian, as SetUint8 does.
func (p *Packet) SetUint16(off int, v uint16) error {
	return p.SetBytes(off, []byte{byte(v >> 8), byte(v)})
}

// SetUint32 writes four bytes at off, big-endian, as SetUint8 does.
func (p *Packet) SetUint32(off int, v uint32) error {
	return p.SetBytes(off, []byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
}

// SetBytes overwrites what stands at off by b, as SetUint8 does; it must all lie
// inside the frame.
func (p *Packet) SetBytes(off int, b []byte) error {
	if off < 0 || off > p.Len() || len(b) > p.Len()-off {
		return p.outside(off, len(b))
	}
	end := off + len(b)
	p.pin(off, end)
	if p.plain(off, end) {
		p.change(off, b)
	} else {
		p.reshape(off, b)
	}
	p.touch()
	return nil
}

// pin makes lengths and checksums that the bytes off to end overwrite stay.
func (p *Packet) pin(off, end int) {
	l := p.Layout()
	over := func(at int) bool { return at > 0 && off < at+2 && end > at }
	// Half a checksum is written on top of a finished one.
	if p.sum3 == due && l.Version == 4 && over(l.L3+10) || (p.sum4 == due || p.sum4 == unfinished) && over(l.sumAt()) {
		p.Finish()
	}
	if l.Version == 4 && over(l.L3+10) {
		p.sum3 = byHand
	}
	if over(l.sumAt()) {
		p.sum4 = byHand
	}
	if l.transportIs(ProtoUDP) && over(l.L4+4) {
		p.fixed |= fixedUDP
	}
	if l.Version == 4 && over(l.L3+2) || l.Version == 6 && over(l.L3+4) {
		p.fixIP()
	}
}

// plain reports that nothing between off and end decides where headers are.
func (p *Packet) plain(off, end int) bool {
	l := p.Layout()
	switch {
	case l.Version == 0:
		return off >= l.Data
	case off >= l.L4 && l.L4 > 0:
		return l.Proto != ProtoTCP || off > l.L4+12 || end <= l.L4+12
	case l.Version == 4:
		return off >= l.L3+8 && end <= l.L3+20 && (off > l.L3+9 || end <= l.L3+9)
	}
	return off >= l.L3+7 && end <= l.L3+40
}
