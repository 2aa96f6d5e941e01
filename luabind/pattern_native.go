package luabind

import (
	"net/netip"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine/filter"
	"github.com/tunscript/tunscript/engine/packet"
)

// A place says where a field of a layer stands in its header, so that a filter can
// ask for it and an index find it.
type place struct {
	layer     filter.Layer
	off, size int
}

// places are the fields that a packet is waited for by, by layer and name.
var places = map[string]place{
	"tcp.sport": {filter.TCP, 0, 2}, "tcp.dport": {filter.TCP, 2, 2},
	"tcp.seq": {filter.TCP, 4, 4}, "tcp.ack": {filter.TCP, 8, 4},
	"tcp.window": {filter.TCP, 14, 2}, "tcp.urgent": {filter.TCP, 18, 2},
	"udp.sport": {filter.UDP, 0, 2}, "udp.dport": {filter.UDP, 2, 2},
	"icmp.type": {filter.ICMP, 0, 1}, "icmp.code": {filter.ICMP, 1, 1},
	"icmp.id": {filter.ICMP, 4, 2}, "icmp.seq": {filter.ICMP, 6, 2},
	"icmp6.type": {filter.ICMP6, 0, 1}, "icmp6.code": {filter.ICMP6, 1, 1},
	"icmp6.id": {filter.ICMP6, 4, 2}, "icmp6.seq": {filter.ICMP6, 6, 2},
	"ip4.ttl": {filter.IP4, 8, 1}, "ip6.ttl": {filter.IP6, 7, 1},
	"ip4.proto": {filter.IP4, 9, 1},
	"vlan.type": {filter.VLAN, 2, 2},
}

// flagsAt is where the flags stand in a TCP header.
const flagsAt = 13

func hasFlags(f packet.Flags) *filter.Filter {
	return filter.Field(filter.TCP, flagsAt, 1, uint32(f), uint32(f))
}

// nativeField is the filter that says that a field of a layer is want; nil where
// there is none.
func nativeField(layer, field string, want lua.LValue) *filter.Filter {
	name := layer + "." + field
	switch want := want.(type) {
	case lua.LNumber:
		if at, ok := places[name]; ok {
			return filter.Field(at.layer, at.off, at.size, 0xffffffff>>(32-8*at.size), uint32(want))
		}
	case lua.LString:
		if name == "tcp.flags" {
			f, _ := packet.ParseFlags(string(want))
			return filter.Field(filter.TCP, flagsAt, 1, 0xff, uint32(f))
		}
		if a, err := readAddr(string(want)); err == nil {
			return nativeNetwork(name, netip.PrefixFrom(a, a.BitLen()))
		}
	}
	return nil
}

// nativeNetwork is the filter that says that an address is in the network.
func nativeNetwork(name string, n netip.Prefix) *filter.Filter {
	if four := n.Addr().Is4(); four && (name == "ip6.src" || name == "ip6.dst") || !four && (name == "ip4.src" || name == "ip4.dst") {
		return filter.Or() // nothing
	}
	switch name {
	case "ip.src", "ip4.src", "ip6.src":
		return filter.Src(n)
	case "ip.dst", "ip4.dst", "ip6.dst":
		return filter.Dst(n)
	case "arp.spa":
		return arpAddress(14, n)
	case "arp.tpa":
		return arpAddress(24, n)
	}
	return nil
}

func arpAddress(off int, n netip.Prefix) *filter.Filter {
	if !n.Addr().Is4() {
		return filter.Or()
	}
	a := n.Addr().As4()
	mask := ^uint32(0) << (32 - n.Bits())
	return filter.Field(filter.ARP, off, 4, mask, (uint32(a[0])<<24|uint32(a[1])<<16|uint32(a[2])<<8|uint32(a[3]))&mask)
}
