package filter

import "github.com/tunscript/tunscript/engine/packet"

// A Layer is a header that built conditions look into, where packet.Layout finds
// it: behind VLAN tags, IPv4 options and IPv6 extension headers, in both versions
// of IP, and not in a fragment other than the first.
type Layer uint8

const (
	Ethernet Layer = iota // the Ethernet header
	VLAN                  // the first tag: priority and VLAN number, then an ethertype
	ARP
	IP // either version
	IP4
	IP6
	TCP
	UDP
	ICMP  // of IPv4
	ICMP6 // of IPv6
)

var layerNames = [...]string{"ether", "vlan", "arp", "ip", "ip4", "ip6", "tcp", "udp", "icmp", "icmp6"}

// String is the name that scripts use for the layer.
func (l Layer) String() string {
	if int(l) < len(layerNames) {
		return layerNames[l]
	}
	return "no layer"
}

// find returns where the layer begins in p.
func (l Layer) find(p *packet.Packet) (at int, ok bool) {
	lay := p.Layout()
	switch l {
	case Ethernet:
		return 0, p.Link() == packet.Ethernet && p.Len() >= ethHeader
	case VLAN:
		return ethHeader, lay.Tags > 0
	case ARP:
		return lay.L3, lay.Type == packet.TypeARP && lay.Data > lay.L3
	case IP:
		return lay.L3, lay.Version != 0
	case IP4:
		return lay.L3, lay.Version == 4
	case IP6:
		return lay.L3, lay.Version == 6
	case TCP:
		return lay.L4, lay.L4 > 0 && lay.Proto == packet.ProtoTCP
	case UDP:
		return lay.L4, lay.L4 > 0 && lay.Proto == packet.ProtoUDP
	case ICMP:
		return lay.L4, lay.L4 > 0 && lay.Version == 4 && lay.Proto == packet.ProtoICMP
	case ICMP6:
		return lay.L4, lay.L4 > 0 && lay.Version == 6 && lay.Proto == packet.ProtoICMPv6
	}
	return 0, false
}
