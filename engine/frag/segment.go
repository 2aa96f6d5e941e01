package frag

import (
	"encoding/binary"

	"github.com/tunscript/tunscript/engine/packet"
)

// segments cuts a TCP packet as the kernel's segmentation does: FIN and PSH are the
// last segment's, CWR the first's (RFC 3168 section 6.1.2), everything else
// stands in all of them, and IPv4's identification counts on, also with DF. A SYN,
// which takes a sequence number, is the first's.
func (c *cutter) segments() bool {
	tcp, _ := c.p.TCP()
	by := wrong(tcp)
	ip4, is4 := c.p.IPv4()
	by4 := uint16(0)
	if is4 {
		by4 = wrong(ip4)
	}
	b, l := c.p.Bytes(), c.p.Layout()
	head, data := b[:l.Data], b[l.Data:l.End]
	around := l.Data - l.L3
	size := c.size - around
	if size <= 0 || len(data) == 0 {
		return false
	}
	flags, seq, id := tcp.Flags(), tcp.Seq(), uint16(0)
	if is4 {
		id = ip4.ID()
	}
	for len(data) > 0 {
		n := min(len(data), size)
		q, f := c.piece(head, nil, data[:n])
		data = data[n:]
		now := flags
		if len(data) > 0 {
			now &^= packet.FIN | packet.PSH
		}
		binary.BigEndian.PutUint32(f[l.L4+4:], seq)
		f[l.L4+13] = uint8(now)
		if seq += uint32(n); flags&packet.SYN != 0 {
			seq++
		}
		flags &^= packet.CWR | packet.SYN
		if is4 {
			binary.BigEndian.PutUint16(f[l.L3+2:], uint16(around+n))
			binary.BigEndian.PutUint16(f[l.L3+4:], id)
			id++
		} else {
			binary.BigEndian.PutUint16(f[l.L3+4:], uint16(around-ip6Len+n))
		}
		c.add(q, len(head)+n)
		if v, ok := q.IPv4(); ok {
			resum(v, by4)
		}
		v, _ := q.TCP()
		resum(v, by)
	}
	return true
}
