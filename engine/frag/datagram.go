package frag

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/tunscript/tunscript/engine/packet"
)

// A datagram is what has come of one so far. Bytes lie in data as they came, and
// parts says which of them belong where: so it takes the memory of what was
// received, not of what its last fragment pretends that it will be long.
type datagram struct {
	key
	older, newer *datagram // in the order of their beginning
	number       uint64    // of that order, over both versions
	deadline     int64     // nanoseconds since 1970
	in           *packet.Port
	link         packet.LinkType

	head    []byte // of the fragment at shown: that at offset 0 as soon as it is there
	l3      int
	prev    int
	shown   int // offset of the fragment that head belongs to
	data    []byte
	parts   []part // by off; they do not overlap
	total   int    // length of all data; -1 while the last fragment is missing
	largest int    // fragment, as an IP packet
	ce      bool
	count   int  // fragments that are held
	dead    Fate // why it was given up; 0 while it was not
	cost    int  // what it counts in Joiner.bytes
}

// A part is the data of one fragment: n bytes of the datagram from off on, which
// are in datagram.data from at on.
type part struct{ off, n, at int }

// partLen is the size of a part in memory.
const partLen = 24

// overhead is about what a datagram takes without its bytes, in the map, too.
const overhead = 512

// add takes the data of f over. It changes nothing unless the fate is Held.
func (d *datagram) add(f *fragment, most int) Fate {
	end := f.off + len(f.data)
	at, found := slices.BinarySearchFunc(d.parts, f.off, func(p part, off int) int { return p.off - off })
	switch {
	case found && d.parts[at].n == len(f.data) && bytes.Equal(d.bytes(d.parts[at]), f.data) && f.more == (end != d.total):
		return Duplicate
	case found,
		at > 0 && d.parts[at-1].off+d.parts[at-1].n > f.off,
		at < len(d.parts) && d.parts[at].off < end:
		return Overlap
	case len(d.parts) >= most:
		return Limit
	case d.total >= 0 && end > d.total, // behind the end
		!f.more && at < len(d.parts): // an end before what has come
		return Malformed
	}
	d.parts = slices.Insert(d.parts, at, part{f.off, len(f.data), len(d.data)})
	d.data = append(d.data, f.data...)
	d.count++
	if !f.more {
		d.total = end
	}
	if len(d.parts) == 1 || f.off == 0 {
		d.head, d.l3, d.prev, d.shown = append(d.head[:0], f.head...), f.l3, f.prev, f.off
	}
	d.largest = max(d.largest, f.size)
	d.ce = d.ce || f.ce
	return Held
}

func (d *datagram) bytes(p part) []byte { return d.data[p.at : p.at+p.n] }

// whole reports that all data is there: parts do not overlap, so their lengths
// come to the total exactly then.
func (d *datagram) whole() bool { return len(d.data) == d.total }

// size is what the datagram takes in memory.
func (d *datagram) size() int { return overhead + cap(d.head) + cap(d.data) + partLen*cap(d.parts) }

// join makes the packet of a datagram that is whole: nil if it is longer than an IP
// packet can say. It begins with the link and IP header of the first fragment.
func (d *datagram) join(pool *packet.Pool) *packet.Packet {
	head := len(d.head)
	if d.version == 6 {
		head -= fragLen
	}
	n := head + d.total
	if n-d.l3 > 65535 && (d.version == 4 || n-d.l3 > ip6Len+65535) {
		return nil
	}
	p := pool.Get(n)
	b := p.Room(n)
	copy(b, d.head[:head])
	for _, part := range d.parts {
		copy(b[head+part.off:], d.bytes(part))
	}
	h := b[d.l3:head]
	if d.version == 4 {
		d.finish4(h)
	} else {
		binary.BigEndian.PutUint16(h[4:], uint16(n-d.l3-ip6Len))
		b[d.prev] = d.head[head] // what the fragment header said comes next
		if d.ce {
			h[1] |= 3 << 4
		}
	}
	if p.Fill(0, n, d.link) != nil {
		pool.Put(p)
		return nil
	}
	p.SetCame(packet.Came(d.largest))
	return p
}

// finish4 makes h, the first fragment's IPv4 header, that of the whole datagram. Of
// congestion seen by any fragment the whole must know (RFC 3168 section 5.3).
func (d *datagram) finish4(h []byte) {
	binary.BigEndian.PutUint16(h[2:], uint16(len(h)+d.total))
	h[6], h[7] = h[6]&0xc0, 0 // DF stays
	if d.ce {
		h[1] |= 3
	}
	h[10], h[11] = 0, 0
	binary.BigEndian.PutUint16(h[10:], packet.Checksum(h))
}

// first is the fragment at the lowest offset whose header is known, as it came.
func (d *datagram) first(pool *packet.Pool) *packet.Packet {
	at, found := slices.BinarySearchFunc(d.parts, d.shown, func(p part, off int) int { return p.off - off })
	if !found {
		return nil
	}
	data := d.bytes(d.parts[at])
	n := len(d.head) + len(data)
	p := pool.Get(n)
	b := p.Room(n)
	copy(b[copy(b, d.head):], data)
	if p.Fill(0, n, d.link) != nil {
		pool.Put(p)
		return nil
	}
	p.In = d.in
	return p
}

// clear makes d ready to be another datagram, keeping its memory.
func (d *datagram) clear() {
	*d = datagram{head: d.head[:0], data: d.data[:0], parts: d.parts[:0], total: -1}
}
