package packet_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/gopacket/layers"

	"github.com/tunscript/tunscript/engine/packet"
)

func TestErrorsSayWhatAndAboutWhat(t *testing.T) {
	q4 := " (192.0.2.1.4000 > 198.51.100.9.7 udp), length 41"
	q6 := " (2001:db8::1.4000 > 2001:db8:9::9.7 udp), length 61"
	far4, far6 := netip.MustParseAddr("198.51.100.9"), netip.MustParseAddr("2001:db8:9::9")
	for _, tt := range []struct {
		kind         packet.UnreachableKind
		want4, want6 string
	}{
		{packet.UnreachablePort, "IP 198.51.100.9 > 192.0.2.1: ICMP port unreachable" + q4, "IP6 2001:db8:9::9 > 2001:db8::1: ICMP6 port unreachable" + q6},
		{packet.UnreachableHost, "IP 192.0.2.2 > 192.0.2.1: ICMP host unreachable" + q4, "IP6 2001:db8::2 > 2001:db8::1: ICMP6 address unreachable" + q6},
		{packet.UnreachableNet, "IP 192.0.2.2 > 192.0.2.1: ICMP net unreachable" + q4, "IP6 2001:db8::2 > 2001:db8::1: ICMP6 route unreachable" + q6},
		{packet.UnreachableAdmin, "IP 192.0.2.2 > 192.0.2.1: ICMP code 13 unreachable" + q4, "IP6 2001:db8::2 > 2001:db8::1: ICMP6 admin unreachable" + q6},
		{packet.UnreachableFragmentation, "IP 192.0.2.2 > 192.0.2.1: ICMP need to frag, mtu 1400" + q4, "IP6 2001:db8::2 > 2001:db8::1: ICMP6 packet too big, mtu 1400" + q6},
	} {
		p4 := build(t, packet.IPv4{Src: host4, Dst: far4}, packet.UDP{Sport: 4000, Dport: 7}, packet.Payload("hello"))
		p6 := build(t, packet.IPv6{Src: host6, Dst: far6}, packet.UDP{Sport: 4000, Dport: 7}, packet.Payload("hello"))
		p4.In, p6.In = tap0, tap0
		if got := line(t, p4.Unreachable(tt.kind, 1400)); got != tt.want4 {
			t.Errorf("%v:\ngot  %s\nwant %s", tt.kind, got, tt.want4)
		}
		if got := line(t, p6.Unreachable(tt.kind, 1400)); got != tt.want6 {
			t.Errorf("%v:\ngot  %s\nwant %s", tt.kind, got, tt.want6)
		}
	}
	p := build(t, packet.IPv4{Src: host4, Dst: far4}, packet.UDP{})
	if got, want := line(t, p.TTLExceeded()), "IP 198.51.100.9 > 192.0.2.1: ICMP time exceeded in-transit (192.0.2.1.0 > 198.51.100.9.0 udp), length 36"; got != want {
		t.Errorf("without a port:\ngot  %s\nwant %s", got, want)
	}
}

func TestTooBigTakesTheMTUOfTheWayOut(t *testing.T) {
	p := build(t, ip4(packet.UDP{})...)
	p.Out = &packet.Port{MTU: 1234}
	v, _ := p.Unreachable(packet.UnreachableFragmentation, 0).ICMP()
	if v.MTU() != 1234 {
		t.Errorf("mtu %d, want 1234", v.MTU())
	}
	p = build(t, ip6(packet.UDP{})...)
	v6, _ := p.Unreachable(packet.UnreachableFragmentation, 0).ICMPv6()
	if v6.MTU() != 1280 {
		t.Errorf("mtu %d, want 1280", v6.MTU())
	}
}

func TestQuotesAreCutAndFinished(t *testing.T) {
	for _, tt := range []struct {
		layers []packet.Layer
		most   int
	}{
		{ip4(packet.UDP{Sport: 1, Dport: 2}, packet.Payload(make([]byte, 3000))), 576},
		{ip6(packet.TCP{Sport: 1, Dport: 2}, packet.Payload(make([]byte, 3000))), 1280},
	} {
		p := build(t, tt.layers...)
		p.Unfinish()
		want := p.Clone().Bytes()
		e := p.Unreachable(packet.UnreachablePort, 0)
		if e.Len() != tt.most {
			t.Errorf("%d bytes, want %d", e.Len(), tt.most)
		}
		if quote := e.Payload(); string(quote) != string(want[:len(quote)]) {
			t.Errorf("the quote is not the packet as it would have left")
		}
		if _, ok := p.Partial(); !ok {
			t.Error("the packet itself has lost its unfinished checksum")
		}
		if layer, ok := e.Valid(); !ok {
			t.Errorf("%s is not valid", layer)
		}
	}
}

func TestPaddingIsNotQuoted(t *testing.T) {
	b := build(t, append([]packet.Layer{packet.Eth{Src: hostMAC, Dst: peerMAC}}, ip4(packet.UDP{})...)...).Bytes()
	p := parse(t, append(b, make([]byte, 20)...), packet.Ethernet)
	if got, want := len(p.Unreachable(packet.UnreachablePort, 0).Payload()), 32; got != want {
		t.Errorf("%d bytes are quoted, want %d", got, want)
	}
}

func TestErrorsThatMayNotBe(t *testing.T) {
	udp := packet.UDP{Sport: 1, Dport: 2}
	eth := func(dst packet.MAC, l []packet.Layer) []packet.Layer {
		return append([]packet.Layer{packet.Eth{Src: hostMAC, Dst: dst}}, l...)
	}
	for _, tt := range []struct {
		about  string
		layers []packet.Layer
		want   string
	}{
		{"an error", ip4(packet.ICMP{Type: packet.TimeExceeded}), "an ICMP error"},
		{"an error 6", ip6(packet.ICMPv6{Type: packet.DestUnreach6}), "an ICMP error"},
		{"a redirect 6", ip6(packet.ICMPv6{Type: packet.Redirect6, Target: host6}), "an ICMP error"},
		{"a later fragment", []packet.Layer{packet.IPv4{Src: host4, Dst: peer4, Frag: 8}, udp}, "only the first fragment"},
		{"a broadcast", from("192.0.2.1", "192.0.2.255", udp), "a packet to many"},
		{"a multicast", from("192.0.2.1", "224.0.0.251", udp), "a packet to many"},
		{"a multicast 6", from("2001:db8::1", "ff02::fb", udp), "a packet to many"},
		{"a frame to all", eth(packet.Broadcast, ip4(udp)), "a packet to many"},
		{"from nobody", from("0.0.0.0", "192.0.2.2", udp), "its source"},
		{"from nobody 6", from("::", "2001:db8::2", udp), "its source"},
		{"from loopback", from("127.0.0.1", "192.0.2.2", udp), "its source"},
		{"from loopback 6", from("::1", "2001:db8::2", udp), "its source"},
		{"from many", from("192.0.2.255", "192.0.2.2", udp), "its source"},
		{"from class E", from("240.0.0.1", "192.0.2.2", udp), "its source"},
		{"ARP", []packet.Layer{packet.Eth{}, packet.ARP{}}, "only IP"},
	} {
		p := build(t, tt.layers...)
		p.In = tap0
		for _, q := range []*packet.Packet{p.Unreachable(packet.UnreachablePort, 0), p.TTLExceeded()} {
			if got := line(t, q); !strings.HasPrefix(got, "empty: "+tt.want) {
				t.Errorf("about %s: %s, want it empty: %s", tt.about, got, tt.want)
			}
		}
	}
	for _, ok := range [][]packet.Layer{
		{packet.IPv4{Src: host4, Dst: peer4, MF: true}, udp},
		ip4(packet.ICMP{Type: packet.EchoReply}),
		ip4(packet.TCP{Flags: packet.RST}),
	} {
		if q := build(t, ok...).TTLExceeded(); q.Len() == 0 {
			t.Errorf("about %v: %s", build(t, ok...), q.Why())
		}
	}
	p := build(t, from("2001:db8::1", "ff0e::5", udp)...)
	p.In = tap0
	if got := line(t, p.Unreachable(packet.UnreachableFragmentation, 1280)); !strings.HasPrefix(got, "IP6 2001:db8::2 > 2001:db8::1: ICMP6 packet too big") {
		t.Errorf("a multicast may be too big: %s", got)
	}
}

// The first 8 bytes behind the quoted header find the socket (RFC 792): gopacket
// reads them from what we wrote.
func TestQuoteIsReadByGopacket(t *testing.T) {
	p := build(t, ip4(packet.UDP{Sport: 4000, Dport: 7}, packet.Payload("hello"))...)
	e := p.Unreachable(packet.UnreachablePort, 0)
	var ip layers.IPv4
	var udp layers.UDP
	if err := ip.DecodeFromBytes(e.Payload(), noFeedback{}); err != nil {
		t.Fatal(err)
	}
	if err := udp.DecodeFromBytes(ip.Payload, noFeedback{}); err != nil {
		t.Fatal(err)
	}
	if udp.SrcPort != 4000 || udp.DstPort != 7 || string(udp.Payload) != "hello" {
		t.Errorf("got %+v", udp)
	}
}

type noFeedback struct{}

func (noFeedback) SetTruncated() {}

// On a link of two, or of one address, the last address is a host's (RFC 3021).
func TestLastAddressOfAPointToPointLinkIsAHost(t *testing.T) {
	p := build(t, from("198.51.100.0", "198.51.100.1", packet.UDP{})...)
	for _, prefix := range []string{"198.51.100.0/31", "198.51.100.1/32", "198.51.100.0/30"} {
		p.In = &packet.Port{Addrs: []netip.Prefix{netip.MustParsePrefix(prefix)}}
		if e := p.TTLExceeded(); e.Len() == 0 {
			t.Errorf("in %s: %s", prefix, e.Why())
		}
	}
	p = build(t, from("198.51.100.1", "198.51.100.3", packet.UDP{})...)
	if e := p.TTLExceeded(); e.Len() == 0 {
		t.Errorf("without a port: %s", e.Why())
	}
	p.In = &packet.Port{Addrs: []netip.Prefix{netip.MustParsePrefix("198.51.100.1/30")}}
	if e := p.TTLExceeded(); e.Len() != 0 {
		t.Error("the last address of a /30 is a broadcast")
	}
}
