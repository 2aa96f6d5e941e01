package filter

import "github.com/tunscript/tunscript/engine/packet"

// MayMatch reports whether f may match one of the segments that the super-packet p
// stands for. Of what is the same in all of them it is sure; about a length, a
// sequence number, a payload or a Go function it says yes. A nil Filter matches
// everything.
func (f *Filter) MayMatch(p *packet.Packet) bool {
	if f.none() || p == nil {
		return p != nil
	}
	may, _ := f.by[p.Link()&1].cond.outcomes(p)
	return may
}

// outcomes says whether c may hold for some segment of p, and whether it may not. It
// is neither where a load outside the frame ends the filter: segments are shorter
// still.
func (c *cond) outcomes(p *packet.Packet) (yes, no bool) {
	switch c.op {
	case cTrue:
		return true, false
	case cFalse:
		return false, true
	case cTest:
		return c.load.outcomes(c, p)
	case cNot:
		yes, no = c.a.outcomes(p)
		return no, yes
	case cAnd:
		yes, no = c.a.outcomes(p)
		if yes {
			y, n := c.b.outcomes(p)
			yes, no = y, no || n
		}
		return yes, no
	case cOr:
		yes, no = c.a.outcomes(p)
		if no {
			y, n := c.b.outcomes(p)
			yes, no = yes || y, n
		}
		return yes, no
	}
	return true, true
}

func (l *load) outcomes(c *cond, p *packet.Packet) (yes, no bool) {
	if l.place == frameLen {
		return true, true
	}
	b := p.Frame()
	v, ok := l.read(p, b)
	if !ok {
		return false, l.place == fromLayer
	}
	at := int(l.off)
	switch l.place {
	case fromIPv4End:
		at += int(l.base) + int(b[l.base]&15)*4
	case fromLayer:
		start, _ := l.layer.find(p)
		at += start
	}
	if !same(p.Layout(), at, int(l.size), c.mask) {
		return true, true
	}
	v &= c.mask
	yes = v >= c.lo && v <= c.hi
	return yes, !yes
}

// same reports whether the bits of mask, in the bytes from at, are the same in all
// segments of a super-packet laid out like this.
func same(l *packet.Layout, at, size int, mask uint32) bool {
	if at+size > l.Data {
		return false
	}
	for i := range size {
		bits := uint8(mask >> (8 * (size - 1 - i)))
		if bits&varying(l, at+i) != 0 {
			return false
		}
	}
	return true
}

// varying are the bits of the byte at at that may differ from one segment to the next.
func varying(l *packet.Layout, at int) uint8 {
	if at < l.L4 {
		switch i := at - l.L3; {
		case l.Version == 4 && (i >= 2 && i < 6 || i == 10 || i == 11): // length, identification, sum
			return 0xff
		case l.Version == 6 && (i == 4 || i == 5): // length
			return 0xff
		}
		return 0
	}
	switch i := at - l.L4; {
	case i >= 4 && i < 8: // TCP's sequence number, UDP's length and sum
		return 0xff
	case l.Proto == packet.ProtoTCP && i == 13:
		return uint8(packet.FIN | packet.PSH | packet.CWR)
	case l.Proto == packet.ProtoTCP && (i == 16 || i == 17):
		return 0xff
	}
	return 0
}
