package packet

// Room empties the packet and returns n bytes of its buffer, for a device to
// read a frame into without a copy. They hold whatever was there. Fill ends it;
// until then the packet is empty. It panics as make does if n is less than 0.
func (p *Packet) Room(n int) []byte {
	p.reset()
	if p.off+n > len(p.buf) {
		p.grow(n)
	}
	return p.buf[p.off : p.off+n]
}

// Fill makes the frame of the bytes from to to of Room: what lies before is a
// header of the device and becomes headroom. It refuses what Parse refuses, and
// then the packet is empty.
func (p *Packet) Fill(from, to int, link LinkType) error {
	if from < 0 || to < from || to > len(p.buf)-p.off {
		return &ParseError{link, to - from, "they are not in the packet's buffer: give what Room returned, or less"}
	}
	if err := check(p.buf[p.off+from:p.off+to], link); err != nil {
		return err
	}
	p.link = link
	p.off, p.end = p.off+from, p.off+to
	p.touch()
	return nil
}

// Lead returns the frame behind n bytes of headroom, for the header of a device; nil if
// there is not as much.
func (p *Packet) Lead(n int) []byte {
	if n < 0 || p.off < n {
		return nil
	}
	return p.buf[p.off-n : p.end]
}

// FinishAt finishes a checksum that is none of the packet's own headers, such as that of
// a packet in a tunnel: the sum from at.Start on, in which its field counts with the
// partial sum that it holds. One that lies outside the frame is left alone.
func (p *Packet) FinishAt(at Partial) {
	p.sum4 = asCame
	b := p.frame()
	if at.Start < 0 || at.Offset < 0 || at.Start+at.Offset+2 > len(b) {
		return
	}
	sum := Checksum(b[at.Start:])
	if sum == 0 && at.Offset == 6 {
		sum = 0xffff // RFC 768, as for all that the kernel leaves unfinished there
	}
	p.setRaw16(at.Start+at.Offset, sum)
}
