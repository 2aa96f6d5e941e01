package packet

import "encoding/binary"

// gone is an offset past every frame: what a view of a header that is no longer
// there reads is 0, and what it writes is nothing.
const gone = 1 << 30

func (p *Packet) get8(off int) uint8 {
	if b := p.frame(); uint(off) < uint(len(b)) {
		return b[off]
	}
	return 0
}

func (p *Packet) get16(off int) uint16 {
	if b := p.frame(); off >= 0 && off+2 <= len(b) {
		return binary.BigEndian.Uint16(b[off:])
	}
	return 0
}

func (p *Packet) get32(off int) uint32 {
	if b := p.frame(); off >= 0 && off+4 <= len(b) {
		return binary.BigEndian.Uint32(b[off:])
	}
	return 0
}

// change is the one way a field is written: it replaces the bytes at off, from
// the start of the frame, by v, and every checksum that covers them follows.
// Bytes that decide where headers are go through reshape instead.
//
// The update is RFC 1624's, HC' = ^(^HC + ^m + m'), done over the 16-bit words
// that hold the bytes as counted from the start of what the sum covers.
func (p *Packet) change(off int, v []byte) {
	l, b := p.Layout(), p.frame()
	if off < 0 || off+len(v) > len(b) {
		return
	}
	p.edits++
	if l.Version == 4 && p.sum3 == asCame {
		p.mend(l.L3+10, l.L3, l.L3+int(b[l.L3]&15)*4, off, v, false)
	}
	if at := l.sumAt(); at > 0 && (p.sum4 == asCame || p.sum4 == unfinished) && !p.noSum(at) {
		// What an unfinished sum leaves out is the transport itself.
		if p.sum4 == asCame {
			p.mend(at, l.L4, l.End, off, v, false)
		}
		switch {
		case l.Version == 6:
			p.mend(at, l.L3+8, l.L3+24, off, v, p.sum4 == unfinished)
			p.mend(at, l.dst, l.dst+16, off, v, p.sum4 == unfinished)
		case l.Proto != ProtoICMP:
			p.mend(at, l.L3+12, l.L3+20, off, v, p.sum4 == unfinished)
		}
	}
	copy(b[off:], v)
}

// noSum reports a UDP checksum of 0: there is none to keep up (RFC 768).
func (p *Packet) noSum(at int) bool {
	b := p.frame()
	return p.at.Proto == ProtoUDP && p.sum4 == asCame && b[at] == 0 && b[at+1] == 0
}

// mend updates the checksum at sum for v replacing the bytes at off, as far as
// they lie between lo, where the sum's 16-bit words begin, and hi. An unfinished
// sum is plain: not inverted.
func (p *Packet) mend(sum, lo, hi, off int, v []byte, plain bool) {
	if off >= hi || off+len(v) <= lo {
		return
	}
	b := p.frame()
	was := binary.BigEndian.Uint16(b[sum:])
	acc := uint64(was)
	if !plain {
		acc ^= 0xffff
	}
	for i, c := range v {
		at := off + i
		if at < lo || at >= hi || at == sum || at == sum+1 {
			continue // outside, or the checksum itself, which is in no sum
		}
		shift := 8 * (1 - (at-lo)&1)
		acc += uint64(^(uint16(b[at]) << shift))
		acc += uint64(c) << shift
	}
	now := fold(acc)
	if !plain {
		now = sameZero(^now, was)
		if now == 0 && p.at.Proto == ProtoUDP && sum > p.at.L4 {
			now = 0xffff
		}
	}
	binary.BigEndian.PutUint16(b[sum:], now)
}

// sameZero is now, or was where they are the two ways to write 0 in ones' complement: a
// checksum that came as 0xffff is not to become 0 by an edit that leaves the sum alone.
func sameZero(now, was uint16) uint16 {
	if now^was == 0xffff && (now == 0 || was == 0) {
		return was
	}
	return now
}

func (p *Packet) change8(off int, v uint8) { p.change(off, []byte{v}) }

func (p *Packet) change16(off int, v uint16) {
	p.change(off, []byte{byte(v >> 8), byte(v)})
}

func (p *Packet) change32(off int, v uint32) {
	p.change(off, []byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
}

// errs is how far the checksums are from what they should be, in ones'
// complement, so that an edit which moves headers or bytes can keep a wrong sum
// wrong by the same difference and a right one right.
type errs struct {
	header, transport       uint16
	headerWas, transportWas uint16 // the sums themselves
	hasHeader, hasTrans     bool
}

// sumErrors reads off how far the sums that came are from being right. It costs a
// sum over the packet: only what moves headers asks.
func (p *Packet) sumErrors() (e errs) {
	l, b := p.Layout(), p.frame()
	if l.Version == 4 && p.sum3 == asCame {
		e.hasHeader = true
		e.headerWas = binary.BigEndian.Uint16(b[l.L3+10:])
		e.header = minus(e.headerWas, l.headerSum(b))
	}
	if at := l.sumAt(); at > 0 && p.sum4 == asCame && !l.Fragment() && !p.noSum(at) {
		e.hasTrans = true
		e.transportWas = binary.BigEndian.Uint16(b[at:])
		e.transport = minus(e.transportWas, l.transportSum(b))
	}
	return e
}

// restore brings the sums of e up to date with the bytes as they are now.
func (p *Packet) restore(e errs) {
	l, b := p.Layout(), p.frame()
	if e.hasHeader && l.Version == 4 {
		sum := fold(uint64(l.headerSum(b)) + uint64(e.header))
		binary.BigEndian.PutUint16(b[l.L3+10:], sameZero(sum, e.headerWas))
		p.sum3 = asCame
	}
	if at := l.sumAt(); e.hasTrans && at > 0 && !l.Fragment() {
		sum := sameZero(fold(uint64(l.transportSum(b))+uint64(e.transport)), e.transportWas)
		if sum == 0 && l.Proto == ProtoUDP {
			sum = 0xffff
		}
		binary.BigEndian.PutUint16(b[at:], sum)
		p.sum4 = asCame
	}
}

// minus is a - b in ones' complement, 0 if they are the same.
func minus(a, b uint16) uint16 {
	d := fold(uint64(a) + uint64(^b))
	if d == 0xffff {
		d = 0
	}
	return d
}

// reshape writes v at off where bytes decide what the headers are, or what a
// checksum covers: a version, a protocol, a header length, a fragment offset.
func (p *Packet) reshape(off int, v []byte) {
	b := p.frame()
	if off < 0 || off+len(v) > len(b) {
		return
	}
	if p.sum3 == due || p.sum4 == due {
		p.Finish() // behind the change nobody may know how
	}
	was, e := *p.Layout(), p.sumErrors()
	at, partial := was.sumAt(), p.sum4 == unfinished
	var seed uint64
	var sum uint16
	if partial {
		seed, sum = uint64(^fold(was.pseudo(b))), was.transportSum(b)
	}
	copy(b[off:], v)
	p.touch()
	switch l := p.Layout(); {
	case at == 0:
	case l.sumAt() == at && partial && !l.Fragment():
		seed += uint64(binary.BigEndian.Uint16(b[at:])) + uint64(fold(l.pseudo(b)))
		binary.BigEndian.PutUint16(b[at:], fold(seed))
	case partial: // nobody will finish it any more
		binary.BigEndian.PutUint16(b[at:], sum)
		p.sum4 = asCame
	case l.sumAt() != at: // another transport: its bytes are what they are
		e.hasTrans, p.sum4 = false, asCame
	}
	p.restore(e)
}

// resizeAt makes the part of the packet at off, which is from bytes long, to
// bytes long, and lets every length that counts it follow: of IP, and, for a
// part of the transport, of UDP and the seed of an unfinished checksum. A transport
// checksum over it becomes due. What stood behind the packet's own end, such as
// Ethernet's padding, goes.
func (p *Packet) resizeAt(off, from, to int, transport bool) {
	l := *p.Layout()
	p.end, p.pad = p.off+l.End, 0
	p.resize(off, from, to)
	if l.Version == 0 {
		return
	}
	n := l.End - l.L3 + to - from
	if p.fixed&fixedIP == 0 {
		if l.Version == 4 {
			p.change16(l.L3+2, uint16(n)) // the header's sum follows
			p.touch()
		} else {
			p.setRaw16(l.L3+4, uint16(n-ip6Len))
		}
	}
	if !transport || l.L4 == 0 {
		return
	}
	if l.Proto == ProtoUDP && p.fixed&fixedUDP == 0 && !l.Fragment() {
		p.setRaw16(l.L4+4, uint16(l.End-l.L4+to-from))
	}
	if at := l.sumAt(); at > 0 && p.sum4 == unfinished {
		was, now := uint16(l.End-l.L4), uint16(l.End-l.L4+to-from)
		p.setRaw16(at, fold(uint64(p.get16(at))+uint64(^was)+uint64(now)))
	} else {
		p.dueTransport()
	}
}

func (p *Packet) setRaw16(off int, v uint16) {
	binary.BigEndian.PutUint16(p.frame()[off:], v)
	p.touch()
}

// dueTransport makes the transport checksum due, unless it was set by hand, is
// unfinished anyhow, or covers bytes of other fragments. An absent UDP checksum
// (0 over IPv4) stays absent.
func (p *Packet) dueTransport() {
	l := p.Layout()
	at := l.sumAt()
	if p.sum4 != asCame || at == 0 || l.Fragment() || l.Version == 4 && p.noSum(at) {
		return
	}
	p.sum4 = due
}
