package packet

import "encoding/binary"

// change is the one way a field is written: it replaces the bytes at off, from
// the start of the frame, by v, and every checksum that covers them follows.
// Who writes a byte that decides where headers are calls touch afterwards.
//
// The update is RFC 1624's, HC' = ^(^HC + ^m + m'), done over the 16-bit words
// that hold the bytes as counted from the start of what the sum covers.
func (p *Packet) change(off int, v []byte) {
	l, b := p.Layout(), p.frame()
	p.edits++
	if l.Version == 0 {
		copy(b[off:], v)
		return
	}
	end := off + len(v)
	if l.Version == 4 && p.sum3 == asCame {
		if hl := int(b[l.L3]&15) * 4; off < l.L3+hl && end > l.L3 {
			p.mend(l.L3+10, l.L3, off, v, false)
		}
	}
	if at := l.sumAt(b); at > 0 && (p.sum4 == asCame || p.sum4 == unfinished) && !p.noSum(at) {
		switch {
		case off >= l.L4 && end <= l.End:
			// What an unfinished sum leaves out is the transport itself.
			if p.sum4 == asCame {
				p.mend(at, l.L4, off, v, false)
			}
		case p.inPseudo(off, end):
			p.mend(at, l.L3, off, v, p.sum4 == unfinished)
		}
	}
	copy(b[off:], v)
}

// noSum reports a UDP checksum of 0: there is none to keep up (RFC 768).
func (p *Packet) noSum(at int) bool {
	b := p.frame()
	return p.at.Proto == ProtoUDP && p.sum4 == asCame && b[at] == 0 && b[at+1] == 0
}

// inPseudo reports that the bytes off to end are within the addresses, and that
// the transport sums them.
func (p *Packet) inPseudo(off, end int) bool {
	l := &p.at
	if l.Version == 4 {
		return l.Proto != ProtoICMP && off >= l.L3+12 && end <= l.L3+20
	}
	return off >= l.L3+8 && end <= l.L3+40
}

// mend updates the checksum at sum for v replacing the bytes at off, where base
// is where the sum's 16-bit words begin. An unfinished sum is not inverted.
func (p *Packet) mend(sum, base, off int, v []byte, plain bool) {
	b := p.frame()
	was := binary.BigEndian.Uint16(b[sum:])
	acc := uint64(was)
	if !plain {
		acc = uint64(^was)
	}
	for i, c := range v {
		at := off + i
		if at == sum || at == sum+1 {
			continue // the checksum field itself is in no sum
		}
		shift := 8 * (1 - (at-base)&1)
		acc += uint64(^(uint16(b[at]) << shift))
		acc += uint64(uint16(c) << shift)
	}
	now := fold(acc)
	if !plain {
		now = ^now
		if now == 0 && p.at.Proto == ProtoUDP && sum != p.at.L3+10 {
			now = 0xffff
		}
	}
	binary.BigEndian.PutUint16(b[sum:], now)
}

func (p *Packet) change8(off int, v uint8) { p.change(off, []byte{v}) }

func (p *Packet) change16(off int, v uint16) {
	p.change(off, []byte{byte(v >> 8), byte(v)})
}

func (p *Packet) change32(off int, v uint32) {
	p.change(off, []byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
}

// resizeAt makes the part of the packet at off, which is from bytes long, to
// bytes long, and lets every length that counts it follow: of IP, UDP, and the
// seed of an unfinished checksum. The transport checksum becomes due. What stood
// behind the packet's own end, such as Ethernet's padding, goes.
func (p *Packet) resizeAt(off, from, to int) {
	l := *p.Layout()
	p.end = p.off + l.End
	p.resize(off, from, to)
	if l.Version == 0 {
		return
	}
	n, b := l.End-l.L3+to-from, p.frame()
	if p.fixed&fixedIP == 0 {
		if l.Version == 4 {
			p.setRaw16(l.L3+2, uint16(n))
			p.dueHeader()
		} else {
			p.setRaw16(l.L3+4, uint16(n-ip6Len))
		}
	}
	if l.transportIs(ProtoUDP) && p.fixed&fixedUDP == 0 && !l.Fragment() {
		p.setRaw16(l.L4+4, uint16(len(b)-l.L4))
	}
	p.dueTransport()
}

func (p *Packet) setRaw16(off int, v uint16) {
	binary.BigEndian.PutUint16(p.frame()[off:], v)
	p.touch()
}

// dueHeader makes the IPv4 header checksum due, unless it was set by hand.
func (p *Packet) dueHeader() {
	if p.sum3 != byHand {
		p.sum3 = due
	}
}

// dueTransport makes the transport checksum due, unless it was set by hand. An
// absent UDP checksum (0 over IPv4) stays absent.
func (p *Packet) dueTransport() {
	if p.sum4 == byHand {
		return
	}
	l := p.Layout()
	at := l.sumAt(p.frame())
	if at == 0 || l.Version == 4 && p.noSum(at) {
		return
	}
	p.sum4 = due
}
