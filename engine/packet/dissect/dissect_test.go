package dissect_test

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/engine/packet/dissect"
)

var (
	host4 = netip.MustParseAddr("192.0.2.1")
	peer4 = netip.MustParseAddr("192.0.2.2")
	host6 = netip.MustParseAddr("2001:db8::1")
	peer6 = netip.MustParseAddr("2001:db8::2")
)

func build(t testing.TB, ls ...packet.Layer) *packet.Packet {
	t.Helper()
	p, err := packet.Build(ls...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func bytesOf(t testing.TB, ls ...gopacket.SerializableLayer) packet.Payload {
	t.Helper()
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true}, ls...); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func samples(t testing.TB) map[string]*packet.Packet {
	question := []layers.DNSQuestion{{Name: []byte("www.example"), Type: layers.DNSTypeA, Class: layers.DNSClassIN}}
	query := bytesOf(t, &layers.DNS{ID: 7, Questions: question})
	answer := bytesOf(t, &layers.DNS{ID: 7, QR: true, Questions: question,
		Answers: []layers.DNSResourceRecord{{Name: []byte("www.example"), Type: layers.DNSTypeA, Class: layers.DNSClassIN, TTL: 60, IP: net.IP{192, 0, 2, 80}}}})
	evil := bytesOf(t, &layers.DNS{ID: 7, Questions: []layers.DNSQuestion{{Name: []byte("\x1b[2J.example"), Type: layers.DNSTypeA, Class: layers.DNSClassIN}}})
	discover := bytesOf(t, &layers.DHCPv4{Operation: 1, HardwareType: 1, HardwareLen: 6, ClientHWAddr: net.HardwareAddr{2, 0, 0, 0, 0, 1},
		Options: layers.DHCPOptions{layers.NewDHCPOption(layers.DHCPOptMessageType, []byte{1})}})
	inner := build(t, packet.IPv4{Src: host4, Dst: peer4}, packet.UDP{Sport: 9, Dport: 10}).Bytes()
	ip := func(proto uint8) packet.IPv4 { return packet.IPv4{Src: host4, Dst: peer4, Proto: proto} }
	dns := packet.UDP{Sport: 4000, Dport: 53}
	return map[string]*packet.Packet{
		"DNS query 7 A www.example":              build(t, ip(0), dns, query),
		"DNS answer 7 A www.example; 192.0.2.80": build(t, ip(0), packet.UDP{Sport: 53, Dport: 4000}, answer),
		"DNS query 7 A .[2J.example":             build(t, ip(0), dns, evil),
		"DHCP Discover 02:00:00:00:00:01":        build(t, ip(0), packet.UDP{Sport: 68, Dport: 67}, discover),
		"SCTP 5000 > 5001, INIT tsn 9": build(t, ip(132), packet.Payload("\x13\x88\x13\x89\x00\x00\x00\x00\x00\x00\x00\x00"+
			"\x01\x00\x00\x14\x00\x00\x00\x01\x00\x00\xff\xff\x00\x01\x00\x01\x00\x00\x00\x09")),
		"IGMPv2 Membership Report 224.0.0.9":             build(t, ip(2), packet.Payload("\x16\x00\x00\x00\xe0\x00\x00\x09")),
		"GRE IPv4, IP 192.0.2.1 > 192.0.2.2, UDP 9 > 10": build(t, ip(47), append(packet.Payload("\x00\x00\x08\x00"), inner...)),
		"IP 192.0.2.1 > 192.0.2.2, UDP 9 > 10":           build(t, packet.IPv6{Src: host6, Dst: peer6, Proto: 4}, packet.Payload(inner)),
		"LLDP ttl 120": build(t, packet.Eth{Dst: packet.MAC{1, 0x80, 0xc2, 0, 0, 0x0e}, Type: 0x88cc},
			packet.Payload("\x02\x07\x04\x02\x00\x00\x00\x00\x01\x04\x02\x07a\x06\x02\x00\x78\x00\x00")),
	}
}

func TestLine(t *testing.T) {
	for want, p := range samples(t) {
		if got := dissect.Line(p); !strings.HasPrefix(got, want) {
			t.Errorf("%v: %q, want %q", p, got, want)
		}
	}
}

func TestTree(t *testing.T) {
	for want, p := range samples(t) {
		got := dissect.Tree(p)
		if name, _, _ := strings.Cut(want, " "); got == "" || !strings.Contains(got, "\n  ") || name == "DNS" && !strings.Contains(got, "\n  ID = 7\n") {
			t.Errorf("%v:\n%s", p, got)
		}
		if strings.ContainsRune(got, 0x1b) {
			t.Errorf("%v: a terminal would obey it", p)
		}
	}
}

// What has views of its own, or is cut up, is not said again.
func TestNothingMoreIsKnown(t *testing.T) {
	first := build(t, packet.IPv4{Src: host4, Dst: peer4}, packet.UDP{Sport: 1, Dport: 53}, packet.Payload("12345678"))
	ip, _ := first.IP()
	ip.SetMF(true)
	for _, p := range []*packet.Packet{
		first, new(packet.Packet), build(t, packet.Eth{}, packet.ARP{}), build(t, packet.IPv4{Src: host4, Dst: peer4}, packet.TCP{Dport: 443}, packet.Payload("x")),
		build(t, packet.IPv4{Src: host4, Dst: peer4}, packet.ICMP{Type: 8}, packet.Payload("x")), build(t, packet.IPv4{Src: host4, Dst: peer4, Proto: 253}, packet.Payload("x")),
		build(t, packet.IPv4{Src: host4, Dst: peer4}, packet.UDP{Sport: 4000, Dport: 4001}, packet.Payload("x")),
	} {
		if got := dissect.Line(p) + dissect.Tree(p); got != "" {
			t.Errorf("%v: %q", p, got)
		}
	}
}

// FuzzDissect takes any bytes: nothing panics, and nothing reaches a terminal that
// it would obey.
func FuzzDissect(f *testing.F) {
	for _, p := range samples(f) {
		f.Add(p.Bytes(), p.Link() == packet.Ethernet)
	}
	f.Fuzz(func(t *testing.T, b []byte, ethernet bool) {
		link := packet.IP
		if ethernet {
			link = packet.Ethernet
		}
		p, err := packet.Parse(b, link)
		if err != nil {
			return
		}
		if said := dissect.Line(p); strings.ContainsAny(said, "\x1b\n\x00") {
			t.Fatalf("%q", said)
		}
		dissect.Tree(p)
	})
}

func ExampleLine() {
	p, err := packet.Build(packet.IPv4{Src: host4, Dst: netip.MustParseAddr("224.0.0.9"), Proto: 2}, packet.Payload("\x16\x00\x00\x00\xe0\x00\x00\x09"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(dissect.Line(p))
	// Output: IGMPv2 Membership Report 224.0.0.9
}
