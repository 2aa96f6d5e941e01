package lint_test

import (
	"strings"
	"testing"

	"github.com/tunscript/tunscript/luabind/lint"
)

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
		{`on(function(p) if p.udp == null then return "drop" end end)`, `?null|nothing is nil`},
		{`on(function(p) return DROP end)`, `?DROP|a verdict wants quotes, "drop"`},
		{`local drop = "drop" on(function(p) return drop end)`, ""},
		{`local ok = True`, `?True|write true`},
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

func TestShippedModules(t *testing.T) {
	check(t, lint.Options{}, []row{
		{`local dns = require "dns" print(dns.prase("x"))`, `prase|dns has no "prase"; did you mean "parse"?`},
		{`print(require("dns").prase("x"))`, `prase|did you mean "parse"?`},
		{`local dns = require "dns" print(dns.parse("x"))`, ""},
		{`local dns = require "dns.other" print(dns.prase("x"))`, ""},
		{`local impair = require "impair" impair{ "udp", los = 0.1 }`, `los|impair: there is no option "los"; did you mean "loss"?`},
		{`require "impair" { "udp prot 7", loss = 0.1 }`, `prot|`},
		{`require "impair" { loss = "much" }`, `"much"|impair: loss: want a number`},
		{`local impair = require "impair" local h = impair{ "udp", loss = 0.1, device = "tun0" } h:cancel()`, ""},
		{`require "impair" { loss = 0.1 }:cancle()`, `cancle|did you mean "cancel"?`},
		{`local dns = require "dns" if dns.later then dns.x = 1 end`, ""},
	})
	own := func(string) (string, string, bool) { return "dns.lua", "return { mine = print }", true }
	check(t, lint.Options{Module: own}, []row{{`require("dns").mine()`, ""}})
}
