package luabind

import (
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/luabind/vm"
)

// compileFunction is the function that a source "function(p) ... end" makes, with
// the variables around it that the cases below use.
func compileFunction(t testing.TB, source string) *lua.LFunction {
	t.Helper()
	chunk, err := vm.Compile("case.lua", `
local kept, list, object = nil, {}, setmetatable({}, {})
local function f(...) return ... end
return `+source, vm.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	state, err := vm.New(vm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	values, err := state.Run(chunk)
	if err != nil {
		t.Fatal(err)
	}
	return values[0].(*lua.LFunction)
}

// What looks at its packet, changes, answers or returns it keeps nothing.
var harmless = []string{
	`function() return "drop" end`,
	`function(p) end`,
	`function(p) return p end`,
	`function(p) return "drop", "because" end`,
	`function(p) return p:reply() end`,
	`function(p) local r = p:reply() r.payload = p.payload:upper():gsub("\n", "!\n") return r end`,
	`function(p) local r = p:reply{ tcp = { flags = "SA", seq = 7 } } r.ip.ttl = 3 return r end`,
	`function(p) return p:copy{ ip = { ttl = 1 } }:reply() end`,
	`function(p) if p.ip.dst == "192.0.2.9" then return "drop" end end`,
	`function(p) p.ip.ttl = p.ip.ttl - 1 end`,
	`function(p) local ip, tcp = p.ip, p.tcp if tcp and tcp:has("S") then ip.ttl = 9 end end`,
	`function(p) local l = p.tcp or p.udp if l then l.dport = 80 end end`,
	`function(p) local o = p.tcp.options o.mss = math.min(o.mss or 536, 1200) end`,
	`function(p) kept = p.ip.src list[1] = p.tcp.dport list[p.ip.src] = p.len end`,
	`function(p) kept = p.payload .. p.ip.src end`,
	`function(p) local n = 0 for i = 0, 9 do n = n + p:u8(i) end kept = n end`,
	`function(p) for k, v in pairs(list) do if p.ip.src == k then return "drop" end end end`,
	`function(p) local s = p.ip.src after(1, function() kept = s end) end`,
	`function(p) while p.ip.ttl > 3 do p.ip.ttl = p.ip.ttl - 1 end return "accept" end`,
	`function(p) local same = p == p and p ~= nil kept = not p or same end`,
	`function(p) local t = { p.ip.src, p.ip.dst, n = p.len } list = t end`,
	`function(p) f(p.ip.src, p.tcp.sport, p:u16(0)) end`,
	`function(p) local q = p q.ip.ttl = 4 p = nil return q end`,
	`function(p) p = 1 kept = p end`,
	`function(p) local r = p:reply() r = r.len kept = r end`,
	`function(p) p.out = f("tun1") end`,
	`function(p) for i = 1, 3 do local n = p.len f(function() return n end) local q = p.ip kept = q.ttl end end`,
	`function(p) if p:valid() then kept = p:bytes(0, 4) end end`,
}

// What stores it, or hands it to code that might, keeps it.
var keeping = []string{
	// Variables outside, and tables.
	`function(p) kept = p end`,
	`function(p) g = p end`,
	`function(p) list[1] = p end`,
	`function(p) list.last = p.tcp end`,
	`function(p) list[p] = true end`,
	`function(p) list = { p } end`,
	`function(p) list = { a = { b = p } } end`,
	`function(p) list = { 1, 2, p.ip } end`,
	`function(p) list = { p:reply() } end`,
	`function(p) return { p, p:copy() } end`,
	`function(p) local x = p.ip kept = x end`,
	`function(p) kept = p.tcp.options end`,
	`function(p) kept = p[f("ip")] end`,
	`function(p) kept = p:reply() end`,
	`function(p) local r = p:reply() kept = r.ip end`,
	`function(p) kept = p:copy():reply{} end`,
	// By ways around.
	`function(p) local a, b = 1, p a, b = b, a kept = a end`,
	`function(p) kept = p and p or nil end`,
	`function(p) kept = false or p end`,
	`function(p) local x = kept or p kept = x end`,
	`function(p) local x = p.len > 9 and p.ip x = x or 3 kept = x end`,
	`function(p) local x for i = 1, 2 do kept = x x = p end end`,
	`function(p) local a, b, c for i = 1, 4 do c, b, a = b, a, p kept = c end end`,
	`function(p) local x while f() do list[1] = x x = p.udp end end`,
	`function(p) local x repeat local y = x x = p kept = y until f() end`,
	`function(p) local x if f() then x = 1 else x = p end kept = x end`,
	// Calls.
	`function(p) f(p) end`,
	`function(p) return f(p) end`,
	`function(p) return (f(p)) end`,
	`function(p) f(1, 2, p.tcp) end`,
	`function(p) f(p:reply()) end`,
	`function(p) f(1, p:copy()) end`,
	`function(p) send(p) end`,
	`function(p) object:take(p) end`,
	`function(p) p:reply(p) end`,
	`function(p) p.reply(p) end`,
	`function(p) local m = p.reply kept = m(p) end`,
	`function(p) pcall(f, p) end`,
	`function(p) error(p) end`,
	`function(p) kept = tostring(p) end`,
	`function(p) p.payload:gsub("x", p) end`,
	`function(p) for x in f, p do kept = x end end`,
	`function(p) for x in p do kept = x end end`,
	`function(p) for x in f, nil, p.ip do kept = x end end`,
	`function(p) for i = 1, f(p) do end end`,
	`function(p) local q = p:copy() list:insert(q) end`,
	`function(p) (f or p)(p) end`,
	// Closures, whenever they were made.
	`function(p) kept = function() return p end end`,
	`function(p) local t = p.tcp kept = function() return t.seq end end`,
	`function(p) local x local g = function() return x end x = p kept = g end`,
	`function(p) local x kept = function() return x end x = p:reply() end`,
	`function(p) local x for i = 1, 2 do if i == 1 then kept = function() return x end else x = p end end end`,
	`function(p) for i = 1, 2 do local x kept = function() return x end x = p.ip end end`,
	`function(p) pcall(function() p.ip.ttl = 1 end) end`,
	`function(p) coroutine.wrap(function() kept = p end)() end`,
	`function(p) kept = function() return function() return p end end end`,
	`function(p) local function g() p = nil end g() return p end`,
	`function(p) local x, y = 1, function() return p end kept = y end`,
	// Metamethods of the other side.
	`function(p) return object[p] end`,
	`function(p) object[p] = 1 end`,
	`function(p) local x = object + p end`,
	`function(p) local x = p - object end`,
	`function(p) local x = p * object end`,
	`function(p) local x = object / p.ip end`,
	`function(p) local x = object % p end`,
	`function(p) local x = object ^ p end`,
	`function(p) local x = object .. p end`,
	`function(p) local x = p .. object end`,
	`function(p) local x = #p end`,
	`function(p) local x = ip{dst = "192.0.2.1"} / p end`,
	// Arguments beyond the first.
	`function(...) kept = ... end`,
	`function(...) local p = ... kept = p end`,
	`function(p, ...) return p end`,
	`function(...) list = {...} end`,
	`function(...) return select(1, ...) end`,
	// More names than an instruction can name.
	manyConstants(`kept = p.ip`),
	manyConstants(`kept = p:reply()`),
}

// manyConstants is a function whose later constants are not in an instruction.
func manyConstants(last string) string {
	src := "function(p) local x = 0 "
	for i := range 300 {
		src += "x = x + 0." + string(rune('1'+i%9)) + string(rune('0'+i/10%10)) + string(rune('0'+i/100)) + string(rune('0'+i%10)) + "1 "
	}
	return src + last + " end"
}

func TestWhatAHandlerMayKeep(t *testing.T) {
	for _, source := range harmless {
		if keeps(compileFunction(t, source).Proto) {
			t.Errorf("keeps nothing, and is said to keep:\n%s", source)
		}
	}
	for _, source := range keeping {
		if !keeps(compileFunction(t, source).Proto) {
			t.Errorf("keeps its packet, and is said to keep nothing:\n%.200s", source)
		}
	}
}

// Every instruction is understood: what no version known to us has is a yes.
func TestUnknownInstructionsKeep(t *testing.T) {
	proto := &lua.FunctionProto{NumParameters: 1, Code: []uint32{63 << 26, uint32(lua.OP_RETURN) << 26}}
	if !keeps(proto) {
		t.Error("an unknown instruction is taken for harmless")
	}
}
