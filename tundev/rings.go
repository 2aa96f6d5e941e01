package tundev

import (
	"encoding/binary"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
)

// rings are one direction of a Pipe: a ring for each queue of who reads.
type rings []*ring

// of is the ring that the frame b belongs in: the same one for both directions of a flow,
// and for fragments, which have no ports, that of their addresses.
func (rs rings) of(b []byte, link packet.LinkType) *ring {
	if len(rs) == 1 {
		return rs[0]
	}
	return rs[spread(b, link)%uint32(len(rs))]
}

// writeBatch puts every packet into its ring.
func (rs rings) writeBatch(ps []*packet.Packet, link packet.LinkType, lost func(*packet.Packet, engine.Reason)) {
	if len(rs) == 1 {
		rs[0].writeBatch(ps, link, lost)
		return
	}
	for i, p := range ps {
		rs.of(p.Bytes(), link).writeBatch(ps[i:i+1], link, lost)
	}
}

// spread is a number that the packets of a flow have in common. The kernel's is a better
// hash; here it is enough that neighbours differ.
func spread(b []byte, link packet.LinkType) uint32 {
	if link == packet.Ethernet {
		b = b[min(len(b), etherLen):]
	}
	var h uint32
	word := func(at int) {
		if at+4 <= len(b) {
			h += binary.BigEndian.Uint32(b[at:]) // a sum: the other way round it is the same
		}
	}
	ports, proto := 0, byte(0)
	switch {
	case len(b) >= 20 && b[0]>>4 == 4:
		word(12)
		word(16)
		if binary.BigEndian.Uint16(b[6:])&0x3fff == 0 {
			ports, proto = int(b[0]&15)*4, b[9]
		}
	case len(b) >= 40 && b[0]>>4 == 6:
		for at := 8; at < 40; at += 4 {
			word(at)
		}
		ports, proto = 40, b[6]
	}
	if (proto == packet.ProtoTCP || proto == packet.ProtoUDP) && ports+4 <= len(b) {
		h += uint32(binary.BigEndian.Uint16(b[ports:])) + uint32(binary.BigEndian.Uint16(b[ports+2:]))
	}
	h *= 0x9e3779b1
	return h >> 16
}
