package offload

import (
	"bytes"
	"encoding/binary"

	"github.com/tunscript/tunscript/engine/packet"
)

// maxJoined is how many packets one super-packet is made of: what every kernel takes
// (UDP_MAX_SEGMENTS was 64 before 6.9).
const maxJoined = 64

// A Joiner makes super-packets of packets that leave one behind the other: TCP
// segments that continue each other, datagrams of equal size. Nothing
// is lost by it: cut again, they are what they were.
//
// So a packet is joined to the one in front only if their headers differ in nothing
// but what cutting counts on, if both are as large, or the second, which then is the
// last, is smaller, if no flag says otherwise (FIN and PSH end a super-packet, CWR
// begins one, SYN, RST and URG are left alone), and if its transport checksum is due
// or unfinished: the kernel would make one that is wrong on purpose right.
type Joiner struct {
	TCP, UDP bool // what is joined

	head   *packet.Packet // the packet added last, with what was joined to it; nil: nothing joins it
	n      int            // packets in it
	size   int            // payload of the first
	closed bool           // nothing joins it any more
	seq    uint32         // of the next
	id     uint16
}

// Add takes the next packet to leave, and reports whether its payload has become part
// of the one added before, so that it need not leave itself. Either stays the
// caller's; the one before is not to be used but by End.
func (j *Joiner) Add(p *packet.Packet, pool *packet.Pool) bool {
	if p == nil {
		return false
	}
	if j.head != nil && !j.closed && j.fits(p) {
		l := p.Layout()
		b := p.Frame()[l.Data:]
		copy(j.head.Widen(len(b), pool), b)
		j.n++
		j.seq += uint32(len(b))
		j.id++
		j.closed = len(b) < j.size || j.n == maxJoined
		if l.Proto == packet.ProtoTCP {
			end := p.Frame()[l.L4+13] & uint8(packet.FIN|packet.PSH)
			j.head.Frame()[j.at(13)] |= end
			j.closed = j.closed || end != 0
		}
		return true
	}
	j.End()
	j.begin(p)
	return false
}

// at is the offset of a byte of the transport header of the head, whose layout, by its
// lengths, is still that of the first packet.
func (j *Joiner) at(i int) int { return j.head.Layout().L4 + i }

// begin takes p as the first of what may become a super-packet.
func (j *Joiner) begin(p *packet.Packet) {
	if !j.joinable(p) {
		return
	}
	l, b := p.Layout(), p.Frame()
	j.head, j.n, j.size, j.closed = p, 1, len(b)-l.Data, false
	if l.Proto == packet.ProtoTCP {
		j.seq = binary.BigEndian.Uint32(b[l.L4+4:]) + uint32(j.size)
		j.closed = b[l.L4+13]&uint8(packet.FIN|packet.PSH) != 0
	}
	if l.Version == 4 {
		j.id = binary.BigEndian.Uint16(b[l.L3+4:]) + 1
	}
}

// joinable reports whether p may be part of a super-packet. Its checksum is unfinished
// then.
func (j *Joiner) joinable(p *packet.Packet) bool {
	l := p.Layout()
	switch {
	case l.Proto == packet.ProtoTCP && !j.TCP, l.Proto == packet.ProtoUDP && !j.UDP:
		return false
	case l.L4 == 0, l.Data == l.End, p.GSO().Size > 0, l.Fragment(), l.End != p.Len():
		return false
	case l.Proto == packet.ProtoTCP:
		b := p.Frame()
		if b[l.L4+13]&uint8(packet.SYN|packet.RST|packet.URG) != 0 || int(b[l.L4+12]>>4)*4 != l.Data-l.L4 {
			return false
		}
	case l.Proto != packet.ProtoUDP:
		return false
	}
	if l.Data > headLen || !p.Unfinish() {
		return false
	}
	b := p.Frame()
	if l.Proto == packet.ProtoUDP && int(binary.BigEndian.Uint16(b[l.L4+4:])) != l.End-l.L4 {
		return false
	}
	if l.Version == 6 {
		return int(binary.BigEndian.Uint16(b[l.L3+4:])) == l.End-l.L3-ip6Len
	}
	h := b[l.L3 : l.L3+int(b[l.L3]&15)*4]
	return int(binary.BigEndian.Uint16(h[2:])) == l.End-l.L3 && packet.Checksum(h) == 0
}

// fits reports whether p continues the head.
func (j *Joiner) fits(p *packet.Packet) bool {
	h, l := j.head.Layout(), p.Layout()
	a, b := j.head.Frame(), p.Frame()
	if h.L3 != l.L3 || h.L4 != l.L4 || h.Data != l.Data || h.Proto != l.Proto || h.Version != l.Version ||
		j.head.Link() != p.Link() || j.head.Out != p.Out {
		return false
	}
	if n := len(b) - l.Data; n > j.size || len(a)-h.L3+n > maxLen {
		return false
	}
	same := func(from, to int) bool { return bytes.Equal(a[from:to], b[from:to]) }
	ip, t := l.L3, l.L4
	if l.Version == 4 {
		if !same(0, ip+2) || !same(ip+6, ip+10) || !same(ip+12, t) || binary.BigEndian.Uint16(b[ip+4:]) != j.id {
			return false
		}
	} else if !same(0, ip+4) || !same(ip+6, t) {
		return false
	}
	if !same(t, t+4) {
		return false
	}
	if l.Proto == packet.ProtoTCP {
		const last, first = uint8(packet.FIN | packet.PSH), uint8(packet.CWR)
		if binary.BigEndian.Uint32(b[t+4:]) != j.seq || !same(t+8, t+13) || !same(t+14, t+16) || !same(t+18, l.Data) ||
			b[t+13]&first != 0 || a[t+13]&^(first|last) != b[t+13]&^last {
			return false
		}
	}
	return j.joinable(p)
}

// End makes the packet added last ready to leave: nothing more joins it.
func (j *Joiner) End() {
	p := j.head
	j.head = nil
	if p == nil || j.n == 1 {
		return
	}
	l, b := *p.Layout(), p.Frame()
	ip, n := l.L3, len(b)
	if l.Version == 4 {
		binary.BigEndian.PutUint16(b[ip+2:], uint16(n-ip))
		h := b[ip : ip+int(b[ip]&15)*4]
		h[10], h[11] = 0, 0
		binary.BigEndian.PutUint16(h[10:], packet.Checksum(h))
	} else {
		binary.BigEndian.PutUint16(b[ip+4:], uint16(n-ip-ip6Len))
	}
	g := packet.GSO{Type: TCPv4, Size: uint16(j.size)}
	sum := l.L4 + 16
	switch {
	case l.Proto == packet.ProtoUDP:
		g.Type, sum = UDP, l.L4+6
		binary.BigEndian.PutUint16(b[l.L4+4:], uint16(n-l.L4))
	case l.Version == 6:
		g.Type = TCPv6
	}
	if l.Proto == packet.ProtoTCP && b[l.L4+13]&uint8(packet.CWR) != 0 {
		g.Type |= ECN
	}
	was := uint16(l.Data + j.size - l.L4)
	seed := uint64(binary.BigEndian.Uint16(b[sum:])) + uint64(^was) + uint64(uint16(n-l.L4))
	binary.BigEndian.PutUint16(b[sum:], fold(seed))
	p.Widened()
	p.SetGSO(g)
}
