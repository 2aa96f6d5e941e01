package packet_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/packet"
)

// tap0 is a TAP device: the kernel is 192.0.2.1, we are 192.0.2.2.
var tap0 = &packet.Port{
	Name: "tap0", Link: packet.Ethernet, MTU: 1500, MAC: hostMAC, PeerMAC: packet.MAC{2, 0, 0, 0, 0, 9},
	Addrs: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24"), netip.MustParsePrefix("2001:db8::1/64")},
	Peers: []netip.Addr{peer4, peer6},
}

// line is an answer in one line, with what it may not be.
func line(t *testing.T, q *packet.Packet) string {
	t.Helper()
	if q.Len() == 0 {
		return "empty: " + q.Why()
	}
	q = parse(t, q.Bytes(), q.Link())
	if layer, ok := q.Valid(); !ok {
		t.Errorf("%v: %s is not valid", q, layer)
	}
	if ip, ok := q.IPv4(); ok && ip.DF() {
		t.Errorf("%v has DF", q)
	}
	return q.String()
}

func ip4(l ...packet.Layer) []packet.Layer {
	return append([]packet.Layer{packet.IPv4{Src: host4, Dst: peer4, TTL: 9, TOS: 0x10, DF: true, Options: []byte{1, 1, 1, 1}}}, l...)
}

func ip6(l ...packet.Layer) []packet.Layer {
	return append([]packet.Layer{packet.IPv6{Src: host6, Dst: peer6, TTL: 9, TOS: 0x10, FlowLabel: 5}}, l...)
}

func from(src, dst string, l ...packet.Layer) []packet.Layer {
	s, d := netip.MustParseAddr(src), netip.MustParseAddr(dst)
	if s.Is4() {
		return append([]packet.Layer{packet.IPv4{Src: s, Dst: d}}, l...)
	}
	return append([]packet.Layer{packet.IPv6{Src: s, Dst: d}}, l...)
}

func TestReply(t *testing.T) {
	udp := packet.UDP{Sport: 4000, Dport: 7}
	tcp := func(flags packet.Flags, seq, ack uint32) packet.TCP {
		return packet.TCP{Sport: 4000, Dport: 80, Seq: seq, Ack: ack, Flags: flags, Options: linuxSYN, Urgent: 3, Window: 9}
	}
	for _, tt := range []struct {
		question string
		layers   []packet.Layer
		want     string
	}{
		{"echo", ip4(packet.ICMP{Type: packet.EchoRequest, ID: 1, Seq: 2}, packet.Payload("hello")),
			"IP 192.0.2.2 > 192.0.2.1: ICMP echo reply, id 1, seq 2, length 13"},
		{"echo6", ip6(packet.ICMPv6{Type: packet.EchoRequest6, ID: 1, Seq: 2}, packet.Payload("hello")),
			"IP6 2001:db8::2 > 2001:db8::1: ICMP6 echo reply, id 1, seq 2, length 13"},
		{"udp", ip4(udp, packet.Payload("hello")), "IP 192.0.2.2.7 > 192.0.2.1.4000: UDP, length 5"},
		{"udp6", ip6(udp, packet.Payload("hello")), "IP6 2001:db8::2.7 > 2001:db8::1.4000: UDP, length 5"},
		{"segment", ip4(tcp(packet.ACK|packet.PSH, 100, 7), packet.Payload("hello")),
			"IP 192.0.2.2.80 > 192.0.2.1.4000: Flags [A], ack 105, win 65535, length 0"},
		{"FIN at the end of the numbers", ip6(tcp(packet.FIN|packet.ACK, 1<<32-3, 7), packet.Payload("hello")),
			"IP6 2001:db8::2.80 > 2001:db8::1.4000: Flags [A], ack 3, win 65535, length 0"},
		{"SYN-ACK", ip4(tcp(packet.SYN|packet.ACK, 100, 7)),
			"IP 192.0.2.2.80 > 192.0.2.1.4000: Flags [A], ack 101, win 65535, length 0"},
		{"without ACK", ip4(tcp(packet.FIN, 100, 7)),
			"IP 192.0.2.2.80 > 192.0.2.1.4000: Flags [A], ack 101, win 65535, length 0"},
		{"GRE", ip4(packet.Payload("abcd")), "IP 192.0.2.2 > 192.0.2.1: proto 253, length 4"},
		{"broadcast", from("192.0.2.1", "192.0.2.255", udp), "IP 192.0.2.2.7 > 192.0.2.1.4000: UDP, length 0"},
		{"limited broadcast", from("192.0.2.1", "255.255.255.255", udp), "IP 192.0.2.2.7 > 192.0.2.1.4000: UDP, length 0"},
		{"multicast echo", from("2001:db8::1", "ff02::1", packet.ICMPv6{Type: packet.EchoRequest6}),
			"IP6 2001:db8::2 > 2001:db8::1: ICMP6 echo reply, id 0, seq 0, length 8"},
		{"a DHCP client", from("0.0.0.0", "255.255.255.255", udp), "IP 192.0.2.2.7 > 0.0.0.0.4000: UDP, length 0"},

		{"RST", ip4(tcp(packet.RST, 1, 0)), "empty: a RST"},
		{"echo reply", ip4(packet.ICMP{Type: packet.EchoReply}), "empty: a reply"},
		{"echo reply 6", ip6(packet.ICMPv6{Type: packet.EchoReply6}), "empty: a reply"},
		{"error", ip4(packet.ICMP{Type: packet.DestUnreach}), "empty: an ICMP error"},
		{"error 6", ip6(packet.ICMPv6{Type: packet.PacketTooBig}), "empty: an ICMP error"},
		{"advertisement", ip6(packet.ICMPv6{Type: packet.NeighborAdvert, Target: host6}), "empty: this ICMP type"},
		{"fragment", []packet.Layer{packet.IPv4{Src: host4, Dst: peer4, Frag: 8}, udp}, "empty: a fragment"},
		{"first fragment", []packet.Layer{packet.IPv4{Src: host4, Dst: peer4, MF: true}, udp}, "empty: a fragment"},
		{"TCP to all", from("192.0.2.1", "224.0.0.1", tcp(packet.SYN, 1, 0)), "empty: TCP to many"},
		{"from many", from("224.0.0.1", "192.0.2.2", udp), "empty: its source"},
		{"echo from nobody", from("0.0.0.0", "192.0.2.2", packet.ICMP{Type: packet.EchoRequest}), "empty: its source"},
	} {
		t.Run(tt.question, func(t *testing.T) {
			p := build(t, tt.layers...)
			p.In, p.Time = tap0, time.Unix(5, 0)
			before := string(p.Bytes())
			q := p.Reply()
			if got := line(t, q); got != tt.want && !(strings.HasPrefix(tt.want, "empty") && strings.HasPrefix(got, tt.want)) {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if q.In != tap0 || q.Out != tap0 || !q.Time.Equal(p.Time) {
				t.Errorf("in %v, out %v, time %v", q.In, q.Out, q.Time)
			}
			if string(p.Bytes()) != before {
				t.Error("the question was changed")
			}
			if ip, ok := q.IP(); ok {
				tos := uint8(0)
				if strings.HasPrefix(tt.question, "echo") {
					tos = 0x10
				}
				if ip.TTL() != 64 || ip.TOS() != tos {
					t.Errorf("ttl %d, tos %#x, want 64, %#x", ip.TTL(), ip.TOS(), tos)
				}
			}
		})
	}
}

func TestReplyToSYN(t *testing.T) {
	p := build(t, ip4(packet.TCP{Sport: 4000, Dport: 80, Seq: 1<<32 - 1, Flags: packet.SYN | packet.ECE | packet.CWR})...)
	q, r := p.Reply(), p.Reply()
	tcp, _ := q.TCP()
	again, _ := r.TCP()
	if tcp.Flags() != packet.SYN|packet.ACK || tcp.Ack() != 0 || tcp.HeaderLen() != 20 {
		t.Errorf("got %v", q)
	}
	if tcp.Seq() == again.Seq() {
		t.Errorf("the same seq %d twice: it is drawn", tcp.Seq())
	}
}

func TestReplyNeedsAnAddressToAnswerABroadcast(t *testing.T) {
	p := build(t, from("192.0.2.1", "255.255.255.255", packet.UDP{})...)
	if got := line(t, p.Reply()); !strings.Contains(got, "set peer") {
		t.Errorf("got %s", got)
	}
}

func TestReplyOnEthernet(t *testing.T) {
	p := build(t, append([]packet.Layer{packet.Eth{Src: hostMAC, Dst: peerMAC}, packet.VLAN{ID: 5, Prio: 3}}, ip4(packet.UDP{Sport: 1, Dport: 2})...)...)
	p.In = tap0
	q := p.Reply()
	eth, _ := q.Ethernet()
	vlan, ok := q.VLAN()
	if eth.Src() != peerMAC || eth.Dst() != hostMAC || !ok || vlan.ID() != 5 || vlan.Prio() != 3 {
		t.Errorf("%v > %v, %v", eth.Src(), eth.Dst(), q)
	}
	v, _ := p.Ethernet()
	v.SetDst(packet.Broadcast)
	eth, _ = p.Reply().Ethernet()
	if eth.Src() != tap0.PeerMAC {
		t.Errorf("a frame to all is answered from %v, want our %v", eth.Src(), tap0.PeerMAC)
	}
}

func TestReplyToASuperPacketAcknowledgesAllOfIt(t *testing.T) {
	p := build(t, ip4(packet.TCP{Seq: 10, Flags: packet.ACK}, packet.Payload(make([]byte, 5000)))...)
	p.SetGSO(packet.GSO{Type: 1, Size: 1000})
	p.Unfinish()
	q := p.Reply()
	tcp, _ := q.TCP()
	if tcp.Ack() != 5010 || q.GSO().Size != 0 {
		t.Errorf("got %v", q)
	}
	u := build(t, ip4(packet.UDP{Sport: 1, Dport: 2}, packet.Payload(make([]byte, 5000)))...)
	u.SetGSO(packet.GSO{Type: 5, Size: 1000})
	u.Unfinish()
	q = u.Reply()
	if _, ok := q.Partial(); !ok || q.Segments() != 5 {
		t.Errorf("a super-packet's echo is one: %v", q)
	}
}

func TestRST(t *testing.T) {
	tcp := func(flags packet.Flags) packet.TCP {
		return packet.TCP{Sport: 4000, Dport: 80, Seq: 100, Ack: 7, Flags: flags, Options: linuxSYN}
	}
	for _, tt := range []struct {
		question string
		layers   []packet.Layer
		want     string
	}{
		{"SYN", ip4(tcp(packet.SYN)), "IP 192.0.2.2.80 > 192.0.2.1.4000: Flags [RA], seq 0, ack 101, win 0, length 0"},
		{"data", ip4(tcp(packet.ACK), packet.Payload("hello")), "IP 192.0.2.2.80 > 192.0.2.1.4000: Flags [R], seq 7, win 0, length 0"},
		{"FIN without ACK", ip6(tcp(packet.FIN), packet.Payload("hello")), "IP6 2001:db8::2.80 > 2001:db8::1.4000: Flags [RA], seq 0, ack 106, win 0, length 0"},
		{"RST", ip4(tcp(packet.RST)), "empty: a RST"},
		{"UDP", ip4(packet.UDP{}), "empty: only TCP"},
		{"to all", from("192.0.2.1", "192.0.2.255", tcp(packet.SYN)), "empty: TCP to many"},
		{"from loopback", from("127.0.0.1", "192.0.2.2", tcp(packet.SYN)), "empty: its source"},
		{"fragment", []packet.Layer{packet.IPv4{Src: host4, Dst: peer4, MF: true}, tcp(packet.ACK)}, "empty: a fragment"},
	} {
		p := build(t, tt.layers...)
		p.In = tap0
		if got := line(t, p.RST()); got != tt.want && !(strings.HasPrefix(tt.want, "empty") && strings.HasPrefix(got, tt.want)) {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.question, got, tt.want)
		}
	}
}
