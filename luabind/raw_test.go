package luabind_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev"
)

// Where each layer begins is where gopacket and the field of the same name say.
var rawRows = []struct{ carriers, expr, want string }{
	{tcps, `p.tcp:u16(0) == p.tcp.sport`, "true"},
	{tcps, `p.tcp:u32(4) == p.tcp.seq`, "true"},
	{tcps, `p.tcp:u8(13)`, "66"}, // S and E, as tcp[13] says
	{tcps, `p.tcp:bits(96, 4) * 4`, "52"},
	{tcps, `p.tcp:bits(110, 1) .. p.tcp:bits(111, 1)`, "10"}, // S, not F
	{tcps, `p.tcp:bytes(52)`, "hello"},
	{tcps, `#p.tcp:bytes()`, "57"},
	{tcps, `p.tcp:u8(57)`, "nil"},
	{tcps, `p.tcp:u32(54)`, "nil"},
	{udps, `p.udp:bytes(8, 5)`, "hello"},
	{udps, `p.udp:u16(2)`, "7"},
	{udps, `p.udp:bytes(8, 6)`, "nil"},
	{udps, `p.udp:bytes(14)`, "nil"},
	{udps, `p.udp:bytes(13)`, ""},
	{ips4, `p.ip:bits(0, 4) .. p.ip:bits(4, 4)`, "45"},
	{ips4, `p.ip4:u8(8) == p.ip.ttl`, "true"},
	{ips6, `p.ip6:bits(0, 4)`, "6"},
	{ips6, `#p.ip:bytes(8, 16)`, "16"},
	{ips, `#p.ip:bytes() == p.ip.len`, "true"},
	{echos, `p.icmp:u8(0)`, "8"},
	{echos, `p.icmp:bytes(8)`, "hello"},
	{nds, `p.icmp6:u8(0)`, "135"},
	{nds, `#p.icmp6:bytes(8, 16)`, "16"},
	{eths, `p.eth:u16(12) == p.eth.type`, "true"},
	{eths, `p.eth:bytes() == p:bytes()`, "true"},
	{vlans, `p.vlan:u16(0)`, "24581"}, // 3 << 13 | 5
	{vlans, `p.vlan:bits(0, 3) .. p.vlan:bits(4, 12)`, "35"},
	{arps, `p.arp:u16(6)`, "1"},
	{arps, `p.arp:bytes(0, 8) == hex"0001 0800 0604 0001"`, "true"},
	{arps, `p.arp:u8(28)`, "nil"},
	{"udp4", `p:bits(0, 4) .. p:bits(72, 8)`, "417"},
	{"udp4", `p:bits(0, 53) == p:bits(0, 32) * 2^21 + p:bits(32, 21)`, "true"},
	{"udp4", `p:bits(33 * 8 - 1, 2)`, "nil"},
	{"udp4", `p:bits(3, 0)`, "0"},
	{"udp4", `p:bytes(nil, 1)`, "E"},
}

func TestRawBytesOfLayers(t *testing.T) {
	all := carriers(t)
	for _, row := range rawRows {
		for _, name := range strings.Fields(row.carriers) {
			l := linkOf(all[name], `on(function(p) print(`+row.expr+`) end)`).start(t)
			l.put(all[name])
			l.clean()
			if got := strings.TrimPrefix(l.said(), "info: "); got != row.want {
				t.Errorf("%s of %s is %q, want %q", row.expr, name, got, row.want)
			}
		}
	}
}

// linkOf is a script on a device of p's kind that forwards to itself.
func linkOf(p *packet.Packet, script string) setup {
	s := setup{kind: tundev.TUN, forward: true, scripts: []string{script}}
	if p.Link() == packet.Ethernet {
		s.kind = tundev.TAP
	}
	return s
}

// What is written raw is written as by its name: checksums follow, and lengths and
// checksums themselves stay.
func TestRawWritesToLayers(t *testing.T) {
	for _, tt := range []struct{ carriers, write, read, want string }{
		{tcps, `p.tcp:set_u16(2, 443)`, `p.tcp.dport, p:valid()`, "443 true"},
		{tcps, `p.tcp:set_u32(8, -1)`, `p.tcp.ack, p:valid()`, "4294967295 true"},
		{tcps, `p.tcp:set_u8(13, 0x12)`, `p.tcp.flags, p:valid()`, "SA true"},
		{tcps, `p.tcp:set_u16(16, 1)`, `p.tcp.checksum, p:valid()`, "1 false tcp"},
		{tcps, `p.tcp:set_bytes(52, "HELLO")`, `p.payload, p:valid()`, "HELLO true"},
		{udps, `p.udp:set_u16(4, 99)`, `p.udp.len`, "99"},
		{ips4, `p.ip:set_u8(8, 9)`, `p.ip.ttl, p:valid()`, "9 true"},
		{ips6, `p.ip:set_u8(7, 9)`, `p.ip.ttl, p:valid()`, "9 true"},
		{ips6, `p.ip6:set_bytes(8, p.ip:bytes(24, 16))`, `p.ip.src == p.ip.dst, p:valid()`, "true true"},
		{eths, `p.eth:set_bytes(0, hex"ffffffffffff")`, `p.eth.dst`, "ff:ff:ff:ff:ff:ff"},
		{vlans, `p.vlan:set_u16(0, 0x2007)`, `p.vlan.id, p.vlan.prio`, "7 1"},
		{arps, `p.arp:set_u16(6, 2)`, `p.arp.op`, "reply"},
		{nds, `p.icmp6:set_u8(0, 136)`, `p.icmp6.type, p:valid()`, "136 true"},
	} {
		for _, name := range strings.Fields(tt.carriers) {
			p := carriers(t)[name]
			l := linkOf(p, `on(function(p) `+tt.write+` print(`+tt.read+`) end)`).start(t)
			l.put(p)
			l.clean()
			if got := strings.ReplaceAll(strings.TrimPrefix(l.said(), "info: "), "\t", " "); got != tt.want {
				t.Errorf("%s: %s: %s is %q, want %q", name, tt.write, tt.read, got, tt.want)
			}
		}
	}
}

// Padding belongs to the frame, not to what it carries.
func TestRawBytesEndWithThePacket(t *testing.T) {
	p := build(t, frame(), ip4(), udp(), text(), packet.Payload(make([]byte, 13)))
	ip, _ := p.IPv4()
	ip.SetLen(33)
	p, err := packet.Parse(p.Bytes(), packet.Ethernet)
	if err != nil {
		t.Fatal(err)
	}
	l := linkOf(p, `on(function(p) print(#p:bytes(), #p.eth:bytes(), #p.ip:bytes(), #p.udp:bytes(), p.udp:u8(13), p:u8(59)) end)`).start(t)
	l.put(p)
	l.clean()
	if got, want := l.said(), "info: 60\t60\t33\t13\tnil\t0"; got != want {
		t.Errorf("said %q, want %q", got, want)
	}
}

func TestRawMistakes(t *testing.T) {
	for _, tt := range []struct{ script, want string }{
		{`p.udp:set_u16(12, 1)`, "set_u16: 12 to 14 is outside the 13 bytes there are: look at #p:bytes() first"},
		{`p:set_bytes(30, "long")`, "set_bytes: 30 to 34 is outside the 33 bytes there are: look at #p:bytes() first"},
		{`p:bits(0, 54)`, "bits: the number of bits is 54, want 0..53"},
		{`p:bits(0)`, "bits: the number of bits: want a number 0..53, got nil"},
		{`p.ip:u8("x")`, `the offset: want a number 0..2147483647, got the string "x"`},
		{`p.ip.u8(3)`, "want a packet or one of its layers, got the number 3"},
		{`p.ip.u8(p, 3)`, "u8 is called on p, want p.ip: call it with a colon, as in p.ip:u8()"},
	} {
		l := newLab(t, `on(function(p) `+tt.script+` end)`)
		l.put(build(t, ip4(), udp(), text()))
		if got, want := l.fails(), "script1.lua:1: "+tt.want; got != want {
			t.Errorf("%s\ngot  %s\nwant %s", tt.script, got, want)
		}
	}
}

// A table has no order in Go: what is built of one is the same every time all the
// same, or no run could be repeated.
func TestATableOfOptionsHasOneOrder(t *testing.T) {
	want := ""
	for i := range 40 {
		l := newLab(t, `on_start(function() send(ip{ dst = "192.0.2.1", id = 7, ttl = 9, tos = 3, dscp = 5 }/tcp{ sport = 1, dport = 2, seq = 3,
			options = { wscale = 7, mss = 1460, sack_permitted = true, timestamps = { 1, 2 }, [254] = "x", [253] = "y" } }) end)`)
		l.clean()
		got := fmt.Sprintf("% x", l.one().Bytes()[40:])
		if i == 0 {
			want = "02 04 05 b4 04 02 08 0a 00 00 00 01 00 00 00 02 03 03 07 fd 03 79 fe 03 78 00 00 00"
		}
		if got != want {
			t.Fatalf("run %d: % s, want % s", i, got, want)
		}
	}
}
