package luabind_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
)

// Scripts on one device share `shared` and the packet, and nothing else: what the first
// does in its world, and what it leaves on the packet and its flow, the second, which
// looks at every packet, does not find.
func TestScriptsShareNothing(t *testing.T) {
	for _, row := range []struct{ what, does, finds string }{
		{"globals", `x = 1 print = nil`, `x ~= nil or not print`},
		{"a global of its own", `answer = 42`, `answer ~= nil`},
		{"the globals' table", `_G.answer = 42`, `_G.answer ~= nil`},
		{"the string library", `string.upper = function() return "mine" end`, `("a"):upper() ~= "A"`},
		{"the strings' metatable", `getmetatable("").__index = function() return 42 end`, `("a"):len() ~= 1`},
		{"tables of the library", `math.pi = 3 table.insert = nil bit.band = nil`, `math.pi == 3 or not table.insert or not bit.band`},
		{"a packet's metatable", `on("udp", function(p) getmetatable(p).__index = nil end)`, `false`},
		{"a flow's values", `on("udp", function(p) p.flow.mine = 1 end)`, `p.flow.mine ~= nil`},
		{"a flow's metatable", `on("udp", function(p) setmetatable(p.flow, { __index = { mine = 1 } }) end)`, `p.flow.mine ~= nil`},
		{"its own dictionary", `shared.counts:set("a", 1)`, `shared.counts:get("a") ~= nil`},
		{"a module that ships", `require("tcp").listen = 1`, `type(T.listen) ~= "function"`},
		{"a module's fields", `require("tcp").mine = 1`, `rawget(T, "mine") ~= nil`},
		{"chance", `math.randomseed(7)`, `false`},
		{"the devices", `devices.tun0.mtu = 1`, `devices.tun0.mtu ~= 1500`},
		{"a packet that it kept", `local kept on("udp", function(p) kept = p end) on{ "udp", prio = 1, run = function() kept.payload = "mine" end }`, `p.payload ~= "x"`},
		{"a layer that it kept", `local kept on("udp", function(p) kept = kept or p.ip end) on{ "udp", prio = 1, run = function() pcall(function() kept.ttl = 3 end) end }`, `false`},
		{"a value of its error", `on{ "udp", on_error = "pass", run = function(p) error(setmetatable({ p = p }, { __tostring = function() return "mine" end })) end }`, `p.payload ~= "x"`},
		{"coroutines", `local co = coroutine.create(function() while true do coroutine.yield() end end) coroutine.resume(co)`, `coroutine.running() ~= nil`},
		{"an event", `e = event() e:set()`, `e ~= nil`},
	} {
		victim := `
			local T = require "tcp"
			on{ "udp", prio = 100, run = function(p)
				if ` + row.finds + ` then log.error("found") end
				log.info("looked")
			end }`
		l := setup{onError: engine.OnErrorPass, scripts: []string{`pcall(function() ` + row.does + ` end)`, victim}}
		lab, err := l.try(t)
		if err != nil {
			t.Errorf("%s: %v", row.what, err)
			continue
		}
		lab.eng.Observe(engine.ObserverFunc(lab.observe), nil)
		for range 3 {
			lab.put(build(t, ip4(), udp(), packet.Payload("x")))
		}
		lab.advance(time.Second)
		said := strings.Join(lab.logs, "\n")
		switch {
		case strings.Contains(said, "found"):
			t.Errorf("%s: the second script finds what the first has done", row.what)
		case strings.Count(said, "looked") != 3 && !strings.Contains(row.what, "kept"):
			t.Errorf("%s: the second script has not looked at each packet: %s; %v", row.what, said, lab.errs)
		}
		for _, err := range lab.errs {
			if strings.HasPrefix(err.Error(), "script2.lua") {
				t.Errorf("%s: %v", row.what, err)
			}
		}
	}
}
