package frag

import "encoding/binary"

// fragments4 cuts an IPv4 packet, or a fragment of one, as RFC 791 section 3.2
// says. All pieces have its identification.
func (c *cutter) fragments4(mtu int) bool {
	ip, _ := c.p.IPv4()
	by := wrong(ip)
	b, l := c.p.Bytes(), c.p.Layout()
	off, more := l.FragOff, l.MoreFrags
	at := l.L3 + ip.HeaderLen()
	head, data := b[:at], b[at:l.End]
	size := max(c.size, ip.HeaderLen()+8) // what came in smaller pieces may have grown a header
	if mtu > 0 && size > mtu || off+len(data) > 65535 {
		return false
	}
	var room [60]byte
	options := copied(room[:0], ip.Options())
	if off > 0 {
		options = ip.Options()
	}
	rest := b[:l.L3+ip4Len] // the head of all but the first
	for first := true; len(data) > 0; first = false {
		opts := options
		h := rest
		if first {
			h, opts = head, nil
		}
		ihl := len(h) - l.L3 + len(opts)
		n := len(data)
		if n > size-ihl {
			n = (size - ihl) &^ 7
		}
		q, f := c.piece(h, opts, data[:n])
		data = data[n:]
		f = f[l.L3:]
		f[0] = 4<<4 | uint8(ihl/4)
		binary.BigEndian.PutUint16(f[2:], uint16(ihl+n))
		flags := uint16(f[6]&0xc0)<<8 | uint16(off/8)
		if more || len(data) > 0 {
			flags |= 0x2000
		}
		binary.BigEndian.PutUint16(f[6:], flags)
		off += n
		c.add(q, l.L3+ihl+n)
		v, _ := q.IPv4()
		resum(v, by)
	}
	return true
}

// copied appends the options that stand in every fragment, those with the copied
// flag (RFC 791 section 3.1), padded to whole words.
func copied(dst, opts []byte) []byte {
	for len(opts) > 0 && opts[0] != 0 {
		n := 1
		if opts[0] != 1 { // all but the no-operation have a length
			if len(opts) < 2 || opts[1] < 2 || int(opts[1]) > len(opts) {
				break // nobody can say what follows
			}
			n = int(opts[1])
		}
		if opts[0]&0x80 != 0 {
			dst = append(dst, opts[:n]...)
		}
		opts = opts[n:]
	}
	for len(dst)%4 != 0 {
		dst = append(dst, 0)
	}
	return dst
}
