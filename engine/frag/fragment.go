package frag

import (
	"encoding/binary"

	"github.com/tunscript/tunscript/engine/packet"
)

// Header lengths, in bytes.
const (
	ethLen  = 14
	vlanLen = 4
	ip4Len  = 20
	ip6Len  = 40
	fragLen = 8
)

// A key is what the fragments of one datagram have in common: RFC 791 section 3.2
// for IPv4, and for IPv6 without the protocol, which RFC 8200 section 4.5 lets
// differ. Devices and VLANs are networks of their own.
type key struct {
	src, dst [16]byte
	id       uint32
	device   int32
	vlans    uint32
	version  uint8
	proto    uint8
}

// A fragment is one packet as far as joining is concerned. Its bytes are the
// packet's own.
type fragment struct {
	key
	head []byte // link and IP header, and an IPv6 fragment header
	data []byte
	l3   int // where the IP header is in head
	prev int // IPv6: offset of the byte in head that says that a fragment header follows
	off  int // of data in the datagram
	more bool
	ce   bool // congestion was experienced
	size int  // as an IP packet
}

// read takes a packet that is a fragment apart; false for one that no datagram can
// be made of.
func read(p *packet.Packet) (f fragment, ok bool) {
	b, l := p.Bytes(), p.Layout()
	f.l3, f.off, f.more, f.size = l.L3, l.FragOff, l.MoreFrags, l.End-l.L3
	f.version = l.Version
	f.device = -1
	if p.In != nil {
		f.device = int32(p.In.Index)
	}
	for at := ethLen; at < l.L3; at += vlanLen {
		f.vlans = f.vlans<<12 | uint32(binary.BigEndian.Uint16(b[at:])&0xfff)
	}
	var at int
	switch l.Version {
	case 4:
		at, ok = f.read4(b)
	case 6:
		at, ok = f.read6(b, l.Frag)
	}
	if !ok || at >= l.End {
		return f, false
	}
	f.head, f.data = b[:at], b[at:l.End]
	switch {
	case f.more && len(f.data)%8 != 0, // offsets count in eights: nothing could follow
		f.off+f.size > 65535+ip6Len+fragLen,
		f.version == 4 && f.off+f.size > 65535:
		return f, false
	}
	return f, true
}

// read4 reads the IPv4 header and says where the data begins. A header whose
// checksum is wrong is not believed, as no host would.
func (f *fragment) read4(b []byte) (at int, ok bool) {
	h := b[f.l3:]
	n := int(h[0]&15) * 4
	if int(binary.BigEndian.Uint16(h[2:])) != f.size || packet.Checksum(h[:n]) != 0 {
		return 0, false
	}
	copy(f.src[:], h[12:16])
	copy(f.dst[:], h[16:20])
	f.id, f.proto = uint32(binary.BigEndian.Uint16(h[4:])), h[9]
	f.ce = h[1]&3 == 3
	return f.l3 + n, true
}

// read6 reads the IPv6 headers as far as the fragment header at frag. One behind
// another is a fragment of a fragment, which no source makes.
func (f *fragment) read6(b []byte, frag int) (at int, ok bool) {
	h := b[f.l3:]
	if ip6Len+int(binary.BigEndian.Uint16(h[4:])) != f.size {
		return 0, false
	}
	last, prev := headers6(b, f.l3, frag)
	if last != frag {
		return 0, false
	}
	f.prev = prev
	copy(f.src[:], h[8:24])
	copy(f.dst[:], h[24:40])
	f.id = binary.BigEndian.Uint32(b[frag+4:])
	f.ce = h[1]>>4&3 == 3
	return frag + fragLen, true
}

// headers6 walks the extension headers behind the IPv6 header at l3 up to the first
// fragment header or to end. It returns where it came to, and the offset of the
// byte that says what stands there.
func headers6(b []byte, l3, end int) (at, prev int) {
	at, prev = l3+ip6Len, l3+6
	for at+8 <= end { // the shortest has 8 bytes
		n := 0
		switch b[prev] {
		case packet.ProtoHopByHop, packet.ProtoRouting, packet.ProtoDestOpts:
			n = (int(b[at+1]) + 1) * 8
		case packet.ProtoAH:
			n = (int(b[at+1]) + 2) * 4
		}
		if n == 0 || at+n > end {
			break
		}
		prev, at = at, at+n
	}
	return at, prev
}
