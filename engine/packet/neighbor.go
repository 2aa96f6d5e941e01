package packet

import "encoding/binary"

// replyARP answers a request: the address asked for is at our MAC (RFC 826).
func (p *Packet) replyARP() *Packet {
	v := ARPView{p}
	if v.Op() != ARPRequest {
		return p.none("only an ARP request is answered")
	}
	l := p.Layout()
	q := p.fresh(l.L3 + arpLen)
	q.In, q.Out, q.Time = p.In, p.In, p.Time
	b, f, mac := q.extend(l.L3+arpLen), p.frame(), p.ownMAC()
	p.turnLink(b)
	copy(b[6:12], mac[:])
	h, from := b[l.L3:], f[l.L3:]
	copy(h[:6], from)
	put16(h[6:], ARPReply)
	copy(h[8:14], mac[:])
	copy(h[14:18], from[24:28])
	copy(h[18:28], from[8:18])
	return q
}

// allNodes is the group that hears about an address whose asker has none yet.
var (
	allNodes    = [16]byte{0: 0xff, 1: 0x02, 15: 1}
	allNodesMAC = MAC{0x33, 0x33, 0, 0, 0, 1}
)

// replyND answers a neighbor solicitation: the target is at our MAC (RFC 4861
// section 7.2.4). One from the unspecified address looks for duplicates, and all
// nodes hear the answer, which is then not solicited.
func (p *Packet) replyND() *Packet {
	l := p.Layout()
	from := p.frame()[l.L4:l.End]
	if len(from) < 24 || from[8] == 0xff {
		return p.none("it solicits no address")
	}
	dad := p.src().IsUnspecified()
	if !dad && p.many(p.src()) {
		return p.none("its source is no single host")
	}
	n := 24
	if p.link == Ethernet {
		n += 8
	}
	q, h := p.answer(ProtoICMPv6, 0, n)
	ip, flags := q.frame()[l.L3:], uint32(NASolicited|NAOverride)
	if dad {
		flags = NAOverride
		copy(ip[24:40], allNodes[:])
	}
	ip[7] = 255
	copy(ip[8:24], from[8:24])
	binary.BigEndian.PutUint32(h, NeighborAdvert<<24)
	binary.BigEndian.PutUint32(h[4:], flags<<24)
	copy(h[8:24], from[8:24])
	if p.link == Ethernet {
		mac, f := p.ownMAC(), q.frame()
		if dad {
			copy(f, allNodesMAC[:])
		}
		copy(f[6:], mac[:])
		h[24], h[25] = 2, 1
		copy(h[26:], mac[:])
	}
	return q
}
