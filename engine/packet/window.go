package packet

// Window makes p, which is empty, a window on the bytes from from to to of q's frame:
// an ordinary packet with the headers, ports and time of q, in place. What is there
// must be laid out as q is, but for its end, and its transport checksum be
// unfinished where q's is. It is for the walk over a super-packet.
//
// Until [Packet.Own], what is written to p is written to q, but never outside the
// window: as soon as p needs more room than that, it moves to its own buffer. q must
// not change in length meanwhile. It panics as slicing does if q has not those bytes.
func (p *Packet) Window(q *Packet, from, to int) {
	l := q.Layout()
	p.home, p.buf = p.buf, q.buf[q.off+from:q.off+to:q.off+to]
	p.off, p.end, p.link = 0, to-from, q.link
	p.at = *l
	p.at.End = to - from
	p.sum3, p.sum4, p.fixed, p.pad, p.gso, p.came, p.why = asCame, q.sum4, 0, 0, GSO{}, q.came, ""
	p.In, p.Out, p.Time = q.In, q.Out, q.Time
}

// Own moves a packet that Window made to its own buffer, so that it may be kept and
// the bytes under the window be used again. It does nothing for any other packet.
func (p *Packet) Own() {
	if p.home != nil {
		p.grow(0)
	}
}

// Leave ends the window of a packet and leaves it empty.
func (p *Packet) Leave() { p.reset() }

// Widen makes the frame n bytes longer at its end and returns the new bytes. Lengths
// and checksums are the caller's affair: it is for joining packets to a super-packet. A
// buffer that is too small is exchanged for one of pool. It panics as make does if n is
// less than 0.
func (p *Packet) Widen(n int, pool *Pool) []byte {
	if p.end+n > len(p.buf) && p.home == nil && p.Len()+n > smallLen {
		big := pool.Get(MaxLen)
		copy(big.buf[Headroom:], p.frame())
		p.off, p.end = Headroom, Headroom+p.Len()
		p.buf, big.buf = big.buf, p.buf
		pool.Put(big)
	}
	return p.extend(n)
}

// Widened says that lengths and checksum count what Widen has added.
func (p *Packet) Widened() { p.touch() }
