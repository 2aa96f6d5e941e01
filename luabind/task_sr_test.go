package luabind_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev"
)

// What answers a packet that sr sent, and what does not.
func TestWhatAnswers(t *testing.T) {
	from := packet.IPv4{Src: host, Dst: peer}
	synAck := packet.TCP{Sport: 80, Dport: 4000, Seq: 9, Ack: 101, Flags: packet.SYN | packet.ACK}
	with := func(h packet.TCP, change func(*packet.TCP)) packet.TCP { change(&h); return h }
	const question = `ip{ src = "192.0.2.2", dst = "192.0.2.1" }/tcp{ sport = 4000, dport = 80, seq = 100, flags = "S" }`
	const data = `ip{ src = "192.0.2.2", dst = "192.0.2.1" }/tcp{ sport = 4000, dport = 80, seq = 100, ack = 9, flags = "PA" }/"12345"`
	const ack = `ip{ src = "192.0.2.2", dst = "192.0.2.1" }/tcp{ sport = 4000, dport = 80, seq = 100, ack = 9, flags = "A" }`
	const ask = `ip{ src = "192.0.2.2", dst = "192.0.2.1" }/udp{ sport = 4000, dport = 53 }/"?"`
	const ping = `ip{ src = "192.0.2.2", dst = "192.0.2.1" }/icmp{ id = 5, seq = 6 }`
	const ping6 = `ip{ src = "2001:db8::2", dst = "2001:db8::1" }/icmp6{ id = 5, seq = 6 }`
	// about is an error about a packet that went out, changed.
	about := func(change func(p *packet.Packet)) func(sent *packet.Packet) *packet.Packet {
		return func(sent *packet.Packet) *packet.Packet {
			change(sent)
			return sent.Unreachable(packet.UnreachablePort, 0)
		}
	}
	is := func(layers ...packet.Layer) func(*packet.Packet) *packet.Packet {
		return func(*packet.Packet) *packet.Packet { return build(t, layers...) }
	}
	for _, tt := range []struct {
		name, question string
		answer         func(sent *packet.Packet) *packet.Packet
		want           bool
	}{
		{"a SYN-ACK", question, is(from, synAck), true},
		{"a SYN-ACK to something else", question, is(from, with(synAck, func(h *packet.TCP) { h.Ack = 100 })), false},
		{"from another port", question, is(from, with(synAck, func(h *packet.TCP) { h.Sport = 81 })), false},
		{"from another host", question, is(packet.IPv4{Src: peer, Dst: peer}, synAck), false},
		{"a reset", question, is(from, with(synAck, func(h *packet.TCP) { h.Flags = packet.RST | packet.ACK })), true},
		{"an ICMP error about it", question, about(func(*packet.Packet) {}), true},
		{"an ICMP error about another port", question, about(func(p *packet.Packet) { h, _ := p.TCP(); h.SetSport(1) }), false},
		{"an ICMP error about another host", question, about(func(p *packet.Packet) { h, _ := p.IP(); h.SetDst(peer) }), false},
		{"data that is acknowledged", data, is(from, packet.TCP{Sport: 80, Dport: 4000, Ack: 105, Flags: packet.ACK}), true},
		{"data that is half acknowledged", data, is(from, packet.TCP{Sport: 80, Dport: 4000, Ack: 104, Flags: packet.ACK}), false},
		{"any segment after an ACK", ack, is(from, packet.TCP{Sport: 80, Dport: 4000, Ack: 50, Flags: packet.ACK}), true},
		{"UDP", ask, is(from, packet.UDP{Sport: 53, Dport: 4000}), true},
		{"UDP to another port", ask, is(from, packet.UDP{Sport: 53, Dport: 4001}), false},
		{"an ICMP error about UDP", ask, about(func(*packet.Packet) {}), true},
		{"TCP is no answer to UDP", ask, is(from, packet.TCP{Sport: 53, Dport: 4000}), false},
		{"an echo reply", ping, is(from, packet.ICMP{Type: packet.EchoReply, ID: 5, Seq: 6}), true},
		{"another echo reply", ping, is(from, packet.ICMP{Type: packet.EchoReply, ID: 5, Seq: 7}), false},
		{"its own echo request", ping, is(from, packet.ICMP{Type: packet.EchoRequest, ID: 5, Seq: 6}), false},
		{"an ICMP error about a ping", ping, about(func(*packet.Packet) {}), true},
		{"an ICMP error about another ping", ping, about(func(p *packet.Packet) { m, _ := p.ICMP(); m.SetSeq(7) }), false},
		{"an IPv6 echo reply", ping6, is(ip6(), packet.ICMPv6{Type: packet.EchoReply6, ID: 5, Seq: 6}), true},
		{"an ICMPv6 error", ping6, about(func(*packet.Packet) {}), true},
		{"a broadcast is answered by anybody", strings.Replace(ask, "192.0.2.1", "255.255.255.255", 1), is(from, packet.UDP{Sport: 53, Dport: 4000}), true},
	} {
		l := newLab(t, `spawn(function() log.info(sr(`+tt.question+`, 1) and "answer") end)`)
		l.put(tt.answer(l.one()))
		l.advance(2 * time.Second)
		l.clean()
		want := map[bool]string{true: "info: answer", false: "info: nil"}[tt.want]
		if got := l.said(); got != want {
			t.Errorf("%s: said %q, want %q", tt.name, got, want)
		}
	}
}

// ARP and neighbor discovery, on TAP.
func TestWhatAnswersNeighbors(t *testing.T) {
	arp := packet.ARP{Op: packet.ARPReply, SHA: hostMAC, SPA: host, THA: peerMAC, TPA: peer}
	for _, tt := range []struct {
		question string
		answer   []packet.Layer
	}{
		{`arp{ op = "request", spa = "192.0.2.2", tpa = "192.0.2.1" }`, []packet.Layer{frame(), arp}},
		{`ip6{ src = "2001:db8::2", dst = "ff02::1:ff00:1" }/icmp6{ type = 135, target = "2001:db8::1" }`,
			[]packet.Layer{frame(), ip6(), packet.ICMPv6{Type: packet.NeighborAdvert, Target: host6}}},
	} {
		l := setup{kind: tundev.TAP, scripts: []string{`
			spawn(function() local p = sr(` + tt.question + `, 1) log.info(p and p.eth.src) end)`}}.start(t)
		l.put(build(t, frame(), ip4(), udp()))
		l.put(build(t, tt.answer...))
		l.clean()
		if got := l.said(); got != "info: "+hostMAC.String() {
			t.Errorf("%s: said %q", tt.question, got)
		}
	}
}

// sr sends again when a try's time is over, and the same bytes.
func TestSrTriesAgain(t *testing.T) {
	l := newLab(t, `
		spawn(function()
			local q = ip{ dst = "192.0.2.1" }/tcp{ dport = 80, seq = 7 }
			local a = sr(q, 1, 3)
			log.info(now() - 1772366400, a and a.tcp.flags)
			log.info(sr(q, 1, 2))
		end)`)
	first := l.one()
	l.advance(999 * time.Millisecond)
	if got := l.got(); len(got) > 0 {
		t.Errorf("too early: %v", got)
	}
	l.advance(time.Millisecond)
	if again := l.one(); string(again.Frame()) != string(first.Frame()) {
		t.Errorf("sent %v, then %v", first, again)
	}
	l.put(first.RST())
	l.one()
	l.advance(5 * time.Second)
	if got := l.got(); len(got) != 1 {
		t.Errorf("the second sr left %v", got)
	}
	l.clean()
	if got := l.said(); got != "info: 1 RA\ninfo: nil" {
		t.Errorf("said %q", got)
	}
}

func TestSrMistakes(t *testing.T) {
	const q = `ip{ dst = "192.0.2.1" }/udp{ sport = 1, dport = 2 }`
	for call, want := range map[string]string{
		`sr()`:                  "sr: want a packet, got nil",
		`sr("udp")`:             `sr: want a packet, got the string "udp"`,
		`sr((` + q + `).ip)`:    "sr: a layer is no packet: send the packet whose ip it is",
		`sr(` + q + `, "1")`:    "sr: want seconds",
		`sr(` + q + `, 1, 0)`:   "sr: tries: want 1 or more, and a timeout for each",
		`sr(` + q + `, nil, 2)`: "sr: tries: want 1 or more, and a timeout for each",
		`sr(` + q + `, 1, 1.5)`: "sr: tries is 1.5",
		`sr(packet("\69"), 1)`:  "sr: nothing answers a packet without IP or ARP: use send and recv",
	} {
		l := newLab(t, "spawn(function() "+call+" end)")
		if got := l.fails(); !strings.Contains(got, want) {
			t.Errorf("%s:\n got %s\nwant %s", call, got, want)
		}
	}
}
