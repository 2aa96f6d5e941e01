package packet_test

import (
	"fmt"
	"net/netip"

	"github.com/tunscript/tunscript/engine/packet"
)

func ExampleBuild() {
	p, err := packet.Build(
		packet.IPv4{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2")},
		packet.TCP{Sport: 4000, Dport: 80, Flags: packet.SYN, Seq: 7},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p)

	_, err = packet.Build(packet.IPv4{Src: netip.MustParseAddr("192.0.2.1")}, packet.UDP{})
	fmt.Println(err)
	// Output:
	// IP 192.0.2.1.4000 > 192.0.2.2.80: Flags [S], seq 7, win 65535, length 0
	// packet: ip4.dst: the address is not set: give an IPv4 address
}

// A packet is changed in place: lengths follow at once, checksums when the bytes
// are asked for.
func ExamplePacket_SetPayload() {
	p, _ := packet.Build(
		packet.IPv6{Src: netip.MustParseAddr("2001:db8::1"), Dst: netip.MustParseAddr("2001:db8::2")},
		packet.UDP{Sport: 4000, Dport: 7},
		packet.Payload("hello"),
	)
	if err := p.SetPayload([]byte("hello, world")); err != nil {
		fmt.Println(err)
		return
	}
	ip, _ := p.IP()
	udp, _ := p.UDP()
	q, _ := packet.Parse(p.Bytes(), packet.IP)
	_, ok := q.Valid()
	fmt.Println(ip.Len(), udp.Len(), ok)
	// Output: 60 20 true
}

// A server's side of a handshake, in one line each way.
func ExamplePacket_Reply() {
	syn, _ := packet.Build(
		packet.IPv4{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2")},
		packet.TCP{Sport: 4000, Dport: 80, Flags: packet.SYN, Seq: 7},
	)
	answer := syn.Reply()
	tcp, _ := answer.TCP()
	tcp.SetSeq(1000) // else drawn at random
	if err := tcp.Options().SetMSS(1400); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer)
	// Output: IP 192.0.2.2.80 > 192.0.2.1.4000: Flags [SA], seq 1000, ack 8, win 65535, options [mss 1400], length 0
}

// What the RFCs forbid to answer has an empty answer, which leads nowhere.
func ExamplePacket_Unreachable() {
	p, _ := packet.Build(
		packet.IPv4{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2")},
		packet.UDP{Sport: 4000, Dport: 7},
	)
	e := p.Unreachable(packet.UnreachablePort, 0)
	fmt.Println(e)
	again := e.Unreachable(packet.UnreachablePort, 0)
	fmt.Println(again.Len(), again.Why())
	// Output:
	// IP 192.0.2.2 > 192.0.2.1: ICMP port unreachable (192.0.2.1.4000 > 192.0.2.2.7 udp), length 36
	// 0 an ICMP error gets no ICMP error
}

func ExampleParseFlags() {
	f, _ := packet.ParseFlags("AS")
	fmt.Println(f, f == packet.SYN|packet.ACK)
	_, err := packet.ParseFlags("S.")
	fmt.Println(err)
	// Output:
	// SA true
	// packet: tcp.flags: "S.": ACK is A here, not a dot: write "SA"
}

// The builder text of a packet leaves out what a builder comes to by itself, and
// gives what is wrong.
func ExamplePacket_Code() {
	p, _ := packet.Build(
		packet.IPv4{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2"), ID: 7},
		packet.UDP{Sport: 4000, Dport: 7},
		packet.Payload("hello"),
	)
	fmt.Println(p.Code())
	udp, _ := p.UDP()
	udp.SetChecksum(0xdead)
	fmt.Println(p.Code())
	// Output:
	// ip{src="192.0.2.1", dst="192.0.2.2", id=7}/udp{sport=4000, dport=7}/"hello"
	// ip{src="192.0.2.1", dst="192.0.2.2", id=7}/udp{sport=4000, dport=7, checksum=0xdead}/"hello"
}
