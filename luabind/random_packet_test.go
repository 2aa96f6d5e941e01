package luabind_test

import (
	"math/rand/v2"
	"slices"

	"github.com/tunscript/tunscript/engine/packet"
)

// randomPacket is one of random layers and fields, often edited at random, too, and
// now and then cut short.
func randomPacket(r *rand.Rand) *packet.Packet {
	u8 := func() uint8 { return uint8(r.Uint32()) }
	u16 := func() uint16 { return uint16(r.Uint32()) }
	some := func(n int) []byte {
		b := make([]byte, r.IntN(n+1))
		for i := range b {
			b[i] = u8()
			if r.IntN(2) == 0 {
				b[i] = 'a' + b[i]%26
			}
		}
		return b
	}
	mac := func() packet.MAC { return packet.MAC{2, 0, 0, 0, u8(), u8()} }
	var list []packet.Layer
	if r.IntN(2) == 0 {
		list = append(list, packet.Eth{Src: mac(), Dst: mac()})
		for range r.IntN(3) {
			list = append(list, packet.VLAN{ID: u16() & 0xfff, Prio: u8() & 7, DEI: r.IntN(2) == 0})
		}
	}
	v6 := r.IntN(2) == 0
	switch {
	case len(list) > 0 && r.IntN(8) == 0:
		list = append(list, packet.ARP{Op: uint16(r.IntN(4)), SHA: mac(), SPA: host, TPA: peer})
	case v6:
		list = append(list, packet.IPv6{Src: host6, Dst: peer6, TTL: u8(), TOS: u8(), FlowLabel: r.Uint32() & 0xfffff})
	default:
		ip := packet.IPv4{Src: host, Dst: peer, TTL: u8(), TOS: u8(), ID: u16(), DF: r.IntN(2) == 0}
		if r.IntN(4) == 0 {
			ip.Options = some(40)
		}
		list = append(list, ip)
	}
	if _, arp := list[len(list)-1].(packet.ARP); !arp {
		switch r.IntN(5) {
		case 0:
			list = append(list, packet.UDP{Sport: u16(), Dport: u16()})
		case 1:
			tcp := packet.TCP{Sport: u16(), Dport: u16(), Seq: r.Uint32(), Ack: r.Uint32(), Flags: packet.Flags(u8()), Window: u16()}
			if r.IntN(3) == 0 {
				tcp.Options = some(40)
			}
			list = append(list, tcp)
		case 2:
			if v6 {
				list = append(list, packet.ICMPv6{Type: []uint8{1, 2, 128, 129, 133, 134, 135, 136, 137, 143}[r.IntN(10)], Code: u8() % 3, ID: u16(), Seq: u16()})
			} else {
				list = append(list, packet.ICMP{Type: []uint8{0, 3, 5, 8, 11, 13}[r.IntN(6)], Code: u8() % 6, ID: u16(), Seq: u16()})
			}
		}
	}
	if r.IntN(4) > 0 {
		list = append(list, packet.Payload(some(60)))
	}
	p, err := packet.Build(list...)
	if err != nil {
		return randomPacket(r)
	}
	for range r.IntN(4) {
		spoil(p, r, some)
	}
	b := p.Bytes()
	if r.IntN(10) == 0 {
		b = b[:1+r.IntN(len(b))]
	}
	q, err := packet.Parse(b, p.Link())
	if err != nil {
		return randomPacket(r)
	}
	return q
}

// spoil changes something that a builder would have computed, or adds what it does
// only when told to.
func spoil(p *packet.Packet, r *rand.Rand, some func(n int) []byte) {
	ip, hasIP := p.IP()
	tcp, hasTCP := p.TCP()
	udp, hasUDP := p.UDP()
	switch v6, has6 := p.IPv6(); r.IntN(12) {
	case 0:
		p.SetUint8(r.IntN(p.Len()), uint8(r.Uint32()))
	case 1:
		ip.SetLen(r.IntN(100))
	case 2:
		ip.SetChecksum(uint16(r.Uint32()))
	case 3:
		ip.SetMF(r.IntN(2) == 0)
	case 4:
		ip.SetFrag(r.IntN(3) * 8)
	case 5:
		tcp.SetChecksum(uint16(r.IntN(3)))
	case 6:
		udp.SetChecksum(uint16(r.IntN(3)))
	case 7:
		udp.SetLen(r.IntN(50))
	case 8:
		ip.SetProto([]uint8{0, 1, 6, 17, 41, 43, 44, 50, 51, 58, 59, 60, 132}[r.IntN(13)])
	case 9:
		if has6 {
			v6.SetExtensions(randomExtensions(r)...)
		}
	case 10:
		if hasTCP {
			tcp.Options().SetMSS(uint16(r.Uint32()))
			tcp.Options().SetWScale(uint8(r.IntN(16)))
			tcp.Options().Set(uint8(2+r.IntN(253)), some(8))
		}
	case 11:
		if hasIP && !hasUDP {
			p.SetPayload(some(90))
		}
	}
}

func randomExtensions(r *rand.Rand) (list []packet.Extension) {
	for range r.IntN(4) {
		kind := []uint8{0, 43, 44, 51, 60}[r.IntN(5)]
		e := packet.Extension{Kind: kind, Data: make([]byte, 8)}
		if kind == 43 && r.IntN(2) == 0 {
			e.Data = slices.Concat([]byte{0, 2, 0, 1, 0, 0, 0, 0}, host6.AsSlice())
		}
		if kind == 44 && r.IntN(2) == 0 {
			e.Data = []byte{0, 0, 0, uint8(r.IntN(32)), 1, 2, 3, 4}
		}
		list = append(list, e)
	}
	return list
}
