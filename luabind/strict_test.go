package luabind_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tunscript/tunscript/engine/filter"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/tundev"
)

// broken are the five mistakes of a beginner, each at line 2.
var broken = []struct{ line, want string }{
	{`on("tcp dst prot 80", function(p) end)`, `script1.lua:2: on: filter: column 9 of "tcp dst prot 80": `},
	{`on("tcp", function(p) return "dorp" end)`, `script1.lua:2: verdict: there is no "dorp"; did you mean "drop"?: return nothing, "pass", "accept", "drop" [, reason], a packet or a list of packets`},
	{`on("tcp", function(p) p.tcp.destport = 1 end)`, `script1.lua:2: tcp has no "destport"; did you mean "dport"?`},
	{`on("tcp", function(p) p.tcp.dport = 70000 end)`, `script1.lua:2: tcp.dport is 70000, want 0..65535`},
	{`on{ "tcp", nmae = "x", run = function() end }`, `script1.lua:2: on: there is no option "nmae"; did you mean "name"? (there are defrag, device, disable_after, name, on_error, prio, run, super)`},
}

func TestBrokenScripts(t *testing.T) {
	for _, tt := range broken {
		got := failure(t, "-- one mistake at a time\n"+tt.line, build(t, ip4(), syn()))
		if !strings.HasPrefix(got, tt.want) || !strings.HasSuffix(tt.want, ": ") && got != tt.want {
			t.Errorf("%s\ngot  %s\nwant %s", tt.line, got, tt.want)
		}
	}
}

// failure is the error of a script, as it loads or with a packet in hand.
func failure(t *testing.T, script string, p *packet.Packet) string {
	t.Helper()
	s := setup{scripts: []string{script}}
	if p.Link() == packet.Ethernet {
		s.kind = tundev.TAP
	}
	l, err := s.try(t)
	if err != nil {
		return lineOnly(err)
	}
	l.put(p)
	if len(l.errs) == 0 {
		t.Errorf("no error from\n%s", script)
		return ""
	}
	return l.errs[0].Error()
}

// lineOnly is the text of an error with its line and without its column, which what fails
// as the script loads has, and what fails later has not.
func lineOnly(err error) string {
	if se, ok := errors.AsType[*luabind.ScriptError](err); ok {
		plain := *se
		plain.Column = 0
		return plain.Error()
	}
	return err.Error()
}

func TestAFilterErrorNamesTheColumn(t *testing.T) {
	_, err := setup{scripts: []string{"\n\non(\"tcp dst prot 80\", function(p) end)"}}.try(t)
	var se *luabind.ScriptError
	if !errors.As(err, &se) || se.Line != 3 || se.Column != 13 || se.Script != "script1.lua" {
		t.Errorf("%v is not at script1.lua:3:13", err)
	}
	var fe *filter.SyntaxError
	if !errors.As(err, &fe) || fe.Column != 9 || fe.Suggestion != "port" {
		t.Errorf("%v does not say column 9 and port", err)
	}
}

// strict is what a handler must not do with its packet, and what it is told.
var strict = []struct{ code, want string }{
	// Names.
	{`return p.tpc`, `packet has no "tpc"; did you mean "tcp"?`},
	{`return p.ip.tll`, `ip has no "tll"; did you mean "ttl"?`},
	{`return p.ip4.hops`, `ip4 has no "hops"`},
	{`p.tcp.flag = "S"`, `tcp has no "flag"; did you mean "flags"?`},
	{`p.tcp.options.mms = 1`, `options has no "mms"; did you mean "mss"?`},
	{`p:replay()`, `packet has no "replay"; did you mean "reply"?`},
	{`return p.tcp[1]`, `tcp has fields with names only, got the number 1`},
	{`return p[{}]`, `packet has fields with names only, got a table`},
	{`p[1] = 2`, `packet has fields with names only, got the number 1`},
	{`return p.tcp.options[true]`, `options has fields with names only, got true`},
	{`return p.tcp.options[1]`, `tcp.options: kind 1: want 2..255`},
	{`p.tcp.options[300] = ""`, `tcp.options: kind 300: want 2..255`},
	{`p.tcp.options[9] = 1`, `tcp.options: kind 9: want a string of bytes, got the number 1`},
	{`p.tcp = {}`, `p.tcp is a layer: set its fields, as in p.tcp.ack = v`},
	{`p.reply = 1`, `packet.reply is a method: it is called, not set`},
	{`p.len = 1`, `packet.len can only be read`},
	{`p.device = "tun1"`, `packet.device can only be read`},
	{`p.ip.version = 6`, `ip.version can only be read`},
	// Types.
	{`p.tcp.dport = "80"`, `tcp.dport: want a number 0..65535, got the string "80"`},
	{`p.tcp.dport = nil`, `tcp.dport: want a number 0..65535, got nil`},
	{`p.ip.df = 1`, `ip.df: want true or false, got the number 1`},
	{`p.ip.src = 7`, `ip.src: want an address such as "192.0.2.1" or "2001:db8::1", got the number 7`},
	{`p.ip.src = "somewhere"`, `ip.src: "somewhere" is no address: write one such as "192.0.2.1" or "2001:db8::1"`},
	{`p.ip.src = "fe80::1%eth0"`, `ip.src: "fe80::1%eth0" is no address: write one such as "192.0.2.1" or "2001:db8::1"`},
	{`p.ip.src = "::ffff:192.0.2.1"`, `ip.src: an IPv4 address within IPv6 is on no wire: write the IPv4 address alone`},
	{`p.ip.src = "2001:db8::9"`, `ip.src: 2001:db8::9 is no IPv4 address: give one`},
	{`p.tcp.flags = 2`, `tcp.flags: want flags such as "SA", got the number 2`},
	{`p.tcp.flags = "sa"`, `tcp.flags: "sa": flags are capitals: write "SA"`},
	{`p.tcp.flags = "SX"`, `tcp.flags: "SX": 'X' is no flag: the letters are FSRPAUEC`},
	{`return p.tcp:has("SZ")`, `flags: "SZ": 'Z' is no flag: the letters are FSRPAUEC`},
	{`p.tcp.options = 3`, `tcp.options: want a table such as {mss = 1460} or a string of bytes, got the number 3`},
	{`p.tcp.options = { msss = 3 }`, `tcp.options: options has no "msss"; did you mean "mss"?`},
	{`p.tcp.options.timestamps = 3`, `options.timestamps: want {value, echo}, got the number 3`},
	{`p.tcp.options.sack = {{1}}`, `options.sack: want {left, right}, got a table`},
	{`p.tcp.checksum = "good"`, `tcp.checksum is "good", want a number, "bad", "zero" or "keep"`},
	{`p.payload = 7`, `packet.payload: want a string, got the number 7`},
	{`p.payload = ("x"):rep(65536)`, `packet.payload: `},
	{`p.out = "tun9"`, `packet.out: no device "tun9": there is tun0`},
	// Ranges.
	{`p.ip.ttl = 256`, `ip.ttl is 256, want 0..255`},
	{`p.ip.ttl = -1`, `ip.ttl is -1, want 0..255`},
	{`p.ip.ttl = 1.5`, `ip.ttl is 1.5, want a whole number 0..255`},
	{`p.ip.ttl = 0/0`, `ip.ttl is NaN, want a whole number 0..255`},
	{`p.ip.ttl = 1/0`, `ip.ttl is +Inf, want a whole number 0..255`},
	{`p.tcp.seq = 2^60`, `tcp.seq is 1152921504606846976, want 0..4294967295`},
	{`p.ip.frag = 7`, `ip.frag: `},
	{`p.ip.id = 65536`, `ip.id: `},
	{`return p:u8(-1)`, `the offset is -1, want 0..2147483647`},
	{`p:set_u8(9999, 1)`, `set_u8: `},
	{`p:set_u16(0, 65536)`, `set_u16 is 65536, want 0..65535`},
	{`p:set_bytes(0, 5)`, `set_bytes: want a string, got the number 5`},
	// Calls.
	{`return p.reply()`, `want a packet or one of its layers, got nil`},
	{`return p.reply(p.tcp)`, `reply is called on p.tcp, want p: call it with a colon, as in p:reply()`},
	{`return p.tcp.has("S")`, `want a packet or one of its layers, got the string "S"`},
	{`return p:reply(3)`, `want a table of fields such as {ip = {ttl = 3}}, got the number 3`},
	{`return p:reply{ tpc = {} }`, `packet has no "tpc"; did you mean "tcp"?`},
	{`return p:reply{ udp = {} }`, `udp: the packet has none`},
	{`return p:reply{ tcp = 7 }`, `tcp: want a table of fields, got the number 7`},
	{`return p:reply{ tcp = { dpotr = 7 } }`, `tcp has no "dpotr"; did you mean "dport"?`},
	{`return p:unreachable()`, `unreachable: got nil, want one of ["admin" "fragmentation" "host" "net" "port"]`},
	{`return p:unreachable("prot")`, `unreachable: got the string "prot", want one of ["admin" "fragmentation" "host" "net" "port"]; did you mean "port"?`},
	{`return p .. "x"`, `a packet cannot be joined with "..": put the payload in parentheses, as in ip{}/udp{}/("a".."b")`},
	{`return p.nothing.at.all`, `packet has no "nothing"`},
	{`return p.udp.sport`, `attempt to index field 'udp' (a nil value)`},
	{`return p.tcp.options.mss + 1`, `attempt to perform arithmetic on field 'mss' (a nil value)`},
	{`send(p.tcp)`, `send: a layer is no packet: send the packet whose tcp it is`},
	{`send("x")`, `send: want a packet, got the string "x"`},
	{`send(p, "tun9")`, `send: no device "tun9": there is tun0`},
	{`send(p, 3)`, `send: want the name of a device, got the number 3`},
	{`send(p, "tun0", 3)`, `send: 3 arguments, want at most 2`},
	{`hex"4"`, `hex: "4" has an odd number of digits: write each byte with two, as in "0a"`},
	{`hex"4z"`, `hex: "4z": 'z' is no digit: write pairs of the digits 0-9 and a-f`},
	{`send = 3`, `"send" is a name of tunscript: use local, or another name`},
	{`ip = p.ip`, `"ip" is a name of tunscript: use local, or another name`},
	{`function on() end`, `"on" is a name of tunscript: use local, or another name`},
	{`log.info = 3`, `attempt to `},
	{`devices.tun0.mtu = 9`, `devices.tun0 can only be read`},
	{`return devices.tun1.mtu`, `there is no device "tun1"; did you mean "tun0"?`},
	{`return devices.tun0.mut`, `devices.tun0 has no "mut"; did you mean "mtu"?`},
}

func TestStrict(t *testing.T) {
	for _, tt := range strict {
		got := failure(t, "on(function(p)\n"+tt.code+"\nend)", build(t, ip4(), ack(), text()))
		want := "script1.lua:2: " + tt.want
		if !strings.HasPrefix(got, want) || got != want && !strings.HasSuffix(want, " ") {
			t.Errorf("%s\ngot  %s\nwant %s", tt.code, got, want)
		}
	}
}

// At the top of a script the same holds, and some things must wait.
var strictAtLoad = []struct{ code, want string }{
	{`on()`, `on: want a filter and a function, or a table, got nil`},
	{`on("udp")`, `on: after the filter comes a function, got nil`},
	{`on("udp", function() end, { prio = 1 })`, `on: 3 arguments, want 2: options go into one table, as in on{ "udp", prio = 10, run = fn }`},
	{`on(function() end, 1)`, `on: 2 arguments, want 1: options go into one table, as in on{ "udp", prio = 10, run = fn }`},
	{`on{ "udp" }`, `on: a handler wants a function: on("udp", function(p) ... end)`},
	{`on{ 7, run = print }`, `on: the filter is a string, got the number 7`},
	{`on{ "udp", run = 3 }`, `on: run: want a function, got the number 3`},
	{`on{ "udp", print }`, `on: there is no option [2] (there are defrag, device, disable_after, name, on_error, prio, run, super)`},
	{`on{ prio = 101, run = print }`, `on: prio: want a whole number -100..100, got the number 101`},
	{`on{ prio = "1", run = print }`, `on: prio: want a whole number -100..100, got the string "1"`},
	{`on{ super = 1, run = print }`, `on: super: want true or false, got the number 1`},
	{`on{ on_error = "dorp", run = print }`, `on: on_error: want "drop", "pass" or "stop", got the string "dorp"; did you mean "drop"?`},
	{`on{ device = "tun9", run = print }`, `on: no device "tun9": there is tun0`},
	{`on{ name = "", run = print }`, `on: name: want a name, got the string ""`},
	{`send(ip{dst = "192.0.2.1"}/udp{sport = 1, dport = 2})`, `send: no device is open while the script loads: use on_start, a handler or a timer`},
	{`stop()`, `stop: nothing runs while the script loads: use on_start, a handler or a timer`},
	{`after("1", print)`, `after: want seconds from 0 to 1e9, got the string "1"`},
	{`after(-1, print)`, `after: want seconds from 0 to 1e9, got the number -1`},
	{`after(1)`, `after: want a function, got nil`},
	{`every(1, print, 2)`, `every: 3 arguments, want at most 2`},
	{`every(0, print)`, `every: the period must be more than 0 seconds, as in every(0.1, fn)`},
	{`on_start()`, `on_start: want a function, got nil`},
	{`on_stop(print) on_stop(print)`, `on_stop: the script has called it before: do both in one function`},
	{`on_reload(3)`, `on_reload: want a function, got the number 3`},
	{`checksum(1)`, `checksum: want a string, got the number 1`},
	{`tohex()`, `tohex: want a string, got nil`},
	{`xor()`, `xor: want a string, got nil`},
	{`xor("a", 1)`, `xor: want a string as the key, got the number 1: string.char(n) is that of one byte`},
	{`xor("a", "")`, `xor: the key is empty: give it at least one byte`},
	{`local h = on(print) h.cancel()`, `cancel: call it with a colon, as in handle:cancel()`},
}

func TestStrictAtLoad(t *testing.T) {
	for _, tt := range strictAtLoad {
		_, err := setup{scripts: []string{"\n" + tt.code}}.try(t)
		want := "script1.lua:2: " + tt.want
		if err == nil {
			t.Errorf("%s loads, want %s", tt.code, want)
		} else if got := lineOnly(err); !strings.HasPrefix(got, want) || got != want && !strings.HasSuffix(want, " ") {
			t.Errorf("%s\ngot  %s\nwant %s", tt.code, got, want)
		}
	}
}
