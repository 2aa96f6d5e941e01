package packet_test

import (
	"strings"
	"testing"

	"github.com/tunscript/tunscript/engine/packet"
)

// Code leaves out what a builder comes to by itself, and gives what is otherwise.
func TestCode(t *testing.T) {
	id := packet.IPv4{Src: host4, Dst: peer4, ID: 7}
	udp := packet.UDP{Sport: 4000, Dport: 7}
	tcp := packet.TCP{Sport: 4000, Dport: 80, Seq: 5, Flags: packet.SYN}
	with := func(opts ...byte) packet.TCP { v := tcp; v.Options = opts; return v }
	nothing := func(*packet.Packet) {}
	const (
		ends4 = `ip{src="192.0.2.1", dst="192.0.2.2"`
		ends6 = `ip{src="2001:db8::1", dst="2001:db8::2"`
		eth   = `eth{dst="02:00:00:00:00:02", src="02:00:00:00:00:01"}`
	)
	frame := packet.Eth{Src: hostMAC, Dst: peerMAC}
	for _, tt := range []struct {
		layers []packet.Layer
		edit   func(p *packet.Packet)
		want   string
	}{
		{[]packet.Layer{id, udp, packet.Payload("hello")}, nothing, ends4 + `, id=7}/udp{sport=4000, dport=7}/"hello"`},
		{[]packet.Layer{id, udp, packet.Payload("say \"no\"\n\\ \x01.")}, nothing, ends4 + `, id=7}/udp{sport=4000, dport=7}/"say \"no\"\n\\ \001."`},
		{[]packet.Layer{id, udp, packet.Payload("\xff\xfe\x00")}, nothing, ends4 + `, id=7}/udp{sport=4000, dport=7}/hex"fffe00"`},
		{[]packet.Layer{id, with(2, 4, 5, 180)}, nothing, ends4 + `, id=7}/tcp{sport=4000, dport=80, seq=5, flags="S", options={mss=1460}}`},
		{[]packet.Layer{id, with(linuxSYN...)}, nothing, ends4 + `, id=7}/tcp{sport=4000, dport=80, seq=5, flags="S", options=hex"020405b40402080a00000001000000020103` + `0307"}`},
		{[]packet.Layer{id, with(2, 4, 5, 180, 4, 2, 3, 3, 7, 254, 3, 9)}, nothing, ends4 + `, id=7}/tcp{sport=4000, dport=80, seq=5, flags="S", options={mss=1460, sack_permitted=true, wscale=7, [254]=hex"09"}}`},
		{[]packet.Layer{id, packet.ICMP{Type: 8, ID: 0, Seq: 2}}, nothing, ends4 + `, id=7}/icmp{id=0, seq=2}`},
		{[]packet.Layer{id, packet.ICMP{Type: 3, Code: 4, MTU: 1400}, packet.Payload("quote")}, nothing, ends4 + `, id=7}/icmp{type=3, code=4, mtu=1400}/"quote"`},
		{[]packet.Layer{packet.IPv6{Src: host6, Dst: peer6}, packet.ICMPv6{Type: packet.NeighborSolicit, Target: peer6}}, nothing, ends6 + `}/icmp6{type=135, target="2001:db8::2"}`},
		{[]packet.Layer{frame, packet.VLAN{ID: 5}, packet.VLAN{ID: 6, DEI: true}, id, udp}, nothing, eth + `/vlan{id=5}/vlan{id=6, dei=true}/` + ends4 + `, id=7}/udp{sport=4000, dport=7}`},
		{[]packet.Layer{frame, packet.ARP{Op: 2, SHA: hostMAC, SPA: host4}}, nothing, eth + `/arp{op="reply", sha="02:00:00:00:00:01", spa="192.0.2.1"}`},
		{[]packet.Layer{frame, packet.Payload("?")}, func(p *packet.Packet) { v, _ := p.Ethernet(); v.SetType(0x88cc) }, `eth{dst="02:00:00:00:00:02", src="02:00:00:00:00:01", type=0x88cc}/"?"`},
		{[]packet.Layer{id, packet.Payload("?")}, func(p *packet.Packet) { v, _ := p.IP(); v.SetProto(132) }, ends4 + `, proto=132, id=7}/"?"`},
		{[]packet.Layer{id, udp}, func(p *packet.Packet) { v, _ := p.UDP(); v.SetChecksum(0) }, ends4 + `, id=7}/udp{sport=4000, dport=7, checksum=0x0000}`},
		{[]packet.Layer{id, udp}, func(p *packet.Packet) { v, _ := p.UDP(); v.SetLen(9) }, ends4 + `, id=7}/udp{sport=4000, dport=7, len=9}`},
		{[]packet.Layer{id, udp}, func(p *packet.Packet) { v, _ := p.IPv4(); v.SetLen(30); v.SetChecksum(1) }, ends4 + `, id=7, len=30, checksum=0x0001}/udp{sport=4000, dport=7}`},
		{[]packet.Layer{id, tcp}, func(p *packet.Packet) { p.SetUint8(32, 0x10) }, ends4 + `, proto=6, id=7}/hex"0fa00050000000050000000010` + `02ffff`},
		{[]packet.Layer{id, tcp}, func(p *packet.Packet) { p.SetUint8(6, 0x80) }, `packet(hex"450000280007800040`},
		{[]packet.Layer{frame, id, tcp}, func(p *packet.Packet) { p.SetUint8(14, 0x44) }, eth[:len(eth)-1] + `, type=0x0800}/hex"44`},
		{[]packet.Layer{packet.IPv6{Src: host6, Dst: peer6}, udp}, func(p *packet.Packet) {
			v, _ := p.IPv6()
			v.SetExtensions(packet.Extension{Kind: 60, Data: []byte{0, 0, 1, 4, 0, 0, 0, 0}})
		}, ends6 + `, extensions={{60, hex"1100010400000000"}}}/udp{sport=4000, dport=7}`},
		{[]packet.Layer{packet.IPv6{Src: host6, Dst: peer6}, packet.Payload("12345678")}, func(p *packet.Packet) {
			v, _ := p.IPv6()
			v.SetExtensions(packet.Extension{Kind: 44, Data: []byte{0, 0, 0, 8, 0, 0, 0, 9}})
			v.SetProto(17)
		}, ends6 + `, proto=17, id=9, frag=8}/"12345678"`},
	} {
		p := build(t, tt.layers...)
		tt.edit(p)
		if got := p.Code(); got != tt.want && (strings.HasSuffix(tt.want, "}") || strings.HasSuffix(tt.want, `"`) || !strings.HasPrefix(got, tt.want)) {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
	mapped := packet.IPv6{Src: host6, Dst: peer6}
	p := build(t, mapped, udp)
	p.SetBytes(8, append(make([]byte, 10), 0xff, 0xff, 192, 0, 2, 1))
	if got := p.Code(); !strings.HasPrefix(got, "packet(hex") {
		t.Errorf("an IPv4 address within IPv6: %s", got)
	}
	if got, want := new(packet.Packet).Code(), "nil -- empty packet"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Show has every field, what is wrong, and the bytes of the rest.
func TestShow(t *testing.T) {
	p := build(t, packet.IPv4{Src: host4, Dst: peer4, ID: 7}, packet.UDP{Sport: 4000, Dport: 7}, packet.Payload("hello"))
	p.In = tap0
	e := p.Unreachable(packet.UnreachablePort, 0)
	u, _ := p.UDP()
	u.SetChecksum(5)
	u.SetLen(4)
	p = parse(t, append(append([]byte(nil), build(t, packet.Eth{Src: hostMAC, Dst: peerMAC, Type: 0x800}).Bytes()...), append(p.Bytes(), 1, 2, 3)...), packet.Ethernet)
	for name, tt := range map[string]struct {
		p    *packet.Packet
		want []string
	}{
		"udp":   {p, []string{"len = 50\neth\n  dst = ", "type = 0x0800 -- IPv4", "ip\n  version = 4", "proto = 17 -- udp", "len = 4 -- wrong: there are 13 bytes", "checksum = 0x0005 -- wrong: 0x2860 is right", "payload, 5 bytes\n  0x0000:  6865", "padding, 3 bytes\n  0x0000:  0102 03"}},
		"error": {e, []string{`device = "tap0"`, "icmp\n  type = 3 -- destination unreachable\n  code = 3\n", "payload, 33 bytes -- about IP 192.0.2.1.4000 > 192.0.2.2.7: UDP, length 5"}},
		"syn":   {build(t, ip6(packet.TCP{Options: linuxSYN})...), []string{`options = hex"020405b4`, "-- mss 1460,sackOK,TS val 1 ecr 2,nop,wscale 7"}},
		"short": {parse(t, []byte("E123"), packet.IP), []string{"payload, 4 bytes\n  0x0000:  4531 3233"}},
		"empty": {e.RST(), []string{"packet -- empty packet: only TCP is reset\n"}},
	} {
		got := tt.p.Show()
		for _, want := range tt.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q is not in\n%s", name, want, got)
			}
		}
	}
}
