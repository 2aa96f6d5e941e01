package lint_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tunscript/tunscript/luabind/lint"
)

// A row is a line of Lua and what is said about it: "" for nothing, else the part of
// the line that the caret is under, a bar, and part of the message; a warning begins
// with a question mark.
type row struct{ source, want string }

func check(t *testing.T, opt lint.Options, rows []row) {
	t.Helper()
	for _, r := range rows {
		findings := lint.Source("x.lua", r.source, opt)
		if r.want == "" {
			if len(findings) > 0 {
				t.Errorf("%s\nis said to be wrong: %s", r.source, findings[0].Detail())
			}
			continue
		}
		want, sev := r.want, lint.Error
		if rest, ok := strings.CutPrefix(want, "?"); ok {
			want, sev = rest, lint.Warning
		}
		at, msg, _ := strings.Cut(want, "|")
		if len(findings) != 1 {
			t.Errorf("%s\n%d findings, want one: %q %v", r.source, len(findings), r.want, findings)
			continue
		}
		f := findings[0]
		if !strings.Contains(f.Error(), msg) || f.Severity != sev {
			t.Errorf("%s\nwant %v %q, got %v %s", r.source, sev, msg, f.Severity, f.Error())
		}
		if f.Column < 1 || !strings.HasPrefix(f.Source[f.Column-1:], at) {
			t.Errorf("%s\nwant a caret under %q:\n%s", r.source, at, f.Detail())
		}
		line := strings.Split(r.source, "\n")[f.Line-1]
		if line != f.Source {
			t.Errorf("line %d is %q, not %q", f.Line, line, f.Source)
		}
	}
}

func TestSyntax(t *testing.T) {
	check(t, lint.Options{}, []row{
		{`local s = "\x41"`, `\x41|write hex"41"`},
	})
	f := lint.Source("x.lua", "x = = 1\ny = = 2", lint.Options{})
	if len(f) != 1 || f[0].Line != 1 || f[0].Column != 5 {
		t.Errorf("%v", f)
	}
	check(t, lint.Options{}, []row{
		{"-- nothing", ""},
		{"", ""},
		{"#!/usr/bin/env tunscript\nlocal x = 1", ""},
	})
}

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
		{`on("tcp", function(p) p.tcp.dport = -1 end)`, `1|tcp.dport is -1, want 0..65535`},
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

func TestFilters(t *testing.T) {
	check(t, lint.Options{}, []row{
		{`on("tcp dst prot 80", function(p) end)`, `prot|did you mean "port"?`},
		{`on{ "tcp and", run = function(p) end }`, `"|filter`},
		{"on([[\ntcp\nand udp dst prot 80]], function(p) end)", `prot|did you mean "port"?`},
		{`local F = "tcp prot 80" on(F, function(p) end)`, `F|did you mean "port"?`},
		{`on("tcp[tcpflags] & tcp-syn != 0", function(p) end)`, `?tcp[|IPv4 only`},
		{`on("udp port 7 and udp[4:2] > 100", function(p) end)`, `?udp[|IPv4 only`},
		{`on("ip and tcp[tcpflags] & tcp-syn != 0", function(p) end)`, ""},
		{`on("icmp[icmptype] == icmp-echo", function(p) end)`, ""},
		{`on("tcp " .. "port 80", function(p) end)`, ""},
	})
}

func TestOptionsOfTables(t *testing.T) {
	check(t, lint.Options{}, []row{
		{`on{ "tcp", nmae = "x", run = function() end }`, `nmae|on: there is no option "nmae"; did you mean "name"?`},
		{`on{ "tcp", super = 1, run = function() end }`, `1|on: super: want true or false, got the number 1`},
		{`on{ "tcp", on_error = "dorp", run = function() end }`, `"dorp"|did you mean "drop"?`},
		{`on{ "tcp", run = "f" }`, `"f"|want a function`},
		{`on("tcp", function(p) return p:reply{ tpc = {} } end)`, `tpc|packet has no "tpc"; did you mean "tcp"?`},
		{`on("tcp", function(p) return p:reply{ tcp = { flag = "S" } } end)`, `flag|tcp has no "flag"; did you mean "flags"?`},
		{`on("tcp", function(p) return p:reply{ tcp = { flags = "Q" } } end)`, `"Q"|is no flag`},
		{`on("tcp", function(p) return p:copy{ len = 3 } end)`, `len|packet.len can only be read`},
		{`local q = ip{ dts = "192.0.2.1" }`, `dts|ip has no "dts"; did you mean "dst"?`},
		{`local q = ip{ ttl = 256 }`, `256|want 0..255`},
		{`local q = tcp{ options = { msss = 1 } }`, `msss|did you mean "mss"?`},
		{`local q = packet{ ip = { dst = "nowhere" } }`, `"nowhere"|is no address`},
		{`on("udp", function(p) return p:unreachable("prot") end)`, `"prot"|did you mean "port"?`},
		{`after("1", print)`, `"1"|after: want a number, got the string "1"`},
		{`on("udp", function(p) send(p.udp) end)`, `p|got a layer (udp)`},
		{`local q = tcp{ options = { mss = 1460, [30] = "ab" } }`, ""},
		{`on("udp", function(p) return p:unreachable("fragmentation", 1200, { ip = { ttl = 3 } }) end)`, ""},
		{`local o = {} o.prio = 3 on(o)`, ""},
	})
}

func TestVerdicts(t *testing.T) {
	check(t, lint.Options{}, []row{
		{`on("tcp", function(p) return "dorp" end)`, `"dorp"|verdict: there is no "dorp"`},
		{`on("tcp", function(p) if p.ip then for i = 1, 2 do return "dorp" end end end)`, `"dorp"|did you mean "drop"?`},
		{`local function f(p) return "pas" end on("tcp", f)`, `"pas"|did you mean "pass"?`},
		{`local f = function(p) return "pas" end on{ "tcp", run = f }`, `"pas"|did you mean "pass"?`},
		{`local function f(p) return "pas" end on("tcp", function(p) return f(p) end)`, `"pas"|did you mean "pass"?`},
		{`local V = "dorp" on(function(p) return V end)`, `V|did you mean "drop"?`},
		{`on(function(p) return p.tcp and "dorp" end)`, `"dorp"|did you mean "drop"?`},
		{`on(function(p) return true end)`, `true|true means nothing`},
		{`on(function(p) return 1 end)`, `1|a number means nothing`},
		{`on(function(p) return p.tcp end)`, `p|a layer (tcp) is no packet`},
		{`on(function(p) return "pass", "why" end)`, `"why"|only "drop" takes a reason`},
		{`on(function(p) local f = function() return "own" end return "drop", f() end)`, ""},
		{`on(function(p) return { p:copy(), p:copy() } end)`, ""},
		{`on(function(p) return p.tcp and p:reply() or nil end)`, ""},
		{`local t = { get = function() return "own" end } on(function(p) return t.get() == "own" and "drop" end)`, ""},
		{`every(1, function() return "anything" end)`, ""},
	})
}

func TestGlobals(t *testing.T) {
	check(t, lint.Options{}, []row{
		{`on(function(p) count = 1 end)`, `?count|becomes a global`},
		{`on(function(p) function helper() end end)`, `?helper|becomes a global`},
		{`count = 0 on(function(p) count = count + 1 end)`, ""},
		{`local count = 0 on(function(p) cuont = count + 1 end)`, `?cuont|did you mean "count"?`},
		{`spwan(function() end)`, `spwan|there is no global "spwan"`},
		{`pritn("x")`, `pritn|did you mean "print"?`},
		{`local counter = 0 print(countr)`, `?countr|did you mean "counter"?`},
		{`local x = nothing.at.all`, `nothing|there is no global`},
		{`local s = io.open("x")`, `io|only there in a trusted script`},
		{`os.exit()`, `exit|only there in a trusted script`},
		{`send = 5`, `send|"send" is a name of tunscript: use local`},
		{`function tcp() end`, `tcp|"tcp" is a name of tunscript`},
		{`if jit then jit.off() end`, ""},
		{`local bit = bit or jit and require "bit"`, ""},
		{`_G.made = 1 print(made.x)`, ""},
		{`rawset(_G, "made", 1) print(made.x)`, ""},
		{`load("made = 1")() made()`, ""},
		{`if type(made) == "table" then print(made.x) end`, ""},
		{`string = { trim = function(s) return s end } string.trim("x")`, ""},
	})
	check(t, lint.Options{Globals: []string{"geo"}}, []row{{`on(function(p) if geo.country(p.ip.src) then return "drop" end end)`, ""}})
	check(t, lint.Options{Trusted: true}, []row{
		{`local f = io.open("x") debug.traceback() os.exit(1) collectgarbage()`, ""},
		{`function string.trim(s) return s end print(("x"):trim())`, ""},
	})
}

func TestPatterns(t *testing.T) {
	check(t, lint.Options{}, []row{
		{`spawn(function() recv("tcp prot 80", 1) end)`, `prot|did you mean "port"?`},
		{`spawn(function() expect{ "udp", tpc = {} } end)`, `tpc|packet has no "tpc"; did you mean "tcp"?`},
		{`spawn(function() expect{ "udp prot 1" } end)`, `prot|did you mean "port"?`},
		{`spawn(function() expect{ tcp = { flgas = "S" } } end)`, `flgas|did you mean "flags"?`},
		{`spawn(function() expect{ tcp = { has = "X" } } end)`, `"X"|is no flag`},
		{`spawn(function() local p = expect("udp", 1) print(p.udp.prot) end)`, `prot|udp has no "prot"`},
		{`spawn(function() local b = inbox("udp") b:recvv(1) end)`, `recvv|did you mean "recv"?`},
		{`spawn(function() expect("udp", "1") end)`, `"1"|expect: want a number`},
		{`spawn(function() recv({ tcp = true, udp = false, ip = { src = function(a) return a end, ttl = 64 }, payload = "^GET", peek = true }, 1) end)`, ""},
		{`spawn(function() recv(function(p) return p.tcp and p.tcp.dport == 80 end) end)`, ""},
		{`on("udp", function(p) spawn(function(q) expect({ flow = q.flow }, 2) end, p:copy()) end)`, ""},
	})
}

func TestShippedModules(t *testing.T) {
	check(t, lint.Options{}, []row{
		{`local dns = require "dns" print(dns.prase("x"))`, `prase|dns has no "prase"; did you mean "parse"?`},
		{`print(require("dns").prase("x"))`, `prase|did you mean "parse"?`},
		{`local dns = require "dns" print(dns.parse("x"))`, ""},
		{`local dns = require "dns.other" print(dns.prase("x"))`, ""},
		{`local dns = require "dns" if dns.later then dns.x = 1 end`, ""},
	})
	own := func(string) (string, string, bool) { return "dns.lua", "return { mine = print }", true }
	check(t, lint.Options{Module: own}, []row{{`require("dns").mine()`, ""}})
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

func TestHiddenBuilders(t *testing.T) {
	check(t, lint.Options{}, []row{
		{`on("ip", function(p) local ip = p.ip return ip{ dst = "192.0.2.1" } end)`, `ip|ip is a local here, which hides tunscript's ip`},
		{`on("ip", function(p) local ip, tcp = p.ip, p.tcp send(tcp{}) end)`, `tcp|hides tunscript's tcp`},
		{`local tcp = require "tcp" local q = ip{}/tcp{ dport = 80 }`, ""},
		{`on("ip", function(p) local ip = p.ip if ip then print(ip.src) end end)`, ""},
	})
}

func TestDevices(t *testing.T) {
	check(t, lint.Options{Devices: []string{"tun0", "tun1"}}, []row{
		{`print(devices.tun2.mtu)`, `tun2|there is no device "tun2"; did you mean`},
		{`on{ device = "tnu0", run = function() end }`, `"tnu0"|did you mean "tun0"?`},
		{`on(function(p) p.out = "tun7" end)`, `"tun7"|there is no device`},
		{`on(function(p) send(p, "tun7") end)`, `"tun7"|there is no device`},
		{`on{ device = "tun1", run = function(p) send(p, "tun0") p.out = "tun1" print(devices.tun0.peer) end }`, ""},
	})
	check(t, lint.Options{}, []row{{`print(devices.tun2.mtu)`, ""}})
}

func TestWorkers(t *testing.T) {
	check(t, lint.Options{Workers: 2}, []row{
		{`every(1, function() end)`, `?every|each of the 2 workers`},
		{`if worker == 1 then every(1, function() end) end`, ""},
	})
	check(t, lint.Options{Workers: 1}, []row{{`every(1, function() end)`, ""}})
}

// What a script requires is looked at, too; what it sets, the script may use.
func TestModules(t *testing.T) {
	files := map[string]string{
		"lib":      `local M = {} function M.f(p) return p.own end shared_count = 0 require "lib.deep" return M`,
		"lib.deep": "\nlog.inof('x')",
	}
	opt := lint.Options{Module: func(name string) (string, string, bool) {
		src, ok := files[name]
		return strings.ReplaceAll(name, ".", "/") + ".lua", src, ok
	}}
	got := lint.Source("main.lua", `local lib = require "lib" local dns = require "dns" on(function(p) shared_count = shared_count + 1 return lib.f(p) end)`, opt)
	if len(got) != 1 || got[0].File != "lib/deep.lua" || got[0].Line != 2 || got[0].Column != 5 {
		t.Errorf("%v", got)
	}
}

// All mistakes are reported, in the order of the source, and the same place once.
func TestOrder(t *testing.T) {
	got := lint.Source("x.lua", "on('tcp', function(p) p.tcp.destport = 1 return 'dorp' end)\nlog.inof(1) log.inof(2)\non('tcp prot 1', print)", lint.Options{})
	var at []string
	for _, f := range got {
		at = append(at, fmt.Sprintf("%d:%d", f.Line, f.Column))
	}
	if s := strings.Join(at, " "); s != "1:29 1:49 2:5 2:17 3:9" {
		t.Errorf("found at %s", s)
	}
}
