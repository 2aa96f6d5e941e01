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

func TestIterators(t *testing.T) {
	check(t, lint.Options{}, []row{
		{`for i in 1, 3 do print(i) end`, `1|to count, write for i = 1, 10 do`},
		{`local t = { 1 } for _, v in t do print(v) end`, `t do|pairs(...)`},
		{`for _, v in { 1, 2 } do print(v) end`, `{ 1|pairs(...)`},
		{`for _, v in ipairs{ 1, 2 } do print(v) end`, ""},
		{`for k in pairs(devices) do print(k) end`, ""},
		{`local t = setmetatable({}, { __call = function() end }) for v in t do print(v) end`, ""},
	})
}

func TestOptionsOfTables(t *testing.T) {
	check(t, lint.Options{}, []row{
		{`on{ "icmp", function(p) end }`, `function|a function in a table has a name: run = function(p) ... end`},
		{`on{ "icmp", "udp", run = function(p) end }`, `"udp"|only the filter`},
		{`on(function(p) log("x") end)`, `log|log is a table of functions: call one of them, such as log.info`},
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
