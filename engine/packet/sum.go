package packet

import (
	"encoding/binary"
	"math/bits"
)

// sumState is what is known of one checksum field.
type sumState uint8

const (
	asCame     sumState = iota // a finished sum, right or wrong: edits update it
	unfinished                 // the folded pseudo-header sum, not inverted: edits of addresses and length adjust it
	due                        // to be computed before anybody sees it
	byHand                     // set by hand: nothing touches it
)

// fixed marks lengths that were set by hand and no longer follow the bytes.
type fixed uint8

const (
	fixedIP fixed = 1 << iota
	fixedUDP
)

// add sums b as big-endian 16-bit words onto s; an odd last byte counts as the
// high half of a word (RFC 1071). The sum is the same in any word size as long as
// carries come back in, so 64 bits are taken at a time, and four of these behind
// each other, for the processor keeps the carry between them.
func add(s uint64, b []byte) uint64 {
	var c uint64
	for len(b) >= 32 {
		s, c = bits.Add64(s, binary.BigEndian.Uint64(b), c)
		s, c = bits.Add64(s, binary.BigEndian.Uint64(b[8:]), c)
		s, c = bits.Add64(s, binary.BigEndian.Uint64(b[16:]), c)
		s, c = bits.Add64(s, binary.BigEndian.Uint64(b[24:]), c)
		b = b[32:]
	}
	for len(b) >= 8 {
		s, c = bits.Add64(s, binary.BigEndian.Uint64(b), c)
		b = b[8:]
	}
	var rest uint64
	for i, v := range b {
		rest |= uint64(v) << (56 - 8*i)
	}
	s, c = bits.Add64(s, rest, c)
	s, c = bits.Add64(s, 0, c)
	return s + c
}

// fold brings a sum to 16 bits, ones' complement.
func fold(s uint64) uint16 {
	s = s>>32 + s&0xffffffff
	s = s>>32 + s&0xffffffff
	s = s>>16 + s&0xffff
	s = s>>16 + s&0xffff
	return uint16(s)
}

// Checksum is the Internet checksum of b (RFC 1071).
func Checksum(b []byte) uint16 { return ^fold(add(0, b)) }

// sumAt is the offset of the transport checksum field, 0 if there is none.
func (l *Layout) sumAt() int {
	if l.L4 == 0 {
		return 0
	}
	off := 0
	switch {
	case l.Proto == ProtoTCP:
		off = 16
	case l.Proto == ProtoUDP:
		off = 6
	case l.Proto == ProtoICMP && l.Version == 4, l.Proto == ProtoICMPv6 && l.Version == 6:
		off = 2
	default:
		return 0
	}
	return l.L4 + off
}

// pseudo sums the pseudo-header (RFC 9293 section 3.1, RFC 8200 section 8.1);
// ICMP over IPv4 has none.
func (l *Layout) pseudo(b []byte) uint64 {
	if l.Version == 4 {
		if l.Proto == ProtoICMP {
			return 0
		}
		return add(uint64(l.Proto)+uint64(l.End-l.L4), b[l.L3+12:l.L3+20])
	}
	s := add(uint64(l.Proto)+uint64(l.End-l.L4), b[l.L3+8:l.L3+24])
	return add(s, b[l.dst:l.dst+16])
}

// transportSum is the finished transport checksum of b, whatever its field holds.
func (l *Layout) transportSum(b []byte) uint16 {
	at := l.sumAt()
	s := add(l.pseudo(b), b[l.L4:at])
	s = add(s, b[at+2:l.End])
	sum := ^fold(s)
	if sum == 0 && l.Proto == ProtoUDP {
		sum = 0xffff // RFC 768: 0 would say that there is no checksum
	}
	return sum
}

// headerSum is the finished IPv4 header checksum of b, whatever its field holds.
func (l *Layout) headerSum(b []byte) uint16 {
	var s uint64
	for h := b[l.L3 : l.L3+int(b[l.L3]&15)*4]; len(h) >= 4; h = h[4:] {
		s += uint64(binary.BigEndian.Uint32(h)) // 15 words at most, so no carry is lost
	}
	return ^fold(s - uint64(binary.BigEndian.Uint16(b[l.L3+10:])))
}

// Finish computes every checksum that is due or unfinished. Sums that came with
// the packet or were set by hand stay as they are. In a fragment the transport
// checksum covers bytes that are elsewhere: there it stays, too.
func (p *Packet) Finish() {
	if p.sum3 != due && p.sum4 != due && p.sum4 != unfinished {
		return
	}
	p.finishInto(p.frame())
	if p.sum3 == due {
		p.sum3 = asCame
	}
	if p.sum4 == due || p.sum4 == unfinished {
		p.sum4 = asCame
		if p.gso.Size > 0 {
			p.sum4 = due // the device that cuts it up needs the seed again
		}
	}
}

// finishInto writes the sums that are due or unfinished into b, a copy of the
// frame or the frame itself.
func (p *Packet) finishInto(b []byte) {
	l := p.Layout()
	if p.sum3 == due && l.Version == 4 {
		binary.BigEndian.PutUint16(b[l.L3+10:], l.headerSum(b))
	}
	if p.sum4 != due && p.sum4 != unfinished || l.Fragment() {
		return
	}
	if at := l.sumAt(); at > 0 {
		binary.BigEndian.PutUint16(b[at:], l.transportSum(b))
	}
}

// transportChecksum is the transport checksum as it will leave, without finishing
// it in the packet. There must be a transport with a checksum.
func (p *Packet) transportChecksum() uint16 {
	l := p.Layout()
	if (p.sum4 == due || p.sum4 == unfinished) && !l.Fragment() {
		return l.transportSum(p.frame())
	}
	return p.get16(l.sumAt())
}

// setTransportChecksum writes the checksum of the transport header at at by hand.
func (p *Packet) setTransportChecksum(at int, sum uint16) {
	if at != gone {
		p.setRaw16(p.Layout().sumAt(), sum)
		p.sum4 = byHand
	}
}

// resetTransportChecksum lets the checksum be computed. In a fragment it cannot
// be, and stays.
func (p *Packet) resetTransportChecksum(at int) {
	if at != gone && p.sum4 != unfinished && !p.Layout().Fragment() {
		p.sum4 = due
		p.edits++
	}
}
