package packet

// Payload is what follows the last header that has a view, up to the packet's own
// end. It is the packet's own bytes: read it before the next change, and write it
// by SetPayload.
func (p *Packet) Payload() []byte {
	l := p.Layout()
	return p.frame()[l.Data:l.End]
}

// SetPayload replaces the payload by a copy of b. Lengths follow, and the
// transport checksum is computed anew; padding behind the packet goes if the
// length changes. A super-packet stays one as long as it has several segments.
func (p *Packet) SetPayload(b []byte) error {
	if p.Len() == 0 {
		return nil
	}
	l := *p.Layout()
	switch n := l.End - l.Data; {
	case n == len(b) && l.Fragment():
		p.change(l.Data, b) // the sum covers other fragments, too: it can only follow
		return nil
	case n == len(b):
		copy(p.frame()[l.Data:], b)
		p.edits++
		p.dueTransport()
		return nil
	case l.Version == 4 && l.Data-l.L3+len(b) > 65535,
		l.Version == 6 && l.Data-l.L3+len(b) > ip6Len+65535,
		l.Data+len(b) > MaxLen:
		return tooLong("payload")
	default:
		p.resizeAt(l.Data, n, len(b), true)
	}
	copy(p.frame()[l.Data:], b)
	p.touch()
	if len(b) <= int(p.gso.Size) {
		p.gso = GSO{}
	}
	return nil
}
