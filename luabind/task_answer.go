package luabind

import (
	"encoding/binary"
	"net/netip"

	"github.com/tunscript/tunscript/engine/filter"
	"github.com/tunscript/tunscript/engine/packet"
)

// answersTo is what answers q: the filter that nearly says it, by which who waits is
// found, and the rest. An answer comes back from where q went, at once to q and not
// to something before it; a reset and an ICMP error that quotes q are answers, too.
// Without IP and ARP both are nil.
func answersTo(q *packet.Packet) (*filter.Filter, func(*packet.Packet) bool) {
	if arp, ok := q.ARP(); ok {
		asked := arp.TPA()
		return filter.And(filter.Has(filter.ARP), arpAddress(14, host(asked))), func(p *packet.Packet) bool {
			a, ok := p.ARP()
			return ok && a.Op() == packet.ARPReply && a.SPA() == asked
		}
	}
	ip, ok := q.IP()
	if !ok {
		return nil, nil
	}
	src, dst := ip.Src(), ip.Dst()
	from := filter.And(filter.Dst(host(src)), filter.Src(host(dst)))
	direct := func(p *packet.Packet) bool { ip, ok := p.IP(); return ok && ip.Src() == dst && ip.Dst() == src }
	if dst.IsMulticast() || dst == netip.AddrFrom4([4]byte{255, 255, 255, 255}) { // anybody answers
		from = filter.Dst(host(src))
		direct = func(p *packet.Packet) bool { ip, ok := p.IP(); return ok && ip.Dst() == src }
	}
	match, same := protocolAnswer(q, ip.Proto())
	about := errorAbout(q, dst)
	errors := filter.Field(filter.ICMP, quoteAt+16, 4, 0xffffffff, lastWord(dst))
	if dst.Is6() {
		errors = filter.Field(filter.ICMP6, quoteAt+36, 4, 0xffffffff, lastWord(dst))
	}
	return filter.Or(filter.And(from, match), errors), func(p *packet.Packet) bool {
		return direct(p) && same(p) || about(p)
	}
}

// quoteAt is where an ICMP error begins to quote the packet that it is about.
const quoteAt = 8

func host(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

func lastWord(a netip.Addr) uint32 {
	b := a.AsSlice()
	return binary.BigEndian.Uint32(b[len(b)-4:])
}

// protocolAnswer is what q's protocol says of an answer between its two addresses.
func protocolAnswer(q *packet.Packet, proto uint8) (*filter.Filter, func(*packet.Packet) bool) {
	if tcp, ok := q.TCP(); ok {
		return ports(filter.TCP, tcp.Dport(), tcp.Sport()), tcpAnswer(q, tcp)
	}
	if udp, ok := q.UDP(); ok {
		sport, dport := udp.Sport(), udp.Dport()
		return ports(filter.UDP, dport, sport), func(p *packet.Packet) bool {
			u, ok := p.UDP()
			return ok && u.Sport() == dport && u.Dport() == sport
		}
	}
	if icmp, ok := q.ICMP(); ok && icmp.Type() == packet.EchoRequest {
		id, seq := icmp.ID(), icmp.Seq()
		return filter.Field(filter.ICMP, 4, 4, 0xffffffff, uint32(id)<<16|uint32(seq)), func(p *packet.Packet) bool {
			m, ok := p.ICMP()
			return ok && m.Type() == packet.EchoReply && m.ID() == id && m.Seq() == seq
		}
	}
	if icmp, ok := q.ICMPv6(); ok {
		switch icmp.Type() {
		case packet.EchoRequest6:
			id, seq := icmp.ID(), icmp.Seq()
			return filter.Field(filter.ICMP6, 4, 4, 0xffffffff, uint32(id)<<16|uint32(seq)), func(p *packet.Packet) bool {
				m, ok := p.ICMPv6()
				return ok && m.Type() == packet.EchoReply6 && m.ID() == id && m.Seq() == seq
			}
		case packet.NeighborSolicit:
			target, _ := icmp.Target()
			return filter.Field(filter.ICMP6, 0, 1, 0xff, packet.NeighborAdvert), func(p *packet.Packet) bool {
				m, ok := p.ICMPv6()
				if !ok || m.Type() != packet.NeighborAdvert {
					return false
				}
				about, ok := m.Target()
				return ok && about == target
			}
		}
	}
	return nil, func(p *packet.Packet) bool { ip, ok := p.IP(); return ok && ip.Proto() == proto }
}

func ports(l filter.Layer, sport, dport uint16) *filter.Filter {
	return filter.Field(l, 0, 4, 0xffffffff, uint32(sport)<<16|uint32(dport))
}

// tcpAnswer is a reset, or a segment that acknowledges all that q takes of the
// sequence space; any, if that is nothing.
func tcpAnswer(q *packet.Packet, tcp packet.TCPView) func(*packet.Packet) bool {
	sport, dport := tcp.Sport(), tcp.Dport()
	length := uint32(len(q.Payload()))
	if tcp.Flags().Has(packet.SYN) {
		length++
	}
	if tcp.Flags().Has(packet.FIN) {
		length++
	}
	end := tcp.Seq() + length
	return func(p *packet.Packet) bool {
		a, ok := p.TCP()
		if !ok || a.Sport() != dport || a.Dport() != sport {
			return false
		}
		f := a.Flags()
		return f.Has(packet.RST) || length == 0 || f.Has(packet.ACK) && int32(a.Ack()-end) >= 0
	}
}

// errorAbout is an ICMP error that quotes q: its addresses, its protocol and what
// tells it from others between them.
func errorAbout(q *packet.Packet, dst netip.Addr) func(*packet.Packet) bool {
	ip, _ := q.IP()
	src, proto := ip.Src(), ip.Proto()
	mine := sign(q)
	return func(p *packet.Packet) bool {
		if !isError(p) {
			return false
		}
		quote, err := packet.Parse(p.Frame()[p.Layout().L4+quoteAt:], packet.IP)
		if err != nil {
			return false
		}
		ip, ok := quote.IP()
		if !ok || ip.Src() != src || ip.Dst() != dst || ip.Proto() != proto {
			return false
		}
		return sign(quote) == mine
	}
}

// sign is the first eight bytes behind the IP header as far as they tell packets from
// one another: the ports, or of an ICMP message its type, code, id and number. An
// error quotes at least eight.
func sign(p *packet.Packet) (s [8]byte) {
	lay := p.Layout()
	if lay.L4 == 0 {
		return s
	}
	b := p.Frame()[lay.L4:]
	switch {
	case lay.Proto == packet.ProtoICMP || lay.Proto == packet.ProtoICMPv6:
		if len(b) >= len(s) { // but for the checksum
			copy(s[:2], b)
			copy(s[4:], b[4:])
		}
	case lay.Proto == packet.ProtoTCP || lay.Proto == packet.ProtoUDP:
		copy(s[:4], b)
	}
	return s
}

func isError(p *packet.Packet) bool {
	if m, ok := p.ICMP(); ok {
		switch m.Type() {
		case 3, 4, 11, 12: // unreachable, source quench, time exceeded, parameter problem
			return len(p.Frame()) > p.Layout().L4+quoteAt
		}
	}
	if m, ok := p.ICMPv6(); ok {
		return m.Type() < 128 && len(p.Frame()) > p.Layout().L4+quoteAt // RFC 4443 section 2.1
	}
	return false
}
