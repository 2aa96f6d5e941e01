package lint_test

import (
	"testing"

	"github.com/tunscript/tunscript/luabind/lint"
)

func TestFieldNames(t *testing.T) {
	check(t, lint.Options{}, []row{
		{`on("tcp", function(p) print(p.tcp.destport) end)`, `destport|tcp has no "destport"; did you mean "dport"?`},
		{`on("tcp", function(p) print(p.tpc) end)`, `tpc|packet has no "tpc"; did you mean "tcp"?`},
		{`on("tcp", function(p) local t = p.tcp print(t.sprot) end)`, `sprot|did you mean "sport"?`},
		{`on("tcp", function(p) p["tcp"].prot = 1 end)`, `prot|tcp has no "prot"`},
		{`on{ "tcp", run = function(p) print(p.tcp.options.msss) end }`, `msss|did you mean "mss"?`},
		{`local function f(p) print(p.ip.tttl) end on("ip", f)`, `tttl|did you mean "ttl"?`},
		{`function f(p) print(p.ip.tttl) end on("ip", f)`, `tttl|did you mean "ttl"?`},
		{`local function f(t) print(t.prot) end on("tcp", function(p) f(p.tcp) end)`, `prot|tcp has no "prot"`},
		{`on("tcp", function(p) local r = p:reply() r.payloda = "x" return r end)`, `payloda|did you mean "payload"?`},
		{`on("tcp", function(p) local r = p:copy{} print(r.tcp and r.tcp.flag) end)`, `flag|did you mean "flags"?`},
		{`local q = ip{}/udp{}/"x" print(q.udp.srcport)`, `srcport|did you mean "sport"?`},
		{"on(\"udp\",\n  function(p)\n    local u = p.udp\n    if u and\n      u.lenn > 8 then return \"drop\" end\n  end)", `lenn|did you mean "len"?`},
		{`on("tcp", function(p) p.tcp.options[8] = "12345678" end)`, ""},
		{`on("tcp", function(p) local t = p.tcp t = { own = 1 } print(t.own) end)`, ""},
		{`on("tcp", function(p) p = { own = 1 } print(p.own) end)`, ""},
		{`local function f(t) return t.own end f{ own = 1 } on("tcp", function(p) return f(p) end)`, ""},
		{`local function f(p) return p.own end local g = f on("tcp", f)`, ""},
		{`local x = {} on("tcp", function(p) x.last = p:copy() print(x.last.own) end)`, ""},
		{`for _, p in ipairs{} do print(p.own) end`, ""},
		{`on("tcp", function(q) local p = q.tcp or q.udp if p then print(p.own) end end)`, ""},
		{`on = nil`, `on|is a name of tunscript`},
		{`local on = function(f, g) g{ own = 1 } end on("udp", function(p) return p.own end)`, ""},
		{`on("udp", function(p) return p.payload:upper():gsub("a", "b") end)`, ""},
	})
}

func TestMethods(t *testing.T) {
	check(t, lint.Options{}, []row{
		{`on("tcp", function(p) return p:repply() end)`, `repply|packet has no "repply"; did you mean "reply"?`},
		{`on("tcp", function(p) if p.tcp:haas("S") then return end end)`, `haas|did you mean "has"?`},
		{`on("tcp", function(p) return p.reply() end)`, `reply|call it with a colon`},
		{`on("tcp", function(p) print(p.tcp:dport()) end)`, `dport|is a field, not a method`},
		{`on("tcp", function(p) p.reply = 1 end)`, `reply|is a method`},
		{`on("udp", function(p) print(p.payload:uper()) end)`, `uper|a string has no method "uper"; did you mean "upper"?`},
		{`after(1, print):cancle()`, `cancle|did you mean "cancel"?`},
		{`log.inof("x")`, `inof|log has no "inof"; did you mean "info"?`},
		{`string.uper("x")`, `uper|string has no "uper"; did you mean "upper"?`},
	})
}

func TestAssignments(t *testing.T) {
	check(t, lint.Options{}, []row{
		{`on("tcp", function(p) p.len = 5 end)`, `len|packet.len can only be read`},
		{`on("tcp", function(p) p.tcp = nil end)`, `tcp|packet.tcp is a layer: set its fields, as in tcp.ack = v`},
		{`on("tcp", function(p) p.ip.version = 6 end)`, `version|ip.version can only be read`},
		{`on("tcp", function(p) p.tcp.dport = 70000 end)`, `70000|tcp.dport is 70000, want 0..65535`},
		{`on("tcp", function(p) p.tcp.dport = -1 end)`, `-1|tcp.dport is -1, want 0..65535`},
		{`on("tcp", function(p) p.tcp.dport = 1.5 end)`, `1.5|want a whole number`},
		{`local PORT = 70000 on("tcp", function(p) p.tcp.dport = PORT end)`, `PORT|is 70000`},
		{`on("tcp", function(p) p.ip.ttl = p.ip4 and 300 or 64 end)`, `300|want 0..255`},
		{`on("tcp", function(p) p.tcp.dport = "80" end)`, `"80"|tcp.dport: want a number, got the string "80"`},
		{`on("tcp", function(p) p.ip.df = 1 end)`, `1|want true or false`},
		{`on("tcp", function(p) p.tcp.flags = "SX" end)`, `"SX"|is no flag`},
		{`on("tcp", function(p) p.ip.src = "192.0.2.300" end)`, `"192.0.2.300"|is no address`},
		{`on("arp", function(p) p.eth.src = "02:00" end)`, `"02:00"|is no Ethernet address`},
		{`on("arp", function(p) p.arp.op = "replay" end)`, `"replay"|there is no "replay"; did you mean "reply"?`},
		{`on("tcp", function(p) p.tcp.checksum = "bda" end)`, `"bda"|did you mean "bad"?`},
		{`on("tcp", function(p) p.tcp.checksum = p.udp end)`, `p|got a layer (udp)`},
		{`on("tcp", function(p) p.tcp.checksum = 0xdead p.tcp.checksum = nil p.tcp.checksum = "zero" end)`, ""},
		{`on("tcp", function(p) p.tcp.seq = 2^32 + 5 p.tcp.seq = -1 p.tcp.ack = 0x1ffffffff end)`, ""},
		{`on("tcp", function(p) local PORT = 70000 PORT = 80 p.tcp.dport = PORT end)`, ""},
		{`on("tcp", function(p) p.tcp.options = { mss = 1400 } p.tcp.options = "" p.tcp.options.mss = nil end)`, ""},
	})
}

func TestState(t *testing.T) {
	check(t, lint.Options{}, []row{
		{`on(function(p) p.flow.mine = 1 p.flow:rewrite{ dprot = 80 } end)`, `dprot|there is no option "dprot"; did you mean "dport"?`},
		{`on(function(p) p.flow:bypass("pas") end)`, `"pas"|did you mean "pass"?`},
		{`on(function(p) p.flow.mine = 1 p.flow.f = print p.flow:f() print(p.flow.other.thing) end)`, ""},
		{`on(function(p) shared.hosts:icnr("x", 1) end)`, `icnr|did you mean "incr"?`},
		{`local x = option("loss", { defualt = 1 })`, `defualt|did you mean "default"?`},
	})
}
