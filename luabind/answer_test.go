package luabind_test

import (
	"strings"
	"testing"

	"github.com/tunscript/tunscript/engine/packet"
)

// told is what an expression about the carrier p is in Lua.
func told(t *testing.T, p *packet.Packet, expr string) string {
	t.Helper()
	l := linkOf(p, `on(function(p) print(`+expr+`) return "drop" end)`).start(t)
	l.put(p)
	if len(l.errs) > 0 {
		return l.fails()
	}
	return strings.ReplaceAll(strings.TrimPrefix(l.said(), "info: "), "\t", " ")
}

// Answers are what the page says, on TUN and TAP, over both versions; the fields given
// are laid over and change only themselves.
func TestAnswers(t *testing.T) {
	all := carriers(t)
	all["ack4"] = build(t, ip4(), packet.TCP{Sport: 4000, Dport: 80, Seq: 1<<32 - 3, Ack: 200, Flags: packet.PSH | packet.ACK}, text())
	all["fin6"] = build(t, frame(), ip6(), packet.TCP{Sport: 4000, Dport: 80, Seq: 10, Ack: 200, Flags: packet.FIN | packet.ACK})
	all["bare4"] = build(t, ip4(), packet.TCP{Sport: 4000, Dport: 80, Seq: 10})
	all["broad4"] = build(t, packet.Eth{Src: hostMAC, Dst: packet.Broadcast}, packet.IPv4{Src: host, Dst: host.Next().Prev()}, udp(), text())
	for _, tt := range []struct{ carriers, expr, want string }{
		// The way back.
		{udps + " " + tcps + " " + echos + " " + echo6, `p:reply().ip.src == p.ip.dst and p:reply().ip.dst == p.ip.src, p:reply().ip.ttl, p:reply().out == p.device`, "true 64 true"},
		{"eth-udp4 vlan-udp6 fin6", `p:reply().eth.src, p:reply().eth.dst`, "02:00:00:00:00:02 02:00:00:00:00:01"},
		{"vlan-udp6 vlan-tcp4", `p:reply().vlan.id, p:reply().vlan.prio`, "5 3"},
		{udps, `p:reply().udp.sport, p:reply().udp.dport, p:reply().payload, p:reply():valid()`, "7 4000 hello true"},
		{opts4, `p:reply().ip.options == "", p:reply().ip.df`, "true false"},
		{"ext6", `#p:reply().ip.extensions, p:reply():valid()`, "0 true"},
		// Echo keeps what it is told, and TOS.
		{echos, `p:reply().icmp.type, p:reply().icmp.id, p:reply().icmp.seq, p:reply().payload`, "0 11 12 hello"},
		{echo6, `p:reply().icmp6.type, p:reply().icmp6.id, p:reply().icmp6.seq, p:reply().payload`, "129 11 12 hello"},
		{echos, `p:reply{ ip = { tos = 4 }, payload = "x" }.ip.tos, p:reply{ payload = "x" }.payload, p:reply{ payload = "x" }:valid()`, "4 x true"},
		// TCP's arithmetic, modulo 2^32.
		{tcps, `p:reply().tcp.flags, p:reply().tcp.ack, p:reply().payload == "", p:reply().tcp.window, p:reply().tcp.options.mss`, "SA 106 true 65535 nil"},
		{"ack4", `p:reply().tcp.flags, p:reply().tcp.seq, p:reply().tcp.ack`, "A 200 2"},
		{"fin6", `p:reply().tcp.flags, p:reply().tcp.seq, p:reply().tcp.ack`, "A 200 11"},
		{"bare4", `p:reply().tcp.flags, p:reply().tcp.seq, p:reply().tcp.ack`, "A 0 10"},
		{"ack4", `p:reply{ tcp = { flags = "FA" }, payload = "bye" }.tcp.seq, p:reply{ payload = "bye" }.tcp.ack, p:reply{ payload = "bye" }:valid()`, "200 2 true"},
		{"tcp4", `p:reply{ tcp = { options = { mss = 1400 } } }.tcp.options.mss, p:reply{ tcp = { seq = 2^32 + 9 } }.tcp.seq`, "1400 9"},
		{"ack4", `p:rst().tcp.flags, p:rst().tcp.seq, p:rst().tcp.ack`, "R 200 0"},
		{"bare4", `p:rst().tcp.flags, p:rst().tcp.seq, p:rst().tcp.ack`, "RA 0 10"},
		{"tcp6", `p:rst{ ip = { ttl = 3 } }.ip.ttl, p:rst():valid()`, "3 true"},
		// ARP and neighbor discovery.
		{"arp vlan-arp", `p:reply().arp.op, p:reply().arp.sha, p:reply().arp.spa, p:reply().arp.tpa, p:reply().eth.dst`, "reply 02:00:00:00:00:02 192.0.2.2 192.0.2.1 02:00:00:00:00:01"},
		{"arp", `p:reply{ arp = { sha = "02:00:00:00:00:77" } }.eth.src`, "02:00:00:00:00:77"},
		{"arp", `p:reply{ arp = { sha = "02:00:00:00:00:77" }, eth = { src = "02:00:00:00:00:78" } }.eth.src`, "02:00:00:00:00:78"},
		{"arp", `p:copy{ arp = { sha = "02:00:00:00:00:77" } }.eth.src`, "02:00:00:00:00:01"},
		{"arp", `p:reply{ arp = { sha = "no" } }`, `script1.lua:1: arp.sha: packet: "no" is no Ethernet address: write six bytes as 02:00:00:00:00:01`},
		{"nd eth-nd", `p:reply().icmp6.type, p:reply().icmp6.target, p:reply().ip.ttl, p:reply():valid()`, "136 2001:db8::2 255 true"},
		{"eth-nd", `p:reply{ icmp6 = { lladdr = "02:00:00:00:00:77" } }.icmp6.lladdr, p:reply{ icmp6 = { lladdr = "02:00:00:00:00:77" } }.eth.src`, "02:00:00:00:00:77 02:00:00:00:00:77"},
		// Errors: port from the destination, the others from the device's peer.
		{udps, `p:unreachable("port"):valid(), p:unreachable("port").ip.src == p.ip.dst, packet(p:unreachable("port").payload).udp.dport`, "true true 7"},
		{"udp4 eth-udp4", `p:unreachable("admin").icmp.type, p:unreachable("admin").icmp.code, p:unreachable("fragmentation", 1400).icmp.mtu`, "3 13 1400"},
		{"udp6 vlan-udp6", `p:unreachable("admin").icmp6.type, p:unreachable("admin").icmp6.code, p:unreachable("fragmentation", 1400).icmp6.mtu`, "1 1 1400"},
		{udps, `p:ttl_exceeded{ ip = { ttl = 9 } }.ip.ttl, p:ttl_exceeded():valid()`, "9 true"},
		{"tcp4", `p:ttl_exceeded{ ip = { src = "198.51.100.1" } }.ip.src, p:unreachable("host", { ip = { src = "198.51.100.2" } }).ip.src`, "198.51.100.1 198.51.100.2"},
		// What must not be answered is empty.
		{tcps, `p:rst():rst().len, p:rst():reply().len, p:unreachable("host"):unreachable("host").len`, "0 0 0"},
		{echos + " " + echo6, `p:reply():reply().len, p:rst().len, tostring(p:rst())`, "0 0 empty packet: only TCP is reset"},
		{"frag4 frag6", `p:reply().len`, "0"},
		{"arp", `p:reply():reply().len, p:unreachable("host").len, p:rst{ tcp = { seq = 5 } }.len`, "0 0 0"},
		// Copies.
		{udps, `p:copy().payload, p:copy{ payload = "longer than it was", udp = { dport = 9 } }.udp.dport, p.payload, p:copy{ ip = { ttl = 3 } }:valid()`, "hello 9 hello true"},
		{"eth-udp4", `p:copy{ vlan = { id = 5 } }.vlan.id, p.vlan`, "5 nil"},
		{"udp4", `p:copy{ tcp = { dport = 9 } }`, "script1.lua:1: tcp: the packet has none"},
		{"udp4", `p:copy{ ttl = 9 }`, `script1.lua:1: packet has no "ttl"; did you mean "ttl_exceeded"?`},
		{"udp4", `p:unreachable("ports")`, `script1.lua:1: unreachable: got the string "ports", want one of ["admin" "fragmentation" "host" "net" "port"]; did you mean "port"?`},
	} {
		for _, name := range strings.Fields(tt.carriers) {
			if got := told(t, all[name], tt.expr); got != tt.want {
				t.Errorf("%s: %s\ngot  %s\nwant %s", name, tt.expr, got, tt.want)
			}
		}
	}
}

// Whatever a builder computes can be said otherwise, in either of its two forms.
func TestBuildersCanBeWrongOnPurpose(t *testing.T) {
	for _, tt := range []struct{ layers, expr, want string }{
		{`ip{dst="192.0.2.1", len=99} udp{sport=1, dport=2}`, `p.ip.len, p:valid()`, "99 false ip"},
		{`ip{dst="192.0.2.1", checksum="bad"} udp{sport=1, dport=2}`, `p:valid()`, "false ip"},
		{`ip{dst="192.0.2.1", checksum="bad", len=20} udp{sport=1, dport=2}`, `p:valid()`, "false ip"},
		{`ip{dst="192.0.2.1", checksum="zero"} udp{sport=1, dport=2}`, `p.ip.checksum`, "0"},
		{`ip{dst="192.0.2.1", proto=6} udp{sport=1, dport=2}`, `p.ip.proto, p.udp, p.tcp`, "6 nil nil"},
		{`ip{dst="192.0.2.1"} udp{sport=1, dport=2, len=7, checksum="zero"}`, `p.udp.len, p.udp.checksum`, "7 0"},
		{`ip{dst="192.0.2.1"} udp{sport=1, dport=2, checksum="bad"}`, `p:valid()`, "false udp"},
		{`ip{dst="2001:db8::1"} udp{sport=1, dport=2, checksum=0xdead}`, `p.udp.checksum`, "57005"},
		{`ip{dst="2001:db8::1", len=40} tcp{dport=2}`, `p.ip.len, p:valid()`, "40 false ip"},
		{`ip{dst="192.0.2.1"} tcp{dport=2, checksum="bad"}`, `p:valid()`, "false tcp"},
		{`ip{dst="192.0.2.1"} icmp{checksum="bad"}`, `p:valid()`, "false icmp"},
		{`ip{dst="2001:db8::1"} icmp6{checksum="bad"}`, `p:valid()`, "false icmp6"},
		{`eth{type=0x1234} ip{dst="192.0.2.1"} udp{sport=1, dport=2}`, `p.eth.type, p.ip, packet(p:bytes(14)):valid()`, "4660 nil true"},
		{`eth{} vlan{id=5, type=0x88a8} ip{dst="192.0.2.1"} udp{sport=1, dport=2}`, `p.vlan.type, p.ip`, "34984 nil"},
		{`eth{} vlan{id=5} vlan{id=6, type=0x1234} ip{dst="192.0.2.1"} udp{sport=1, dport=2}`, `p:u16(20), p.ip, packet(p:bytes(22)):valid()`, "4660 nil true"},
		{`ip{dst="192.0.2.1", frag=16, mf=true} udp{sport=1, dport=2}`, `p.ip.frag, p.ip.mf, p.udp`, "16 true nil"},
		{`ip{dst="2001:db8::1", frag=16, mf=true, id=9} udp{sport=1, dport=2}`, `p.ip.frag, p.ip.mf, p.ip.id, p.udp`, "16 true 9 nil"},
		{`ip{dst="192.0.2.1", ttl=0, tos=255, id=0, df=true} tcp{dport=2, flags="", window=0, urgent=9, options=hex"00000000"}`, `p.ip.ttl, p.ip.tos, p.ip.id, p.ip.df, p.tcp.flags, p.tcp.window, p.tcp.urgent, #p.tcp:bytes()`, "0 255 0 true  0 9 24"},
	} {
		stacked := strings.ReplaceAll(tt.layers, "} ", "}/") + `/""`
		table := "packet{" + strings.ReplaceAll(strings.ReplaceAll(tt.layers, "{", "={"), "} ", "}, ") + `, payload=""}`
		forms := []string{stacked, table}
		if strings.Count(tt.layers, "vlan") > 1 {
			forms = forms[:1] // a table has each layer once
		}
		for _, made := range forms {
			l := newLab(t, `on_start(function() local p = `+made+` print(`+tt.expr+`) end)`)
			l.clean()
			if got := strings.ReplaceAll(strings.TrimPrefix(l.said(), "info: "), "\t", " "); got != tt.want {
				t.Errorf("%s: %s\ngot  %s\nwant %s", made, tt.expr, got, tt.want)
			}
		}
	}
}
