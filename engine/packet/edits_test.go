package packet_test

import (
	"math/rand/v2"
	"net/netip"

	"github.com/tunscript/tunscript/engine/packet"
)

func addr4(r *rand.Rand) netip.Addr { return netip.AddrFrom4([4]byte{198, 51, 100, byte(r.Uint32())}) }

func addr6(r *rand.Rand) netip.Addr {
	a := [16]byte{0x20, 0x01, 0x0d, 0xb8}
	for i := 4; i < 16; i++ {
		a[i] = byte(r.Uint32())
	}
	return netip.AddrFrom16(a)
}

// An edit sets something to chance. The ones that compute a sum anew, as a
// replaced payload does, heal a wrong one.
type edit struct {
	name  string
	heals bool
	do    func(*packet.Packet, *rand.Rand)
}

func edits() []edit {
	ip := func(f func(packet.IPView, *rand.Rand)) func(*packet.Packet, *rand.Rand) {
		return func(p *packet.Packet, r *rand.Rand) { v, _ := p.IP(); f(v, r) }
	}
	tcp := func(f func(packet.TCPView, *rand.Rand)) func(*packet.Packet, *rand.Rand) {
		return func(p *packet.Packet, r *rand.Rand) { v, _ := p.TCP(); f(v, r) }
	}
	udp := func(f func(packet.UDPView, *rand.Rand)) func(*packet.Packet, *rand.Rand) {
		return func(p *packet.Packet, r *rand.Rand) { v, _ := p.UDP(); f(v, r) }
	}
	icmp := func(f func(packet.ICMPView, *rand.Rand)) func(*packet.Packet, *rand.Rand) {
		return func(p *packet.Packet, r *rand.Rand) { v, _ := p.ICMP(); f(v, r) }
	}
	icmp6 := func(f func(packet.ICMPv6View, *rand.Rand)) func(*packet.Packet, *rand.Rand) {
		return func(p *packet.Packet, r *rand.Rand) { v, _ := p.ICMPv6(); f(v, r) }
	}
	u8 := func(r *rand.Rand) uint8 { return uint8(r.Uint32()) }
	u16 := func(r *rand.Rand) uint16 { return uint16(r.Uint32()) }
	raw := func(p *packet.Packet, r *rand.Rand, n int) { // behind the ports, before lengths and sums
		l := p.Layout()
		if l.End-l.Data > n {
			b := make([]byte, n)
			for i := range b {
				b[i] = u8(r)
			}
			p.SetBytes(l.Data+r.IntN(l.End-l.Data-n), b)
		}
	}
	return []edit{
		{"ip.src", false, ip(func(v packet.IPView, r *rand.Rand) { v.SetSrc(addr4(r)); v.SetSrc(addr6(r)) })}, // one of them fits
		{"ip.dst", false, ip(func(v packet.IPView, r *rand.Rand) { v.SetDst(addr4(r)); v.SetDst(addr6(r)) })},
		{"ip.ttl", false, ip(func(v packet.IPView, r *rand.Rand) { v.SetTTL(u8(r)) })},
		{"ip.tos", false, ip(func(v packet.IPView, r *rand.Rand) { v.SetTOS(u8(r)) })},
		{"ip.dscp", false, ip(func(v packet.IPView, r *rand.Rand) { v.SetDSCP(u8(r)) })},
		{"ip.ecn", false, ip(func(v packet.IPView, r *rand.Rand) { v.SetECN(u8(r)) })},
		{"ip.id", false, ip(func(v packet.IPView, r *rand.Rand) { v.SetID(uint32(u16(r))) })},
		{"ip.df", false, ip(func(v packet.IPView, r *rand.Rand) { v.SetDF(r.IntN(2) == 0) })},
		{"ip4.options", false, func(p *packet.Packet, r *rand.Rand) {
			if v, ok := p.IPv4(); ok {
				v.SetOptions(make([]byte, r.IntN(41)))
			}
		}},
		{"ip6.flowlabel", false, func(p *packet.Packet, r *rand.Rand) { v, _ := p.IPv6(); v.SetFlowLabel(r.Uint32()) }},
		{"tcp.sport", false, tcp(func(v packet.TCPView, r *rand.Rand) { v.SetSport(u16(r)) })},
		{"tcp.dport", false, tcp(func(v packet.TCPView, r *rand.Rand) { v.SetDport(u16(r)) })},
		{"tcp.seq", false, tcp(func(v packet.TCPView, r *rand.Rand) { v.SetSeq(r.Uint32()) })},
		{"tcp.ack", false, tcp(func(v packet.TCPView, r *rand.Rand) { v.SetAck(r.Uint32()) })},
		{"tcp.flags", false, tcp(func(v packet.TCPView, r *rand.Rand) { v.SetFlags(packet.Flags(u8(r))) })},
		{"tcp.window", false, tcp(func(v packet.TCPView, r *rand.Rand) { v.SetWindow(u16(r)) })},
		{"tcp.urgent", false, tcp(func(v packet.TCPView, r *rand.Rand) { v.SetUrgent(u16(r)) })},
		{"tcp.options.mss", false, tcp(func(v packet.TCPView, r *rand.Rand) { v.Options().SetMSS(u16(r)) })},
		{"tcp.options.timestamps", false, tcp(func(v packet.TCPView, r *rand.Rand) { v.Options().SetTimestamps(r.Uint32(), r.Uint32()) })},
		{"tcp.options.wscale", false, tcp(func(v packet.TCPView, r *rand.Rand) { v.Options().SetWScale(u8(r) % 15) })},
		{"tcp.options removed", false, tcp(func(v packet.TCPView, r *rand.Rand) { v.Options().Remove(2 + u8(r)%7) })},
		{"udp.sport", false, udp(func(v packet.UDPView, r *rand.Rand) { v.SetSport(u16(r)) })},
		{"udp.dport", false, udp(func(v packet.UDPView, r *rand.Rand) { v.SetDport(u16(r)) })},
		{"icmp.code", false, icmp(func(v packet.ICMPView, r *rand.Rand) { v.SetCode(u8(r)) })},
		{"icmp.type", false, icmp(func(v packet.ICMPView, r *rand.Rand) { v.SetType(u8(r)) })},
		{"icmp.id", false, icmp(func(v packet.ICMPView, r *rand.Rand) { v.SetID(u16(r)) })},
		{"icmp.seq", false, icmp(func(v packet.ICMPView, r *rand.Rand) { v.SetSeq(u16(r)) })},
		{"icmp.mtu", false, icmp(func(v packet.ICMPView, r *rand.Rand) { v.SetMTU(u16(r)) })},
		{"icmp.gateway", false, icmp(func(v packet.ICMPView, r *rand.Rand) { v.SetGateway(addr4(r)) })},
		{"icmp6.code", false, icmp6(func(v packet.ICMPv6View, r *rand.Rand) { v.SetCode(u8(r)) })},
		{"icmp6.id", false, icmp6(func(v packet.ICMPv6View, r *rand.Rand) { v.SetID(u16(r)) })},
		{"icmp6.seq", false, icmp6(func(v packet.ICMPv6View, r *rand.Rand) { v.SetSeq(u16(r)) })},
		{"icmp6.mtu", false, icmp6(func(v packet.ICMPv6View, r *rand.Rand) { v.SetMTU(r.Uint32()) })},
		{"icmp6.flags", false, icmp6(func(v packet.ICMPv6View, r *rand.Rand) { v.SetFlags(u8(r)) })},
		{"icmp6.target", false, icmp6(func(v packet.ICMPv6View, r *rand.Rand) { v.SetType(packet.NeighborSolicit); v.SetTarget(addr6(r)) })},
		{"icmp6.lladdr", false, icmp6(func(v packet.ICMPv6View, r *rand.Rand) { v.SetLLAddr(packet.MAC{2, u8(r), u8(r)}) })},
		{"one byte of payload", false, func(p *packet.Packet, r *rand.Rand) { raw(p, r, 1) }},
		{"odd bytes of payload", false, func(p *packet.Packet, r *rand.Rand) { raw(p, r, 3) }},
		{"even bytes of payload", false, func(p *packet.Packet, r *rand.Rand) { raw(p, r, 4) }},
		{"ip.ttl and proto, raw", false, func(p *packet.Packet, r *rand.Rand) {
			if l := p.Layout(); l.Version == 4 {
				p.SetBytes(l.L3+8, []byte{u8(r), l.Proto})
			}
		}},
		{"ports, raw", false, func(p *packet.Packet, r *rand.Rand) {
			if l := p.Layout(); l.Proto == packet.ProtoTCP || l.Proto == packet.ProtoUDP {
				p.SetUint32(l.L4, r.Uint32())
			}
		}},
		{"payload of the same length", true, func(p *packet.Packet, r *rand.Rand) {
			b := append([]byte(nil), p.Payload()...)
			for i := range b {
				b[i] = u8(r)
			}
			p.SetPayload(b)
		}},
		{"payload of another length", true, func(p *packet.Packet, r *rand.Rand) { p.SetPayload(make([]byte, r.IntN(90))) }},
	}
}
