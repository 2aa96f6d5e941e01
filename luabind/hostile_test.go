package luabind_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/luabind"
)

// What costs the host much is charged for: a handler that does nothing else, with a
// packet of 60,000 bytes in hand, has used up its budget in some 20 ms, and what bounds it
// is counted. Without a charge some of these took a minute.
func TestABudgetIsTimeToo(t *testing.T) {
	const forever = "for i = 1, 1e9 do "
	for _, row := range []struct{ class, body string }{
		{"instructions", forever + `local s = p.payload end`},
		{"instructions", forever + `local q = p:copy() end`},
		{"instructions", forever + `local q = p:reply() end`},
		{"instructions", forever + `local q = p:copy{ ip = { src = "192.0.2.7", ttl = 3 } } end`},
		{"instructions", forever + `send(p, "tun0") end`},
		{"instructions", forever + `p.payload = p.payload end`},
		{"instructions", forever + `p.payload = p.payload .. "x" p.payload = "x" end`},
		{"instructions", forever + `p:bytes() end`},
		{"instructions", forever + `p:set_bytes(28, p.payload) end`},
		{"instructions", `local s = p:bytes() ` + forever + `packet(s) end`},
		{"instructions", forever + `tostring(p) end`},
		{"instructions", forever + `p:show() end`},
		{"instructions", forever + `p:hex() end`},
		{"instructions", forever + `p:code() end`},
		{"instructions", forever + `p:valid() end`},
		{"instructions", forever + `local c = p.udp.checksum end`},
		{"instructions", `local s = p.payload ` + forever + `checksum(s) end`},
		{"instructions", `local s = p.payload ` + forever + `local q = ip{dst="192.0.2.1"}/udp{sport=1,dport=1}/s; local n = q.len end`},
		{"instructions", `local s = ("00"):rep(5e5) ` + forever + `hex(s) end`},
		{"instructions", `local s = ("x"):rep(5e5) ` + forever + `tohex(s) end`},
		{"instructions", `local s = ("x"):rep(5e5) ` + forever + `xor(s, s) end`},
		{"instructions", `local s = ("1"):rep(1e6) ` + forever + `aton(s) end`},
		{"instructions", `local s = ("1"):rep(1e6) ` + forever + `pcall(cidr, s) end`},
		{"instructions", `local s = ("1"):rep(1e6) ` + forever + `pcall(function() p.ip.src = s end) end`},
		{"instructions", forever + `on("tcp port " .. i % 60000, function() end) end`},
		{"instructions", forever + `on("tcp port " .. i % 60000, function() end):cancel() end`},
		{"instructions", `local s = ("not "):rep(2e5) .. "udp" ` + forever + `pcall(on, s, print) end`},
		{"instructions", forever + `impair{ "udp port " .. i % 60000, loss = 0.1 }:cancel() end`},
		{"instructions", `local s = ("x"):rep(1e6) ` + forever + `log.info(s) end`},
		{"instructions", `local s = ("x"):rep(1e6) ` + forever + `print(s) end`},
		{"instructions", forever + `log.info("x") end`},
		{"instructions", `local s = ("x"):rep(1e6) ` + forever + `shared.a:set(tostring(i), s) end`},
		{"instructions", forever + `shared.b:keys() end`},
		{"instructions", forever + `local f = p.flow; f["k" .. i] = i end`},
		{"instructions", forever + `p.flow:rewrite{ sport = "free" } end`},
		{"instructions", forever + `spawn(function() recv("udp port " .. i) end) end`},
		{"tasks", forever + `spawn(function() sleep(1) end) end`},
		{"timers", forever + `after(0, function() end) end`},
		{"runtime", forever + `shared["a" .. i]:set("x", 1) end`},
	} {
		src := `local impair = require "impair"
			for i = 1, 1e5 do shared.b:set(tostring(i), i) end
			on("udp port 7", function(p) ` + row.body + ` end)`
		s, err := luabind.LoadString("hostile.lua", src, luabind.Options{Log: func(_ luabind.Level, _, text string) {
			if len(text) > 10_000 {
				t.Errorf("%s: a line of %d bytes in the log", row.body, len(text))
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		l := setup{programs: []engine.Program{s}}.start(t)
		l.eng.Observe(engine.ObserverFunc(l.observe), nil)
		h := udp()
		h.Dport = 7
		p := build(t, ip4(), h, packet.Payload(strings.Repeat("x", 60_000)))
		began := time.Now()
		l.put(p)
		took := time.Since(began)
		if n := l.eng.Stats().Failures[row.class]; n != 1 {
			t.Errorf("%s: failures %v, want one of %q; %v", row.body, l.eng.Stats().Failures, row.class, l.errs)
		}
		if took > 2*time.Second {
			t.Errorf("%s: took %v", row.body, took)
		}
		l.eng.Close()
	}
}

// Each cap is met in an engine, is counted by its name, and is not the end of the script.
func TestEveryCapIsMet(t *testing.T) {
	for _, row := range []struct {
		class, script string
		packets       int
	}{
		{"handlers", `for i = 1, 3999 do on("tcp", function() end) end on("udp", function() on("tcp", function() end) end)`, 2},
		{"inboxes", `spawn(function() while true do for i = 1, 100 do inbox("tcp") end sleep(0) end end)`, 1},
		{"tasks", `on("udp", function() spawn(function() sleep(9) end) end)`, 1001},
		{"timers", `on("udp", function() after(9, function() end) end)`, 10_001},
	} {
		l := limited(t, row.script, luabind.Options{})
		l.eng.Observe(engine.ObserverFunc(l.observe), nil)
		for range row.packets {
			l.put(build(t, ip4(), udp()))
		}
		st := l.eng.Stats()
		if st.Failures[row.class] == 0 || len(st.Failures) != 1 {
			t.Errorf("%s: failures %v; %.3v", row.class, st.Failures, l.errs)
		}
		for _, h := range st.Handlers {
			if h.Off {
				t.Errorf("%s: %s is switched off", row.class, h.Name)
			}
		}
	}
}
