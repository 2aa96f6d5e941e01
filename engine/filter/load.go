package filter

import (
	"encoding/binary"

	"github.com/tunscript/tunscript/engine/packet"
)

// place says what the offset of a load counts from.
type place uint8

const (
	fromStart   place = iota // the first byte of the frame
	fromIPv4End              // the end of the IPv4 header that begins at base, as its length field says
	fromLayer                // a layer as packet.Layout finds it
	frameLen                 // no bytes: the length of the frame
)

// A load is a number in a packet. Loads are compared with ==.
type load struct {
	place  place
	size   uint8 // 1, 2 or 4 bytes, big-endian
	leaves bool  // a checksum may be among the bytes: read it as it will leave
	layer  Layer
	base   uint32
	off    uint32
}

// read returns the value; false if the bytes are not all there.
func (l *load) read(p *packet.Packet, b []byte) (uint32, bool) {
	at := uint64(l.off)
	switch l.place {
	case frameLen:
		return uint32(len(b)), true
	case fromIPv4End:
		if uint64(l.base) >= uint64(len(b)) {
			return 0, false
		}
		at += uint64(l.base) + uint64(b[l.base]&15)*4
	case fromLayer:
		start, ok := l.layer.find(p)
		if !ok {
			return 0, false
		}
		at += uint64(start)
	}
	return fetch(p, b, at, l.size, l.leaves)
}

// fetch reads size bytes at at. A packet may carry a checksum that is still to be
// finished; leaves asks for what will leave, which costs a look at the layout.
func fetch(p *packet.Packet, b []byte, at uint64, size uint8, leaves bool) (uint32, bool) {
	if at+uint64(size) > uint64(len(b)) {
		return 0, false
	}
	if leaves {
		switch size {
		case 1:
			v, ok := p.Uint8(int(at))
			return uint32(v), ok
		case 2:
			v, ok := p.Uint16(int(at))
			return uint32(v), ok
		default:
			return p.Uint32(int(at))
		}
	}
	switch b = b[at:]; size {
	case 1:
		return uint32(b[0]), true
	case 2:
		return uint32(binary.BigEndian.Uint16(b)), true
	default:
		return binary.BigEndian.Uint32(b), true
	}
}
