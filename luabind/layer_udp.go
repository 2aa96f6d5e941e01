package luabind

import (
	"math"

	"github.com/tunscript/tunscript/engine/packet"
)

// udpLayer is p.udp.
func udpLayer() *layer {
	get := func(p *packet.Packet) packet.UDPView { v, _ := p.UDP(); return v }
	l := &layer{
		name: "udp", doc: "UDP (RFC 768)",
		has: func(p *packet.Packet) bool { _, ok := p.UDP(); return ok },
		fields: map[string]*field{
			"sport": number(math.MaxUint16, "source port",
				func(p *packet.Packet) (uint64, bool) { return uint64(get(p).Sport()), true },
				func(p *packet.Packet, v uint64) error { get(p).SetSport(uint16(v)); return nil }),
			"dport": number(math.MaxUint16, "destination port",
				func(p *packet.Packet) (uint64, bool) { return uint64(get(p).Dport()), true },
				func(p *packet.Packet, v uint64) error { get(p).SetDport(uint16(v)); return nil }),
			"len": number(math.MaxUint16, "length of header and payload in bytes",
				func(p *packet.Packet) (uint64, bool) { return uint64(get(p).Len()), true },
				func(p *packet.Packet, v uint64) error { return get(p).SetLen(int(v)) }),
			"checksum": checksum("UDP checksum",
				func(p *packet.Packet) (uint64, bool) { return uint64(get(p).Checksum()), true },
				func(p *packet.Packet, v uint16) { get(p).SetChecksum(v) },
				func(p *packet.Packet) { get(p).ResetChecksum() }),
		},
	}
	l.fields["len"].clear = func(p *packet.Packet) { get(p).ResetLen() }
	return l
}
