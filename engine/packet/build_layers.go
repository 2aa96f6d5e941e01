package packet

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// grow appends n zero bytes.
func (b *builder) grow(n int) []byte {
	h := b.p.extend(n)
	clear(h)
	return h
}

func (b *builder) eth(l Eth, next Layer) error {
	if b.last != atStart {
		return &BuildError{"eth", "", "it stands first: put it before the other layers"}
	}
	b.p.link, b.last = Ethernet, atEth
	h := b.grow(ethLen)
	copy(h, l.Dst[:])
	copy(h[6:], l.Src[:])
	binary.BigEndian.PutUint16(h[12:], typeOf(l.Type, next))
	return nil
}

// typeOf is the ethertype before a layer: as given, or the layer's own.
func typeOf(given uint16, next Layer) uint16 {
	if given != 0 {
		return given
	}
	switch next.(type) {
	case VLAN:
		return TypeVLAN
	case ARP:
		return TypeARP
	case IPv4:
		return TypeIPv4
	case IPv6:
		return TypeIPv6
	}
	return 0x88b5 // for local experiments (IEEE 802)
}

func (b *builder) vlan(l VLAN, next Layer) error {
	switch {
	case b.last != atEth:
		return &BuildError{"vlan", "", "it stands directly behind an Eth: put one before it"}
	case b.tags == 2:
		return &BuildError{"vlan", "", "at most two tags are read: leave one out"}
	case l.ID > 4095:
		return &BuildError{"vlan", "id", fmt.Sprintf("%d: give 0 to 4095", l.ID)}
	case l.Prio > 7:
		return &BuildError{"vlan", "prio", fmt.Sprintf("%d: give 0 to 7", l.Prio)}
	}
	b.tags++
	h := b.grow(vlanLen)
	binary.BigEndian.PutUint16(h, uint16(l.Prio)<<13|l.ID)
	h[0] |= bit(l.DEI, 0x10)
	binary.BigEndian.PutUint16(h[2:], typeOf(l.Type, next))
	return nil
}

func (b *builder) arp(l ARP) error {
	if b.last != atEth {
		return &BuildError{"arp", "", "it stands behind Ethernet: put Eth{Dst: packet.Broadcast} before it"}
	}
	b.last = atARP
	h := b.grow(arpLen)
	if l.Op == 0 {
		l.Op = ARPRequest
	}
	binary.BigEndian.PutUint64(h, 0x0001080006040000|uint64(l.Op))
	copy(h[8:], l.SHA[:])
	copy(h[18:], l.THA[:])
	if err := putAddr4(h[14:], "arp", "spa", l.SPA); err != nil {
		return err
	}
	return putAddr4(h[24:], "arp", "tpa", l.TPA)
}

// putAddr4 writes an address that may be left out.
func putAddr4(h []byte, layer, field string, a netip.Addr) error {
	if !a.IsValid() {
		return nil
	}
	if err := addr(layer, field, a, 4); err != nil {
		return err
	}
	v := a.As4()
	copy(h, v[:])
	return nil
}

// net settles that an IP header may stand here.
func (b *builder) net(layer string, version uint8) error {
	if b.last > atEth {
		return &BuildError{layer, "", "there is a header before it that it cannot follow: put the inner packet's bytes in a Payload"}
	}
	b.last, b.ip, b.l3 = atNet, version, b.p.Len()
	return nil
}

func (b *builder) ip4(l IPv4, next Layer) error {
	if err := b.net("ip4", 4); err != nil {
		return err
	}
	if err := addrs("ip4", l.Src, l.Dst, 4); err != nil {
		return err
	}
	switch {
	case len(l.Options) > 40:
		return &BuildError{"ip4", "options", fmt.Sprintf("%d bytes, but at most 40 fit: leave some out", len(l.Options))}
	case l.Frag < 0 || l.Frag > 65528 || l.Frag%8 != 0:
		return &BuildError{"ip4", "frag", fmt.Sprintf("%d is no fragment offset: give a multiple of 8 from 0 to 65528", l.Frag)}
	}
	h := b.grow(ip4Len + (len(l.Options)+3)&^3)
	h[0], h[1] = 4<<4|uint8(len(h)/4), l.TOS
	for l.ID == 0 {
		l.ID = b.p.nextID()
	}
	binary.BigEndian.PutUint16(h[4:], l.ID)
	binary.BigEndian.PutUint16(h[6:], uint16(l.Frag/8))
	h[6] |= bit(l.DF, 0x40) | bit(l.MF, 0x20)
	h[8], h[9] = or(l.TTL, 64), or(l.Proto, protoBefore(next))
	src, dst := l.Src.As4(), l.Dst.As4()
	copy(h[12:], src[:])
	copy(h[16:], dst[:])
	copy(h[ip4Len:], l.Options)
	return nil
}

func (b *builder) ip6(l IPv6, next Layer) error {
	if err := b.net("ip6", 6); err != nil {
		return err
	}
	if err := addrs("ip6", l.Src, l.Dst, 6); err != nil {
		return err
	}
	if l.FlowLabel > 0xfffff {
		return &BuildError{"ip6", "flowlabel", fmt.Sprintf("%#x has more than 20 bits: give less", l.FlowLabel)}
	}
	h := b.grow(ip6Len)
	binary.BigEndian.PutUint32(h, 6<<28|uint32(l.TOS)<<20|l.FlowLabel)
	ttl := uint8(64)
	if icmp, ok := next.(ICMPv6); ok && icmp.Type >= RouterSolicit && icmp.Type <= Redirect6 {
		ttl = 255 // RFC 4861 section 7.1: else it may have come from elsewhere
	}
	h[6], h[7] = or(l.Proto, protoBefore(next)), or(l.TTL, ttl)
	src, dst := l.Src.As16(), l.Dst.As16()
	copy(h[8:], src[:])
	copy(h[24:], dst[:])
	return nil
}

// protoBefore is the protocol of what follows an IP header: 253 is for experiments
// (RFC 3692), 59 says that nothing follows.
func protoBefore(next Layer) uint8 {
	if next == nil {
		return ProtoNoNext
	}
	return or(protoOf(next), 253)
}

// transport settles that a transport header may stand here.
func (b *builder) transport(layer string) error {
	if b.last != atNet {
		return &BuildError{layer, "", "it stands directly behind an IP header: put an IPv4 or IPv6 before it"}
	}
	b.last = atTail
	return nil
}

func (b *builder) icmp(l ICMP) error {
	if err := b.transport("icmp"); err != nil {
		return err
	}
	if b.ip != 4 {
		return &BuildError{"icmp", "", "over IPv6 it is another protocol: use ICMPv6"}
	}
	h := b.grow(icmpLen)
	h[0], h[1] = l.Type, l.Code
	binary.BigEndian.PutUint16(h[4:], l.ID)
	binary.BigEndian.PutUint16(h[6:], l.Seq|l.MTU)
	return putAddr4(h[4:], "icmp", "gateway", l.Gateway)
}

// room is how many bytes behind the first eight Target and LLAddr need.
func (l ICMPv6) room() (n int) {
	switch l.Type {
	case NeighborSolicit, NeighborAdvert:
		n = 16
	case Redirect6:
		n = 32
	case RouterAdvert:
		n = 8
	}
	if l.LLAddr != (MAC{}) {
		n += 8
	}
	return n
}

func (b *builder) icmp6(l ICMPv6, next Layer) error {
	if err := b.transport("icmp6"); err != nil {
		return err
	}
	if b.ip != 6 {
		return &BuildError{"icmp6", "", "over IPv4 it is another protocol: use ICMP"}
	}
	n := icmpLen
	if l.Target.IsValid() || l.LLAddr != (MAC{}) || next == nil {
		n += l.room() // else the payload brings it all
	}
	h := b.grow(n)
	h[0], h[1] = l.Type, l.Code
	binary.BigEndian.PutUint32(h[4:], uint32(l.ID)<<16|uint32(l.Seq)|l.MTU|uint32(l.Flags)<<24)
	if l.Target.IsValid() {
		if err := addr("icmp6", "target", l.Target, 6); err != nil {
			return err
		}
		switch l.Type {
		case NeighborSolicit, NeighborAdvert, Redirect6:
			a := l.Target.As16()
			copy(h[8:], a[:])
		default:
			return &BuildError{"icmp6", "target", "only neighbor solicitations, advertisements and redirects have one: leave it out"}
		}
	}
	if l.LLAddr != (MAC{}) {
		kind := uint8(1)
		switch l.Type {
		case NeighborAdvert, Redirect6:
			kind = 2
		case NeighborSolicit, RouterSolicit, RouterAdvert:
		default:
			return &BuildError{"icmp6", "lladdr", "only neighbor and router messages have one: leave it out"}
		}
		o := h[len(h)-8:]
		o[0], o[1] = kind, 1
		copy(o[2:], l.LLAddr[:])
	}
	return nil
}

func (b *builder) udp(l UDP) error {
	if err := b.transport("udp"); err != nil {
		return err
	}
	h := b.grow(udpLen)
	binary.BigEndian.PutUint16(h, l.Sport)
	binary.BigEndian.PutUint16(h[2:], l.Dport)
	return nil
}

func (b *builder) tcp(l TCP) error {
	if err := b.transport("tcp"); err != nil {
		return err
	}
	if len(l.Options) > maxOptions {
		return &BuildError{"tcp", "options", fmt.Sprintf("%d bytes, but at most %d fit: leave some out", len(l.Options), maxOptions)}
	}
	h := b.grow(tcpLen + (len(l.Options)+3)&^3)
	binary.BigEndian.PutUint16(h, l.Sport)
	binary.BigEndian.PutUint16(h[2:], l.Dport)
	binary.BigEndian.PutUint32(h[4:], l.Seq)
	binary.BigEndian.PutUint32(h[8:], l.Ack)
	h[12], h[13] = uint8(len(h)/4)<<4, uint8(l.Flags)
	if l.Window == 0 {
		l.Window = 65535
	}
	binary.BigEndian.PutUint16(h[14:], l.Window)
	binary.BigEndian.PutUint16(h[18:], l.Urgent)
	copy(h[tcpLen:], l.Options)
	return nil
}

func or(v, otherwise uint8) uint8 {
	if v == 0 {
		return otherwise
	}
	return v
}
