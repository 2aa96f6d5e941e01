package packet

// Room empties the packet and returns n bytes of its buffer, for a device to
// read a frame into without a copy. They hold whatever was there. Fill ends it;
// until then the packet is empty.
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
	if err := check(p.buf[p.off+from:p.off+to], link); err != nil {
		return err
	}
	p.link = link
	p.off, p.end = p.off+from, p.off+to
	p.touch()
	return nil
}
