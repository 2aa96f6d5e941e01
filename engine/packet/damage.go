package packet

// Damage flips the bits of mask in the byte at off, counted from the start of the
// frame, as a bad wire does: no length and no checksum follows, so a receiver that
// looks can tell. What was due or unfinished is finished first. It fails with a
// [*FieldError] outside the frame. A super-packet is to be cut up before: whoever
// does that computes its checksums anew.
func (p *Packet) Damage(off int, mask uint8) error {
	if off < 0 || off >= p.Len() {
		return p.outside(off, 1)
	}
	p.Finish()
	p.frame()[off] ^= mask
	p.touch()
	return nil
}

// Cut takes off the end of the frame, so that n bytes stay, as a broken
// transmission does: lengths and checksums go on saying what they said. A frame that
// is no longer stays as it is, and one byte stays always.
func (p *Packet) Cut(n int) {
	n = max(n, 1)
	if n >= p.Len() {
		return
	}
	p.Finish()
	p.pad = max(0, p.pad-(p.Len()-n))
	p.end = p.off + n
	p.touch()
}
