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
		has:  func(p *packet.Packet) bool { _, ok := p.UDP(); return ok },
		span: fromL4,
		fields: portFields(get, "UDP checksum", map[string]*field{
			"len": number(math.MaxUint16, "length of header and payload in bytes",
				func(p *packet.Packet) (uint64, bool) { return uint64(get(p).Len()), true },
				func(p *packet.Packet, v uint64) error { return get(p).SetLen(int(v)) }),
		}),
	}
	l.fields["len"].clear = func(p *packet.Packet) { get(p).ResetLen() }
	return l
}
