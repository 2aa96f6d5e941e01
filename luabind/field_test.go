package luabind_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/gopacket"

	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/tundev"
)

// carriers are the packets whose fields are read and written, by name; those of one
// kind hold the same transport.
func carriers(t testing.TB) map[string]*packet.Packet {
	mss := packet.TCP{Sport: 4000, Dport: 80, Seq: 100, Flags: packet.SYN | packet.ECE, Options: []byte{
		2, 4, 5, 180, // mss 1460
		3, 3, 7, 1, // wscale 7
		4, 2, // sack permitted
		8, 10, 0, 0, 0, 5, 0, 0, 0, 6, // timestamps
		5, 10, 0, 0, 0, 1, 0, 0, 0, 2, // sack
	}}
	echo := packet.ICMP{Type: packet.EchoRequest, ID: 11, Seq: 12}
	echo6 := packet.ICMPv6{Type: packet.EchoRequest6, ID: 11, Seq: 12}
	solicit := packet.ICMPv6{Type: packet.NeighborSolicit, Target: peer6, LLAddr: hostMAC}
	tag := packet.VLAN{ID: 5, Prio: 3}
	arp := packet.ARP{Op: packet.ARPRequest, SHA: hostMAC, SPA: host, TPA: peer}
	// An IPv6 fragment: header 44, next UDP, offset 0, more, id 77.
	options := packet.IPv4{Src: host, Dst: peer, ID: 7, Options: []byte{148, 4, 0, 0}} // router alert
	extended := build(t, ip6(), udp(), text())
	v6, _ := extended.IPv6()
	if err := v6.SetExtensions(packet.Extension{Kind: 0, Data: []byte{0, 0, 5, 2, 0, 0, 1, 0}}, packet.Extension{Kind: 60, Data: []byte{0, 0, 1, 4, 0, 0, 0, 0}}); err != nil {
		t.Fatal(err)
	}
	first := build(t, ip4(), udp(), text(), packet.Payload("123"))
	v4, _ := first.IPv4()
	v4.SetMF(true)
	fragment := packet.Payload("\x11\x00\x00\x01\x00\x00\x00\x4d" + "\x0f\xa0\x00\x07\x00\x10\x00\x00" + "12345678")
	return map[string]*packet.Packet{
		"tcp4": build(t, ip4(), mss, text()), "tcp6": build(t, ip6(), mss, text()),
		"udp4": build(t, ip4(), udp(), text()), "udp6": build(t, ip6(), udp(), text()),
		"icmp4": build(t, ip4(), echo, text()), "icmp6": build(t, ip6(), echo6, text()),
		"nd": build(t, ip6(), solicit), "frag6": build(t, packet.IPv6{Src: host6, Dst: peer6, Proto: 44}, fragment),
		"eth-tcp4": build(t, frame(), ip4(), mss, text()), "eth-tcp6": build(t, frame(), ip6(), mss, text()),
		"eth-udp4": build(t, frame(), ip4(), udp(), text()), "eth-nd": build(t, frame(), ip6(), solicit),
		"vlan-tcp4": build(t, frame(), tag, ip4(), mss, text()), "vlan-udp6": build(t, frame(), tag, ip6(), udp(), text()),
		"vlan-icmp6": build(t, frame(), tag, ip6(), echo6, text()), "eth-icmp4": build(t, frame(), ip4(), echo, text()),
		"opt4": build(t, options, udp(), text()), "ext6": extended, "frag4": first,
		"eth-opt4": build(t, frame(), options, mss, text()), "qinq-udp4": build(t, packet.Eth{Src: hostMAC, Dst: peerMAC, Type: packet.TypeQinQ}, tag, packet.VLAN{ID: 9}, ip4(), udp(), text()),
		"arp": build(t, frame(), arp), "vlan-arp": build(t, frame(), tag, arp),
	}
}

// Sets of carriers.
const (
	tcps  = "tcp4 tcp6 eth-tcp4 eth-tcp6 vlan-tcp4 eth-opt4"
	udps  = "udp4 udp6 eth-udp4 vlan-udp6 opt4 ext6 qinq-udp4"
	echos = "icmp4 eth-icmp4"
	echo6 = "icmp6 vlan-icmp6"
	nds   = "nd eth-nd"
	ips4  = "tcp4 udp4 icmp4 eth-tcp4 eth-udp4 vlan-tcp4 eth-icmp4 qinq-udp4"
	ips6  = "tcp6 udp6 icmp6 eth-tcp6 vlan-udp6 vlan-icmp6"
	opts4 = "opt4 eth-opt4"
	ips   = ips4 + " " + ips6 + " " + opts4 + " nd eth-nd ext6 frag4 frag6"
	arps  = "arp vlan-arp"
	eths  = "eth-tcp4 eth-udp4 eth-tcp6 eth-nd eth-icmp4"
	vlans = "vlan-tcp4 vlan-udp6 vlan-icmp6 vlan-arp qinq-udp4"
)

// A fieldRow says that a field of these carriers reads as is, takes the Lua value
// set, and then reads as then.
type fieldRow struct {
	field    string
	carriers string
	is       string
	set      string // "" where it is read only
	then     string
	odd      bool // the packet is wrong on purpose then
}

var fieldRows = []fieldRow{
	{"packet.device", "tcp4 udp6", "tun0", "", "", false},
	{"packet.out", "tcp4", "tun0", `"tun0"`, "tun0", false},
	{"packet.time", ips, "1772366400", "", "", false},
	{"packet.len", "udp4", "33", "", "", false},
	{"packet.len", "eth-udp4", "47", "", "", false},
	{"packet.segments", tcps, "1", "", "", false},
	{"packet.flow", ips, "{}", "", "", false},
	{"packet.flow", arps, "nil", "", "", false},
	{"packet.payload", tcps + " " + udps + " " + echos + " " + echo6, "hello", `"longer than it was"`, "longer than it was", false},
	{"packet.payload", udps + " " + echos, "hello", `""`, "", false},

	{"eth.src", eths, "02:00:00:00:00:01", `"02:00:00:00:00:99"`, "02:00:00:00:00:99", false},
	{"eth.dst", eths, "02:00:00:00:00:02", `"FF-FF-FF-FF-FF-FF"`, "ff:ff:ff:ff:ff:ff", false},
	{"eth.type", "eth-tcp4 eth-udp4", "2048", "0x0800", "2048", false},
	{"eth.type", "vlan-udp6", "33024", "0x88a8", "34984", true},
	{"vlan.id", vlans, "5", "4095", "4095", false},
	{"vlan.prio", vlans, "3", "7", "7", false},
	{"vlan.dei", vlans, "false", "true", "true", false},
	{"vlan.type", "vlan-tcp4", "2048", "0x0800", "2048", false},

	{"arp.op", arps, "request", `"reply"`, "reply", false},
	{"arp.op", arps, "request", "9", "9", false},
	{"arp.sha", arps, "02:00:00:00:00:01", `"02:00:00:00:00:07"`, "02:00:00:00:00:07", false},
	{"arp.spa", arps, "192.0.2.1", `"198.51.100.1"`, "198.51.100.1", false},
	{"arp.tha", arps, "00:00:00:00:00:00", `"02:00:00:00:00:07"`, "02:00:00:00:00:07", false},
	{"arp.tpa", arps, "192.0.2.2", `"198.51.100.2"`, "198.51.100.2", false},

	{"icmp.type", echos, "8", "13", "13", false},
	{"icmp.code", echos, "0", "3", "3", false},
	{"icmp.id", echos, "11", "65535", "65535", false},
	{"icmp.seq", echos, "12", "0", "0", false},
	{"icmp.mtu", echos, "12", "1400", "1400", false},
	{"icmp.gateway", echos, "0.11.0.12", `"192.0.2.254"`, "192.0.2.254", false},
	{"icmp6.type", echo6, "128", "129", "129", false},
	{"icmp6.code", echo6, "0", "3", "3", false},
	{"icmp6.id", echo6, "11", "65535", "65535", false},
	{"icmp6.seq", echo6, "12", "0", "0", false},
	{"icmp6.mtu", echo6, "720908", "2^32 - 1", "4294967295", false},
	{"icmp6.target", nds, "2001:db8::2", `"2001:0db8::0:5"`, "2001:db8::5", false},
	{"icmp6.target", echo6, "nil", "", "", false},
	{"icmp6.lladdr", nds, "02:00:00:00:00:01", `"02:00:00:00:00:08"`, "02:00:00:00:00:08", false},
	{"icmp6.lladdr", echo6, "nil", "", "", false},

	{"tcp.sport", tcps, "4000", "1", "1", false},
	{"tcp.dport", tcps, "80", "65535", "65535", false},
	{"tcp.seq", tcps, "100", "2^32 + 5", "5", false},
	{"tcp.ack", tcps, "0", "-1", "4294967295", false},
	{"tcp.flags", tcps, "SE", `"AS"`, "SA", false},
	{"tcp.window", tcps, "65535", "0", "0", false},
	{"tcp.urgent", tcps, "0", "9", "9", false},
	{"options.mss", tcps, "1460", "1360", "1360", false},
	{"options.mss", tcps, "1460", "nil", "nil", false},
	{"options.wscale", tcps, "7", "2", "2", false},
	{"options.sack_permitted", tcps, "true", "false", "nil", false},
	{"options.sack", tcps, "{{1,2}}", "{{7, 8}}", "{{7,8}}", false},
	{"options.timestamps", tcps, "{5,6}", "{2^32 + 1, 3}", "{1,3}", false},
	{"tcp.options", tcps, "options", "{ mss = 500 }", "options", false},
	{"tcp.options", tcps, "options", `"\1\1\1\1"`, "options", false},

	{"udp.sport", udps, "4000", "1053", "1053", false},
	{"udp.dport", udps, "7", "1053", "1053", false},
	{"udp.len", udps, "13", "9", "9", true},
}

func TestFields(t *testing.T) {
	all := carriers(t)
	for _, row := range append(append(fieldRows, ipRows...), checksumRows...) {
		for _, name := range strings.Fields(row.carriers) {
			t.Run(row.field+"/"+name, func(t *testing.T) { row.play(t, name, all[name]) })
		}
	}
}

// play passes the packet through a script that reads, sets and reads the field, and
// what comes out through one that reads it.
func (row fieldRow) play(t *testing.T, carrier string, p *packet.Packet) {
	access := strings.NewReplacer("packet.", "p.", "options.", "p.tcp.options.").Replace(row.field)
	if access == row.field {
		access = "p." + access
	}
	read := "log.info(show(" + access + "))\n"
	src := show + "on(function(p)\n" + read
	if row.set != "" {
		src += access + " = " + row.set + "\n" + read
	}
	s := setup{kind: tundev.TUN, forward: true, scripts: []string{src + "end)"}}
	if p.Link() == packet.Ethernet {
		s.kind = tundev.TAP
	}
	l := s.start(t)
	l.put(p)
	l.clean()
	if row.is == computed {
		row.is = checksumOf(p, row.field)
	}
	want := "info: " + row.is
	if row.set != "" {
		want += "\ninfo: " + row.then
	}
	if got := l.said(); got != want {
		t.Fatalf("%s\nread %q\nwant %q", src, got, want)
	}
	out := l.one()
	if row.set == "" {
		return
	}
	s.scripts = []string{show + "on(function(p) " + read + " end)"}
	again := s.start(t)
	again.put(out)
	if got := again.said(); got != "info: "+row.then {
		t.Errorf("on the wire it reads %q, want %q", got, row.then)
	}
	if !row.odd {
		intact(t, out)
	}
}

// show prints a field's value.
const show = `local function show(v)
  if type(v) == "string" and v:find("[%z%c]") then return tohex(v) end
  if type(v) ~= "table" then return tostring(v) end
  local t = {}
  for i = 1, #v do t[i] = show(v[i]) end
  return "{" .. table.concat(t, ",") .. "}"
end
`

// intact has gopacket take the packet apart and compute its checksums.
func intact(t *testing.T, p *packet.Packet) {
	t.Helper()
	g := gopacket.NewPacket(p.Bytes(), firstLayer(p), gopacket.Default)
	if e := g.ErrorLayer(); e != nil {
		t.Errorf("gopacket: %v in % x", e.Error(), p.Bytes())
		return
	}
	if layer, ok := p.Valid(); !ok {
		t.Errorf("%s is not valid in %v", layer, p)
	}
}

// Every field of every layer is in the table, and is set there if it can be.
func TestEveryFieldIsTested(t *testing.T) {
	read, set := map[string]bool{}, map[string]bool{}
	for _, row := range append(append(fieldRows, ipRows...), checksumRows...) {
		read[row.field] = true
		set[row.field] = set[row.field] || row.set != ""
	}
	for name, canSet := range luabind.FieldNames() {
		if !read[name] {
			t.Errorf("%s: no test reads it: add a row", name)
		}
		if canSet != set[name] {
			t.Errorf("%s: can be set: %v; a row sets it: %v", name, canSet, set[name])
		}
	}
	if len(read) < 60 {
		t.Error(fmt.Sprint(len(read), " fields"))
	}
}
