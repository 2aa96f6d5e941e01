package luabind

import (
	"maps"
	"math"
	"net/netip"

	"github.com/tunscript/tunscript/engine/packet"
)

// messageView is what ICMP and ICMPv6 have in common: an echo is the same in both.
type messageView interface {
	Type() uint8
	SetType(uint8)
	Code() uint8
	SetCode(uint8)
	ID() uint16
	SetID(uint16)
	Seq() uint16
	SetSeq(uint16)
	sumView
}

// messageFields are type, code, id, seq and checksum, and the others given.
func messageFields[V messageView](get func(p *packet.Packet) V, echo string, others map[string]*field) map[string]*field {
	fields := map[string]*field{
		"type": number(255, "message type, such as "+echo+" for an echo request",
			func(p *packet.Packet) (uint64, bool) { return uint64(get(p).Type()), true },
			func(p *packet.Packet, v uint64) error { get(p).SetType(uint8(v)); return nil }),
		"code": number(255, "what the type says more closely",
			func(p *packet.Packet) (uint64, bool) { return uint64(get(p).Code()), true },
			func(p *packet.Packet, v uint64) error { get(p).SetCode(uint8(v)); return nil }),
		"id": number(math.MaxUint16, "identifier of an echo",
			func(p *packet.Packet) (uint64, bool) { return uint64(get(p).ID()), true },
			func(p *packet.Packet, v uint64) error { get(p).SetID(uint16(v)); return nil }),
		"seq": number(math.MaxUint16, "sequence number of an echo",
			func(p *packet.Packet) (uint64, bool) { return uint64(get(p).Seq()), true },
			func(p *packet.Packet, v uint64) error { get(p).SetSeq(uint16(v)); return nil }),
		"checksum": sumField("ICMP checksum", get),
	}
	maps.Copy(fields, others)
	return fields
}

// icmpLayer is p.icmp.
func icmpLayer() *layer {
	get := func(p *packet.Packet) packet.ICMPView { v, _ := p.ICMP(); return v }
	return &layer{
		name: "icmp", doc: "ICMP over IPv4 (RFC 792)",
		has:  func(p *packet.Packet) bool { _, ok := p.ICMP(); return ok },
		span: fromL4,
		fields: messageFields(get, "8", map[string]*field{
			"mtu": number(math.MaxUint16, "next hop's MTU, in \"fragmentation needed\"",
				func(p *packet.Packet) (uint64, bool) { return uint64(get(p).MTU()), true },
				func(p *packet.Packet, v uint64) error { get(p).SetMTU(uint16(v)); return nil }),
			"gateway": address("the better way, in a redirect",
				func(p *packet.Packet) (netip.Addr, bool) { return get(p).Gateway(), true },
				func(p *packet.Packet, a netip.Addr) error { return get(p).SetGateway(a) }),
		}),
	}
}

// icmp6Layer is p.icmp6.
func icmp6Layer() *layer {
	get := func(p *packet.Packet) packet.ICMPv6View { v, _ := p.ICMPv6(); return v }
	return &layer{
		name: "icmp6", doc: "ICMPv6 (RFC 4443) and neighbor discovery (RFC 4861)",
		has:  func(p *packet.Packet) bool { _, ok := p.ICMPv6(); return ok },
		span: fromL4,
		fields: messageFields(get, "128", map[string]*field{
			"mtu": number(math.MaxUint32, "next hop's MTU, in \"packet too big\"",
				func(p *packet.Packet) (uint64, bool) { return uint64(get(p).MTU()), true },
				func(p *packet.Packet, v uint64) error { get(p).SetMTU(uint32(v)); return nil }),
			"target": address("whom a neighbor message is about, nil in others",
				func(p *packet.Packet) (netip.Addr, bool) { return get(p).Target() },
				func(p *packet.Packet, a netip.Addr) error { return get(p).SetTarget(a) }),
			"lladdr": mac("link-layer address of a neighbor message, nil where it has none",
				func(p *packet.Packet) (packet.MAC, bool) { return get(p).LLAddr() },
				func(p *packet.Packet, m packet.MAC) error { return get(p).SetLLAddr(m) }),
		}),
	}
}
