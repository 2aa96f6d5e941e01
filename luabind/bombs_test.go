package luabind_test

import (
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/luabind/vm"
)

// What hangs or blows up a plain gopher-lua, as the handler of one packet: it ends
// soon, is counted by its kind, and the next packet is handled as ever. (Package vm
// has all of them; here they stand in the engine.)
func TestBombsAsHandlers(t *testing.T) {
	for _, b := range []struct{ name, body, class string }{
		{"endless loop", `while true do end`, "instructions"},
		{"loop that catches", `while true do pcall(function() while true do end end) end`, "instructions"},
		{"coroutines without end", `while true do coroutine.wrap(function() end)() end`, "instructions"},
		{"recursion", `local function f() return 1 + f() end f()`, "runtime"},
		{"pattern", `return ("a"):rep(1460):find("a*a*b")`, "instructions"},
		{"pattern on the payload", `return p.payload:rep(500):find("(.-)(.-)(.-)x")`, "instructions"},
		{"long string", `return ("x"):rep(1e9)`, "string"},
		{"doubled string", `local s = "x" while true do s = s .. s end`, "string"},
		{"sort", `local t = {} for i = 1, 400000 do t[i] = -i end table.sort(t)`, "instructions"},
		{"nested coroutines", `local function f() return coroutine.wrap(f)() end f()`, "coroutines"},
		{"hoard", `local t = {} while true do t[#t + 1] = ("x"):rep(1000000) .. #t end`, "memory"},
		{"error that is no text", `error(setmetatable({}, { __tostring = function() while true do end end }))`, "instructions"},
	} {
		t.Run(b.name, func(t *testing.T) {
			limits := vm.Limits{Memory: 32 << 20}
			if b.class == "memory" { // the instructions must not run out first
				limits.Instructions = 50_000_000
			}
			l := setup{forward: true, limits: limits, scripts: []string{
				`on("udp", function(p) if p.payload == "bomb" then ` + b.body + ` end end)`}}.start(t)
			l.put(build(t, ip4(), udp(), packet.Payload("before")))
			start := time.Now()
			l.put(build(t, ip4(), udp(), packet.Payload("bomb")))
			took := time.Since(start)
			l.put(build(t, ip4(), udp(), packet.Payload("after")))
			if got := payloads(l.got()); got != "before after" {
				t.Errorf("left %q, want the packets before and after", got)
			}
			got := l.eng.Stats().Failures
			if b.class == "coroutines" && got["runtime"] == 1 { // whichever bound is met first
				b.class = "runtime"
			}
			if got[b.class] != 1 || len(got) != 1 {
				t.Errorf("failures %v, want one of %q", got, b.class)
			}
			if took > time.Second {
				t.Errorf("took %v", took)
			}
			t.Logf("%v %v", got, took.Round(100*time.Microsecond))
		})
	}
}
