package luabind_test

import (
	"net"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev"
)

// built is what a script sends from on_start.
func built(t *testing.T, kind tundev.Kind, expr string) (*lab, []*packet.Packet) {
	t.Helper()
	l := setup{kind: kind, scripts: []string{"on_start(function()\n send(" + expr + ")\nend)"}}.start(t)
	return l, l.got()
}

// The same packets by gopacket.
var (
	goEth = &layers.Ethernet{SrcMAC: net.HardwareAddr(peerMAC[:]), DstMAC: net.HardwareAddr(hostMAC[:]), EthernetType: layers.EthernetTypeIPv4}
	goMAC = net.HardwareAddr{2, 0, 0, 0, 0, 9}
)

func goIP4(proto layers.IPProtocol) *layers.IPv4 {
	return &layers.IPv4{Version: 4, TTL: 64, Id: 7, Protocol: proto, SrcIP: peer.AsSlice(), DstIP: host.AsSlice()}
}

func goIP6(proto layers.IPProtocol) *layers.IPv6 {
	return &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: proto, SrcIP: peer6.AsSlice(), DstIP: host6.AsSlice()}
}

var builds = []struct {
	kind   tundev.Kind
	expr   string
	oracle []gopacket.SerializableLayer
}{
	{tundev.TUN, `ip{ dst = "192.0.2.1", id = 7 }/udp{ sport = 1, dport = 2 }/"hello"`,
		[]gopacket.SerializableLayer{goIP4(17), &layers.UDP{SrcPort: 1, DstPort: 2}, gopacket.Payload("hello")}},
	{tundev.TUN, `packet{ ip = { dst = "192.0.2.1", id = 7 }, udp = { sport = 1, dport = 2 }, payload = "hello" }`,
		[]gopacket.SerializableLayer{goIP4(17), &layers.UDP{SrcPort: 1, DstPort: 2}, gopacket.Payload("hello")}},
	{tundev.TUN, `ip{ dst = "192.0.2.1", id = 7 }/udp{ sport = 1, dport = 2 }/("he".."llo")`,
		[]gopacket.SerializableLayer{goIP4(17), &layers.UDP{SrcPort: 1, DstPort: 2}, gopacket.Payload("hello")}},
	{tundev.TUN, `ip4{ src = "192.0.2.2", dst = "192.0.2.1", id = 7, ttl = 3, tos = 4, df = true }/tcp{ sport = 9, dport = 80, seq = 2^32 + 1, ack = 5, flags = "PA", window = 77 }/"x"`,
		[]gopacket.SerializableLayer{&layers.IPv4{Version: 4, TTL: 3, TOS: 4, Flags: layers.IPv4DontFragment, Id: 7, Protocol: 6, SrcIP: peer.AsSlice(), DstIP: host.AsSlice()},
			&layers.TCP{SrcPort: 9, DstPort: 80, Seq: 1, Ack: 5, PSH: true, ACK: true, Window: 77}, gopacket.Payload("x")}},
	{tundev.TUN, `ip{ dst = "192.0.2.1", id = 7 }/tcp{ sport = 9, dport = 80, seq = 1, options = { mss = 1460 } }`,
		[]gopacket.SerializableLayer{goIP4(6), &layers.TCP{SrcPort: 9, DstPort: 80, Seq: 1, SYN: true, Window: 65535,
			Options: []layers.TCPOption{{OptionType: 2, OptionLength: 4, OptionData: []byte{5, 180}}}}}},
	{tundev.TUN, `ip{ dst = "2001:db8::1" }/udp{ sport = 1, dport = 2 }/"hello"`,
		[]gopacket.SerializableLayer{goIP6(17), &layers.UDP{SrcPort: 1, DstPort: 2}, gopacket.Payload("hello")}},
	{tundev.TUN, `ip6{ dst = "2001:db8::1", ttl = 64 }/tcp{ sport = 1, dport = 2, seq = 3, flags = "FA", ack = 4 }`,
		[]gopacket.SerializableLayer{goIP6(6), &layers.TCP{SrcPort: 1, DstPort: 2, Seq: 3, Ack: 4, FIN: true, ACK: true, Window: 65535}}},
	{tundev.TUN, `ip{ dst = "192.0.2.1", id = 7 }/icmp{ id = 5, seq = 6 }/"ping"`,
		[]gopacket.SerializableLayer{goIP4(1), &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(8, 0), Id: 5, Seq: 6}, gopacket.Payload("ping")}},
	{tundev.TUN, `ip{ dst = "192.0.2.1", id = 7 }/icmp{ mtu = 1400, code = 4, type = 3 }/"quote"`,
		[]gopacket.SerializableLayer{goIP4(1), &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(3, 4), Seq: 1400}, gopacket.Payload("quote")}},
	{tundev.TUN, `ip{ dst = "2001:db8::1" }/icmp6{ id = 5, seq = 6 }/"ping"`,
		[]gopacket.SerializableLayer{goIP6(58), &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(128, 0)},
			&layers.ICMPv6Echo{Identifier: 5, SeqNumber: 6}, gopacket.Payload("ping")}},
	{tundev.TUN, `ip{ dst = "2001:db8::1", ttl = 255 }/icmp6{ type = 135, target = "2001:db8::1", lladdr = "02:00:00:00:00:09" }`,
		[]gopacket.SerializableLayer{&layers.IPv6{Version: 6, HopLimit: 255, NextHeader: 58, SrcIP: peer6.AsSlice(), DstIP: host6.AsSlice()},
			&layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(135, 0)},
			&layers.ICMPv6NeighborSolicitation{TargetAddress: host6.AsSlice(),
				Options: layers.ICMPv6Options{{Type: layers.ICMPv6OptSourceAddress, Data: goMAC}}}}},
	{tundev.TAP, `eth{}/ip{ dst = "192.0.2.1", id = 7 }/udp{ sport = 1, dport = 2 }/"hello"`,
		[]gopacket.SerializableLayer{goEth, goIP4(17), &layers.UDP{SrcPort: 1, DstPort: 2}, gopacket.Payload("hello")}},
	{tundev.TAP, `ip{ dst = "192.0.2.1", id = 7 }/udp{ sport = 1, dport = 2 }/"hello"`,
		[]gopacket.SerializableLayer{goEth, goIP4(17), &layers.UDP{SrcPort: 1, DstPort: 2}, gopacket.Payload("hello")}},
	{tundev.TAP, `eth{ src = "02:00:00:00:00:09", dst = "ff:ff:ff:ff:ff:ff" }/vlan{ id = 5, prio = 3 }/ip{ dst = "192.0.2.1", id = 7 }/udp{ sport = 1, dport = 2 }/"hello"`,
		[]gopacket.SerializableLayer{&layers.Ethernet{SrcMAC: goMAC, DstMAC: layers.EthernetBroadcast, EthernetType: layers.EthernetTypeDot1Q},
			&layers.Dot1Q{VLANIdentifier: 5, Priority: 3, Type: layers.EthernetTypeIPv4}, goIP4(17), &layers.UDP{SrcPort: 1, DstPort: 2}, gopacket.Payload("hello")}},
	{tundev.TAP, `arp{ sha = "02:00:00:00:00:09", spa = "192.0.2.2", tpa = "192.0.2.1" }`,
		[]gopacket.SerializableLayer{&layers.Ethernet{SrcMAC: net.HardwareAddr(peerMAC[:]), DstMAC: layers.EthernetBroadcast, EthernetType: layers.EthernetTypeARP}, goARP(1)}},
	{tundev.TAP, `eth{ dst = "02:00:00:00:00:01" }/arp{ op = "reply", sha = "02:00:00:00:00:09", spa = "192.0.2.2", tpa = "192.0.2.1" }`,
		[]gopacket.SerializableLayer{&layers.Ethernet{SrcMAC: net.HardwareAddr(peerMAC[:]), DstMAC: net.HardwareAddr(hostMAC[:]), EthernetType: layers.EthernetTypeARP}, goARP(2)}},
}

func goARP(op uint16) *layers.ARP {
	return &layers.ARP{AddrType: layers.LinkTypeEthernet, Protocol: layers.EthernetTypeIPv4, HwAddressSize: 6, ProtAddressSize: 4, Operation: op,
		SourceHwAddress: goMAC, SourceProtAddress: peer.AsSlice(), DstHwAddress: make([]byte, 6), DstProtAddress: host.AsSlice()}
}

// What a script builds is what gopacket builds, byte for byte.
func TestBuilders(t *testing.T) {
	for _, tt := range builds {
		l, ps := built(t, tt.kind, tt.expr)
		l.clean()
		if len(ps) != 1 {
			t.Errorf("%s: %d packets", tt.expr, len(ps))
			continue
		}
		want := serialize(t, tt.oracle)
		got := ps[0].Bytes()
		if n := len(got); tt.kind == tundev.TAP && n < len(want) && len(want) == 60 {
			want = want[:n] // gopacket fills frames to the least length on a cable, the kernel does not ask for it
		}
		if string(got) != string(want) {
			t.Errorf("%s\ngot  % x\nwant % x", tt.expr, got, want)
		}
	}
}

func serialize(t *testing.T, all []gopacket.SerializableLayer) []byte {
	t.Helper()
	var network gopacket.NetworkLayer
	for _, l := range all {
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
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, all...); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// What is not said is sensible, what is said is done, wrong on purpose included.
func TestBuilderDefaults(t *testing.T) {
	tests := []struct{ expr, field, want string }{
		{`ip{dst = "192.0.2.1"}/tcp{dport = 80}`, `p.tcp.flags`, "S"},
		{`ip{dst = "192.0.2.1"}/tcp{dport = 80}`, `p.tcp.sport >= 49152`, "true"},
		{`ip{dst = "192.0.2.1"}/tcp{dport = 80}`, `p.ip.src`, "192.0.2.2"},
		{`ip{dst = "2001:db8::1"}/tcp{dport = 80}`, `p.ip.src`, "2001:db8::2"},
		{`ip{dst = "192.0.2.1"}/icmp{}`, `p.icmp.type`, "8"},
		{`ip{dst = "2001:db8::1"}/icmp6{}`, `p.icmp6.type`, "128"},
		{`ip{dst = "192.0.2.1", proto = 253}/"raw"`, `p.ip.proto`, "253"},
		{`ip{dst = "192.0.2.1"}/udp{sport = 1, dport = 2}`, `p.ip.ttl`, "64"},
		{`ip{dst = "192.0.2.1", ttl = 0}/udp{sport = 1, dport = 2}`, `p.ip.ttl`, "0"},
		{`ip{dst = "192.0.2.1", id = 0}/udp{sport = 1, dport = 2}`, `p.ip.id`, "0"},
		{`ip{dst = "192.0.2.1"}/udp{sport = 1, dport = 2, checksum = "bad"}/"x"`, `select(2, p:valid())`, "udp"},
		{`ip{dst = "192.0.2.1"}/udp{sport = 1, dport = 2, checksum = 0xbeef}/"x"`, `p.udp.checksum`, "48879"},
		{`ip{dst = "192.0.2.1"}/udp{sport = 1, dport = 2, len = 99}/"x"`, `p.udp.len`, "99"},
		{`ip{dst = "192.0.2.1", len = 24, checksum = "zero"}/udp{sport = 1, dport = 2}`, `p.ip.len .. " " .. p.ip.checksum`, "24 0"},
		{`ip{dst = "192.0.2.1"}/tcp{dport = 80, window = 0}`, `p.tcp.window`, "0"},
		{`ip{dst = "192.0.2.1"}/tcp{dport = 80, seq = 0, flags = ""}`, `p.tcp.seq .. p.tcp.flags`, "0"},
		{`ip{dst = "192.0.2.1"}/tcp{dport = 80, options = "\1\1\1\0"}`, `p:u32(40)`, "16843008"},
		{`ip{dst = "192.0.2.1"}/icmp{code = 1, type = 3}/"quote"`, `p.icmp.type .. p.icmp.code`, "31"},
	}
	for _, tt := range tests {
		l, ps := built(t, tundev.TUN, tt.expr)
		l.clean()
		if len(ps) != 1 {
			t.Errorf("%s: %d packets", tt.expr, len(ps))
			continue
		}
		reader := newLab(t, `on(function(p) print(`+tt.field+`) end)`)
		reader.put(ps[0])
		if got := strings.TrimPrefix(reader.said(), "info: "); got != tt.want {
			t.Errorf("%s: %s is %q, want %q; %v", tt.expr, tt.field, got, tt.want, reader.errs)
		}
	}
}

func TestBuilderErrors(t *testing.T) {
	tests := []struct{ expr, want string }{
		{`ip{}/udp{sport = 1, dport = 2}`, `ip: dst is not set: write ip{dst = "192.0.2.1"}`},
		{`ip{dst = "192.0.2.1"}/udp{dport = 2}`, `udp: sport is not set, and no port is likelier than another: write udp{sport = 4000, dport = 7}`},
		{`ip4{dst = "2001:db8::1"}/udp{sport = 1, dport = 2}`, `ip4.dst: 2001:db8::1 is of the other version: use ip{}, which takes both`},
		{`ip{dst = "2001:db8::1", src = "192.0.2.1"}/udp{sport = 1, dport = 2}`, `packet: ip6.src: 192.0.2.1 is no IPv6 address: give one`},
		{`ip{dst = "here"}/udp{sport = 1, dport = 2}`, `ip.dst: "here" is no address: write one such as "192.0.2.1" or "2001:db8::1"`},
		{`ip{dst = "192.0.2.1"}/udp{sport = 1, dport = 70000}`, `udp.dport is 70000, want 0..65535`},
		{`ip{dts = "192.0.2.1"}`, `ip has no "dts"; did you mean "dst"?`},
		{`tcp{ flgas = "S" }`, `tcp has no "flgas"; did you mean "flags"?`},
		{`tcp`, `send: want a packet, got a function`},
		{`ip{dst = "192.0.2.1"}/tcp`, `a builder wants its fields: write tcp{} with braces`},
		{`ip{dst = "192.0.2.1"}/7`, `/ joins layers, packets and strings, not the number 7`},
		{`ip{dst = "192.0.2.1"}/udp{sport = 1, dport = 2}/"a".."b"`, `a packet cannot be joined with "..": put the payload in parentheses, as in ip{}/udp{}/("a".."b")`},
		{`ip("192.0.2.1")`, `ip: want a table of fields such as ip{}, got the string "192.0.2.1"`},
		{`ip({ dst = "192.0.2.1" }, 1)`, `ip: 2 arguments, want at most 1`},
		{`packet{ ipp = {} }`, `packet: there is no layer "ipp"; did you mean "ip"?`},
		{`packet{ ip = 3 }`, `packet: ip: want a table of fields, got the number 3`},
		{`packet{ ip = { dst = "192.0.2.1" }, payload = 3 }`, `packet: payload: want a string, got the number 3`},
		{`packet("")`, `packet: no bytes: a packet has at least one`},
		{`packet("xyz", "ip")`, `packet: the second argument is "eth" or nothing, got the string "ip"`},
		{`packet(3)`, `packet: want a table of layers or a string of bytes, got the number 3`},
		{`udp{sport = 1, dport = 2}/"x"`, `packet: `},
		{`ip{dst = "192.0.2.1"}/udp{sport = 1, dport = 2}/("x"):rep(65508)`, `packet: `},
		{`packet{}`, `packet: `},
	}
	for _, tt := range tests {
		l, ps := built(t, tundev.TUN, tt.expr)
		if len(ps) > 0 {
			t.Errorf("%s: %v left", tt.expr, ps)
			continue
		}
		got, want := l.fails(), "script1.lua:2: "+tt.want
		if !strings.HasPrefix(got, want) || got != want && !strings.HasSuffix(want, " ") {
			t.Errorf("%s\ngot  %s\nwant %s", tt.expr, got, want)
		}
	}
}

// A packet of parts is what its tables were when it was written, and each / makes a
// new one.
func TestBuildersShareNothing(t *testing.T) {
	l := newLab(t, `on_start(function()
		local fields, options = { dst = "192.0.2.1" }, { mss = 1000 }
		local head = ip(fields)
		fields.dst = "192.0.2.9"
		local a = head/tcp{ dport = 1, options = options }
		options.mss = 5
		local b = head/tcp{ dport = 2, options = options }
		send(a) send(b)
		b.ip.ttl = 9
		send(b) send(head/udp{ sport = 1, dport = 3 })
	end)`)
	l.clean()
	reader := newLab(t, `on(function(p) print(p.ip.dst, (p.tcp or p.udp).dport, p.ip.ttl, p.tcp and p.tcp.options.mss) end)`)
	for _, p := range l.got() {
		reader.put(p)
	}
	want := "info: 192.0.2.1\t1\t64\t1000\ninfo: 192.0.2.1\t2\t64\t5\ninfo: 192.0.2.1\t2\t9\t5\ninfo: 192.0.2.1\t3\t64\tnil"
	if got := reader.said(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// packet(s) reads bytes back, also those that an ICMP error quotes.
func TestPacketOfBytes(t *testing.T) {
	l := newLab(t, `on("udp", function(p)
		local again = packet(p:bytes())
		local quoted = packet(p:unreachable("port").payload)
		print(again.udp.dport, again:bytes() == p:bytes(), quoted.udp.dport, quoted.ip.src, again == p)
	end)`)
	l.put(build(t, ip4(), udp(), text()))
	l.clean()
	if got := l.said(); got != "info: 7\ttrue\t7\t192.0.2.1\tfalse" {
		t.Errorf("said %q", got)
	}
}
