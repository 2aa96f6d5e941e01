package packet_test

import (
	"net"
	"net/netip"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/tunscript/tunscript/engine/packet"
)

var (
	host4 = netip.MustParseAddr("192.0.2.1")
	peer4 = netip.MustParseAddr("192.0.2.2")
	host6 = netip.MustParseAddr("2001:db8::1")
	peer6 = netip.MustParseAddr("2001:db8::2")

	hostMAC = packet.MAC{2, 0, 0, 0, 0, 1}
	peerMAC = packet.MAC{2, 0, 0, 0, 0, 2}
)

// A sample is a packet as we build it and as gopacket does.
type sample struct {
	name   string
	link   packet.LinkType
	layers []packet.Layer
	oracle []gopacket.SerializableLayer
	short  int // the frame's shortest length at which its innermost header is there
}

func goIP4(proto layers.IPProtocol, id uint16) *layers.IPv4 {
	return &layers.IPv4{Version: 4, TTL: 64, Id: id, Protocol: proto, SrcIP: host4.AsSlice(), DstIP: peer4.AsSlice()}
}

func goIP6(proto layers.IPProtocol) *layers.IPv6 {
	return &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: proto, SrcIP: host6.AsSlice(), DstIP: peer6.AsSlice()}
}

func goEth(dst packet.MAC, typ layers.EthernetType) *layers.Ethernet {
	return &layers.Ethernet{SrcMAC: net.HardwareAddr(hostMAC[:]), DstMAC: dst[:], EthernetType: typ}
}

func samples() []sample {
	ip4 := packet.IPv4{Src: host4, Dst: peer4, ID: 7}
	ip6 := packet.IPv6{Src: host6, Dst: peer6}
	eth := packet.Eth{Src: hostMAC, Dst: peerMAC}
	mssOnly := []byte{2, 4, 0x05, 0xb4}
	v := func(l ...packet.Layer) []packet.Layer { return l }
	o := func(l ...gopacket.SerializableLayer) []gopacket.SerializableLayer { return l }
	odd := []byte("an odd payload.")
	return []sample{
		{"tcp4 syn", packet.IP,
			v(ip4, packet.TCP{Sport: 4000, Dport: 80, Seq: 7, Flags: packet.SYN, Options: mssOnly}),
			o(goIP4(6, 7), &layers.TCP{SrcPort: 4000, DstPort: 80, Seq: 7, SYN: true, Window: 65535,
				Options: []layers.TCPOption{{OptionType: 2, OptionLength: 4, OptionData: mssOnly[2:]}}}), 44},
		{"tcp6 data", packet.IP,
			v(ip6, packet.TCP{Sport: 4000, Dport: 80, Seq: 7, Ack: 9, Flags: packet.PSH | packet.ACK, Window: 3}, packet.Payload(odd)),
			o(goIP6(6), &layers.TCP{SrcPort: 4000, DstPort: 80, Seq: 7, Ack: 9, PSH: true, ACK: true, Window: 3}, gopacket.Payload(odd)), 60},
		{"udp4", packet.IP,
			v(packet.IPv4{Src: host4, Dst: peer4, ID: 7, TTL: 3, TOS: 0xb9, DF: true}, packet.UDP{Sport: 4000, Dport: 7}, packet.Payload(odd)),
			o(&layers.IPv4{Version: 4, TTL: 3, Id: 7, TOS: 0xb9, Flags: layers.IPv4DontFragment, Protocol: 17, SrcIP: host4.AsSlice(), DstIP: peer4.AsSlice()},
				&layers.UDP{SrcPort: 4000, DstPort: 7}, gopacket.Payload(odd)), 28},
		{"udp6", packet.IP,
			v(packet.IPv6{Src: host6, Dst: peer6, TTL: 9, TOS: 0x47, FlowLabel: 0x12345}, packet.UDP{Sport: 4000, Dport: 7}, packet.Payload("hello")),
			o(&layers.IPv6{Version: 6, HopLimit: 9, TrafficClass: 0x47, FlowLabel: 0x12345, NextHeader: 17, SrcIP: host6.AsSlice(), DstIP: peer6.AsSlice()},
				&layers.UDP{SrcPort: 4000, DstPort: 7}, gopacket.Payload("hello")), 48},
		{"icmp echo", packet.IP,
			v(ip4, packet.ICMP{Type: packet.EchoRequest, ID: 1, Seq: 2}, packet.Payload("hello")),
			o(goIP4(1, 7), &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(8, 0), Id: 1, Seq: 2}, gopacket.Payload("hello")), 28},
		{"icmp6 echo", packet.IP,
			v(ip6, packet.ICMPv6{Type: packet.EchoRequest6, ID: 1, Seq: 2}, packet.Payload("hello")),
			o(goIP6(58), &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(128, 0)}, &layers.ICMPv6Echo{Identifier: 1, SeqNumber: 2}, gopacket.Payload("hello")), 48},
		{"ip4 options", packet.IP,
			v(packet.IPv4{Src: host4, Dst: peer4, ID: 7, Options: []byte{148, 4, 0, 0}}, packet.UDP{Sport: 1, Dport: 2}),
			o(&layers.IPv4{Version: 4, TTL: 64, Id: 7, Protocol: 17, SrcIP: host4.AsSlice(), DstIP: peer4.AsSlice(),
				Options: []layers.IPv4Option{{OptionType: 148, OptionLength: 4, OptionData: []byte{0, 0}}}}, &layers.UDP{SrcPort: 1, DstPort: 2}), 32},
		{"eth udp4", packet.Ethernet,
			v(eth, ip4, packet.UDP{Sport: 1, Dport: 2}, packet.Payload(odd)),
			o(goEth(peerMAC, 0x800), goIP4(17, 7), &layers.UDP{SrcPort: 1, DstPort: 2}, gopacket.Payload(odd)), 42},
		{"vlan tcp6", packet.Ethernet,
			v(eth, packet.VLAN{ID: 5, Prio: 3}, ip6, packet.TCP{Sport: 1, Dport: 2, Flags: packet.RST}),
			o(goEth(peerMAC, 0x8100), &layers.Dot1Q{VLANIdentifier: 5, Priority: 3, Type: 0x86dd}, goIP6(6), &layers.TCP{SrcPort: 1, DstPort: 2, RST: true, Window: 65535}), 78},
		{"arp", packet.Ethernet,
			v(packet.Eth{Src: hostMAC, Dst: packet.Broadcast}, packet.ARP{SHA: hostMAC, SPA: host4, TPA: peer4}),
			o(goEth(packet.Broadcast, 0x806), &layers.ARP{AddrType: 1, Protocol: 0x800, HwAddressSize: 6, ProtAddressSize: 4, Operation: 1,
				SourceHwAddress: hostMAC[:], SourceProtAddress: host4.AsSlice(), DstHwAddress: make([]byte, 6), DstProtAddress: peer4.AsSlice()}), 42},
		{"neighbor solicitation", packet.Ethernet,
			v(eth, ip6, packet.ICMPv6{Type: packet.NeighborSolicit, Target: peer6, LLAddr: hostMAC}),
			o(goEth(peerMAC, 0x86dd), &layers.IPv6{Version: 6, HopLimit: 255, NextHeader: 58, SrcIP: host6.AsSlice(), DstIP: peer6.AsSlice()},
				&layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(135, 0)},
				&layers.ICMPv6NeighborSolicitation{TargetAddress: peer6.AsSlice(), Options: layers.ICMPv6Options{{Type: 1, Data: hostMAC[:]}}}), 62},
	}
}

// serialize is what gopacket makes of the layers.
func serialize(t testing.TB, ls ...gopacket.SerializableLayer) []byte {
	t.Helper()
	var network gopacket.NetworkLayer
	for _, l := range ls {
		if n, ok := l.(gopacket.NetworkLayer); ok {
			network = n
		}
		if c, ok := l.(interface {
			SetNetworkLayerForChecksum(gopacket.NetworkLayer) error
		}); ok {
			if err := c.SetNetworkLayerForChecksum(network); err != nil {
				t.Fatal(err)
			}
		}
	}
	buf := gopacket.NewSerializeBuffer()
	opts := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(buf, opts, ls...); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func build(t testing.TB, ls ...packet.Layer) *packet.Packet {
	t.Helper()
	p, err := packet.Build(ls...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func parse(t testing.TB, b []byte, link packet.LinkType) *packet.Packet {
	t.Helper()
	p, err := packet.Parse(b, link)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// goSums is the checksums that gopacket finds in b, outermost first.
func goSums(b []byte, link packet.LinkType) []uint16 {
	first := layers.LayerTypeEthernet
	if link == packet.IP {
		first = layers.LayerTypeIPv4
		if b[0]>>4 == 6 {
			first = layers.LayerTypeIPv6
		}
	}
	sums := []uint16{}
	for _, l := range gopacket.NewPacket(b, first, gopacket.Default).Layers() {
		switch l := l.(type) {
		case *layers.IPv4:
			sums = append(sums, l.Checksum)
		case *layers.TCP:
			sums = append(sums, l.Checksum)
		case *layers.UDP:
			sums = append(sums, l.Checksum)
		case *layers.ICMPv4:
			sums = append(sums, l.Checksum)
		case *layers.ICMPv6:
			sums = append(sums, l.Checksum)
		}
	}
	return sums
}
