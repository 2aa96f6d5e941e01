package luabind_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/packet"
)

// patternPackets are what the patterns below are asked about, by name.
func patternPackets(t *testing.T) map[string]*packet.Packet {
	seg := func(f packet.Flags, seq, ack uint32, payload string) *packet.Packet {
		return build(t, ip4(), packet.TCP{Sport: 4000, Dport: 80, Seq: seq, Ack: ack, Flags: f}, packet.Payload(payload))
	}
	opts := build(t, ip4(), packet.TCP{Sport: 4000, Dport: 81, Flags: packet.SYN})
	tcp, _ := opts.TCP()
	tcp.Options().SetMSS(1460)
	return map[string]*packet.Packet{
		"syn":   seg(packet.SYN, 100, 0, ""),
		"get":   seg(packet.ACK|packet.PSH, 101, 1, "GET / HTTP/1.0 (x-y)"),
		"fin":   seg(packet.ACK|packet.FIN, 0xffffffff, 0xfffffffe, ""),
		"mss":   opts,
		"dns":   build(t, ip4(), packet.UDP{Sport: 4000, Dport: 53}, packet.Payload("?")),
		"dns6":  build(t, ip6(), packet.UDP{Sport: 4000, Dport: 53}),
		"ping":  build(t, ip4(), packet.ICMP{Type: packet.EchoRequest, ID: 7, Seq: 1}),
		"ping6": build(t, ip6(), packet.ICMPv6{Type: packet.EchoRequest6, ID: 7, Seq: 1}),
	}
}

var patternNames = []string{"syn", "get", "fin", "mss", "dns", "dns6", "ping", "ping6"}

// What a pattern matches, of the packets above.
func TestPatterns(t *testing.T) {
	packets := patternPackets(t)
	for pattern, want := range map[string]string{
		`"tcp"`:                           "syn get fin mss",
		`{}`:                              "syn get fin mss dns dns6 ping ping6",
		`{ "tcp", tcp = { dport = 80 } }`: "syn get fin",
		`{ "udp", tcp = { dport = 80 } }`: "",
		`{ tcp = true }`:                  "syn get fin mss",
		`{ tcp = {} }`:                    "syn get fin mss",
		`{ tcp = false }`:                 "dns dns6 ping ping6",
		`{ ip = true, tcp = false, udp = false }`: "ping ping6",
		`{ ip6 = true }`:                                                                    "dns6 ping6",
		`{ ip4 = false, udp = true }`:                                                       "dns6",
		`{ tcp = { flags = "AP" } }`:                                                        "get",
		`{ tcp = { flags = "PA" } }`:                                                        "get",
		`{ tcp = { has = "A" } }`:                                                           "get fin",
		`{ tcp = { has = "A", dport = 81 } }`:                                               "",
		`{ tcp = { seq = 2^32 - 1 } }`:                                                      "fin",
		`{ tcp = { seq = -1 } }`:                                                            "fin",
		`{ tcp = { ack = 2^33 - 2 } }`:                                                      "fin",
		`{ tcp = { seq = 100 + 2^32 } }`:                                                    "syn",
		`{ tcp = { options = { mss = 1460 } } }`:                                            "mss",
		`{ tcp = { options = { mss = true } } }`:                                            "mss",
		`{ tcp = { options = { mss = false } } }`:                                           "syn get fin",
		`{ tcp = { window = 65535, sport = 4000 } }`:                                        "syn get fin mss",
		`{ udp = { sport = 4000, dport = 53 } }`:                                            "dns dns6",
		`{ ip = { src = "192.0.2.1" }, udp = true }`:                                        "dns",
		`{ ip = { src = "2001:DB8:0::1" } }`:                                                "dns6 ping6",
		`{ ip4 = { src = "2001:db8::1" } }`:                                                 "",
		`{ ip = { src = cidr("2001:db8::/32") } }`:                                          "dns6 ping6",
		`{ ip = { dst = cidr("192.0.2.0/31") } }`:                                           "",
		`{ ip = { dst = cidr("192.0.2.0/30") }, udp = {} }`:                                 "dns",
		`{ ip = { ttl = 64, proto = 6 } }`:                                                  "syn get fin mss",
		`{ ip = { df = true }, udp = true }`:                                                "dns6",
		`{ ip4 = { id = 7 }, icmp = { type = 8 } }`:                                         "ping",
		`{ icmp6 = { type = 128, id = 7, seq = 1 } }`:                                       "ping6",
		`{ icmp = { id = 8 } }`:                                                             "",
		`{ payload = "^GET" }`:                                                              "get",
		`{ payload = "%(x.y%)$", tcp = true }`:                                              "get",
		`{ payload = "(x-y)" }`:                                                             "get", // x-y, and not the brackets
		`{ payload = "" , udp = true }`:                                                     "dns dns6",
		`{ payload_is = "GET / HTTP/1.0 (x-y)" }`:                                           "get",
		`{ payload_is = "GET" }`:                                                            "",
		`{ payload_is = "", udp = true }`:                                                   "dns6",
		`{ payload = function(s) return #s == 1 end }`:                                      "dns",
		`{ device = "tun0", icmp = true }`:                                                  "ping",
		`{ device = "tun1" }`:                                                               "",
		`{ len = 40 }`:                                                                      "syn fin",
		`{ len = function(n) return n < 33 and n > 28 end }`:                                "dns",
		`{ tcp = { dport = function(n) return n % 2 == 1 end } }`:                           "mss",
		`{ ip = { src = function(a) return a:find(":") end } }`:                             "dns6 ping6",
		`function(p) return p.tcp and p.tcp:is("S") end`:                                    "syn mss",
		`function(p) return p.udp end`:                                                      "dns dns6",
		`{ "udp or icmp", ip = { src = function(a) return a == "192.0.2.1" end } }`:         "dns ping",
		`{ tcp = { dport = 80 }, payload = function(s) log.info("asked") return false end}`: "",
	} {
		l := newLab(t, fmt.Sprintf(`
			local names = {}
			on(function(p) log.info("no") end)
			spawn(function() while true do recv(%s) log.info("yes") end end)`, pattern))
		var got []string
		for _, name := range patternNames {
			l.put(packets[name].Clone())
			if strings.HasSuffix(l.said(), "yes") {
				got = append(got, name)
			}
		}
		l.clean()
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s matches %q, want %q", pattern, s, want)
		}
	}
}

// A pattern that means nothing raises where it is made, with the nearest word.
func TestPatternMistakes(t *testing.T) {
	for pattern, want := range map[string]string{
		`nil`:                                   `want a pattern: a filter, a function or a table such as {tcp = {flags = "S"}}, got nil`,
		`7`:                                     `want a pattern: a filter, a function or a table such as {tcp = {flags = "S"}}, got the number 7`,
		`"tpc"`:                                 `filter: column 1 of "tpc": unexpected "tpc", expected a condition; did you mean "tcp"?`,
		`{ tpc = true }`:                        `a pattern has no "tpc"; did you mean "tcp"?`,
		`{ pyload = "x" }`:                      `a pattern has no "pyload"; did you mean "payload"?`,
		`{ payload_iz = "x" }`:                  `a pattern has no "payload_iz"; did you mean "payload_is"?`,
		`{ reply = true }`:                      `a pattern has no "reply"`,
		`{ "tcp", "udp" }`:                      `a pattern has no [2]`,
		`{ {} }`:                                `the filter is a string, got a table`,
		`{ tcp = { destport = 80 } }`:           `tcp has no "destport"; did you mean "dport"?`,
		`{ tcp = { is = "S" } }`:                `tcp has no "is"`,
		`{ tcp = { options = { mms = 1 } } }`:   `tcp.options has no "mms"; did you mean "mss"?`,
		`{ tcp = { flags = "S." } }`:            `write "SA"`,
		`{ tcp = { flags = 2 } }`:               `tcp.flags: want flags such as "SA", got the number 2`,
		`{ tcp = { has = "X" } }`:               `tcp.has`,
		`{ tcp = { dport = 70000 } }`:           `tcp.dport is 70000, want 0..65535`,
		`{ tcp = { dport = "80" } }`:            `tcp.dport: want a number 0..65535, got the string "80"`,
		`{ tcp = { dport = {} } }`:              `tcp.dport: want a number 0..65535, got a table`,
		`{ tcp = "S" }`:                         `tcp: want a table of fields, true or false, got the string "S"`,
		`{ ip = { src = "nobody" } }`:           `ip.src: "nobody" is no address: write one such as "192.0.2.1" or "2001:db8::1"`,
		`{ eth = { src = "x" } }`:               `eth.src`,
		`{ ip = { df = 1 } }`:                   `ip.df: want true or false, got the number 1`,
		`{ tcp = { options = { sack = {} } } }`: `tcp.options.sack: a table cannot be compared: ask with a function`,
		`{ payload = 7 }`:                       `payload: want a Lua pattern or a function, got the number 7`,
		`{ payload = "[" }`:                     `payload: malformed pattern (missing ']'): for exactly these bytes use payload_is`,
		`{ payload_is = 7 }`:                    `payload_is: want a string, got the number 7`,
		`{ peek = 1 }`:                          `peek: want true or false, got the number 1`,
		`{ flow = {} }`:                         `flow: the table is no flow, or of one that has ended: use p.flow`,
		`{ flow = "x" }`:                        `flow: want a flow, as in flow = p.flow, got the string "x"`,
		`{ ip = { src = inbox("tcp") } }`:       `ip.src: want a value, a function or a cidr, got an inbox`,
	} {
		l := newLab(t, "spawn(function()\n recv("+pattern+")\nend)")
		got := l.fails()
		rest, ok := strings.CutPrefix(got, "script1.lua:2: recv: ")
		if !ok || !strings.Contains(rest, want) {
			t.Errorf("%s:\n got %s\nwant %s", pattern, got, want)
		}
	}
	l := newLab(t, "spawn(function()\n recv('tcp', -1)\nend) spawn(function() recv('tcp', '1') end) spawn(function() sleep() end)")
	if len(l.errs) != 3 || !strings.Contains(l.errs[0].Error(), "recv: want seconds from 0 to 1e9, got the number -1") {
		t.Errorf("errors %v", l.errs)
	}
}

// A pattern's function that fails raises in the task that waits.
func TestAPatternThatFails(t *testing.T) {
	l := newLab(t, `
		spawn(function()
			local ok, err = pcall(recv, function(p) return p.nonsense end)
			log.info(err)
			recv{ payload = function(s) error("oh") end }
		end)
		on(function(p) log.info("handler") end)
	`)
	l.put(build(t, ip4(), udp()), build(t, ip4(), udp(), text()))
	if got := l.said(); got != "info: handler\ninfo: the pattern's function failed: script1.lua:3: packet has no \"nonsense\"\ninfo: handler" {
		t.Errorf("said %q", got)
	}
	if got := l.fails(); got != "script1.lua:5: the pattern's function failed: script1.lua:5: oh" {
		t.Errorf("the error is %q", got)
	}
}

// A packet that a function was asked about is gone afterwards.
func TestAPatternsPacketIsBorrowed(t *testing.T) {
	l := newLab(t, `
		local kept
		spawn(function() recv(function(p) kept = p return false end) end)
		after(1, function() log.info(kept.len) end)
	`)
	l.put(build(t, ip4(), udp()))
	l.advance(2 * time.Second)
	if got := l.fails(); !strings.Contains(got, "the packet is gone, as the pattern's function has returned: use p:copy() to keep one") {
		t.Errorf("the error is %q", got)
	}
}

// expect shows the packet that came nearest, field by field, at its own line.
func TestExpectShowsTheNearest(t *testing.T) {
	packets := patternPackets(t)
	for _, tt := range []struct{ pattern, names, want string }{
		{`"tcp"`, "", "nothing that matches came in 2 s, nor anything else"},
		{`{ tcp = { dport = 80, flags = "SA", ack = 101 } }`, "dns syn ping",
			`nothing that matches came in 2 s; the nearest of 3 packets is IP 192.0.2.1.4000 > 192.0.2.2.80: Flags [S], seq 100, win 65535, length 0: tcp.ack is 0, want 101; tcp.flags is "S", want "SA"`},
		{`{ tcp = { dport = 80 } }`, "dns",
			`the nearest of 1 packet is IP 192.0.2.1.4000 > 192.0.2.2.53: UDP, length 1: tcp is not there, want to be there`},
		{`{ tcp = { has = "S" }, payload = "^POST" }`, "get",
			`payload is "GET / HTTP/1.0 (x-y)", want to match "^POST"; tcp.flags is "PA", want "S" among them`},
		{`{ payload_is = "GET" }`, "get", `payload is "GET / HTTP/1.0 (x-y)", want "GET"`},
		{`{ tcp = { options = { mss = 1400 } } }`, "syn mss", `tcp.options.mss is 1460, want 1400`},
		{`{ tcp = { options = { mss = 1400 } } }`, "syn", `tcp.options.mss is not there, want 1400`},
		{`{ ip = { src = cidr("198.51.100.0/24") } }`, "dns", `ip.src is "192.0.2.1", want to be in 198.51.100.0/24`},
		{`{ udp = false }`, "dns", `udp is there, want not to be there`},
		{`"tcp port 81"`, "syn", `the filter "tcp port 81" does not match, want to match`},
		{`function(p) return false end`, "syn", `length 0: the pattern's function said no`},
	} {
		l := newLab(t, "spawn(function()\n sleep(0.5)\n expect("+tt.pattern+", 2)\nend)")
		l.put(packets["dns6"].Clone()) // before the wait
		l.advance(time.Second)
		for name := range strings.FieldsSeq(tt.names) {
			l.put(packets[name].Clone())
		}
		l.advance(5 * time.Second)
		got := l.fails()
		if !strings.HasPrefix(got, "script1.lua:3: expect: nothing that matches came in 2 s") || !strings.HasSuffix(got, tt.want) {
			t.Errorf("%s after %q:\n got %s\nwant %s", tt.pattern, tt.names, got, tt.want)
		}
	}
}

// What expect remembers is bounded, and one who took the packet is named.
func TestExpectRemembersTheLast(t *testing.T) {
	l := newLab(t, `
		spawn(function() recv("tcp") end)
		spawn(function() expect("tcp", 1) end)
	`)
	l.put(build(t, ip4(), syn()))
	for range 200 {
		l.put(build(t, ip4(), udp(), packet.Payload(strings.Repeat("x", 1400))))
	}
	l.advance(5 * time.Second)
	if got := l.fails(); !strings.Contains(got, `the nearest of 201 packets is IP 192.0.2.1.4000 > 192.0.2.2.7: UDP`) {
		t.Error(got)
	}
	l = newLab(t, `
		spawn(function() recv("tcp") end)
		spawn(function() expect("tcp", 1) end)
	`)
	l.put(build(t, ip4(), syn()))
	l.advance(5 * time.Second)
	if got := l.fails(); !strings.Contains(got, "it matches, but another task took it") {
		t.Error(got)
	}
}

// Who waits for a flow gets its packets, whichever way they go.
func TestPatternOfAFlow(t *testing.T) {
	l := newLab(t, `
		spawn(function()
			local p = recv("udp dst port 7")
			local f = p.flow
			f.name = "first"
			for i = 1, 2 do
				local q = recv{ flow = f, payload = "o" }
				log.info(q.udp.sport, q.payload, q.flow == f, q.flow.name)
			end
		end)
		on(function(p) log.info("handler", p.payload) end)
	`)
	l.put(build(t, ip4(), udp(), text()))
	l.put(build(t, ip4(), packet.UDP{Sport: 4001, Dport: 7}, text())) // another flow
	l.put(build(t, ip4(), udp(), packet.Payload("no")))
	l.put(build(t, ip4(), udp(), packet.Payload("hi")))
	l.put(build(t, packet.IPv4{Src: peer, Dst: host}, packet.UDP{Sport: 7, Dport: 4000}, packet.Payload("yo")))
	l.clean()
	want := "info: handler hello\ninfo: 4000 no true first\ninfo: handler hi\ninfo: 7 yo true first"
	if got := l.said(); got != want {
		t.Errorf("said\n%s\nwant\n%s", got, want)
	}
}
