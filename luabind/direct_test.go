package luabind

import (
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/luabind/vm"
)

// DirectHandlers are those that are asked without Lua, and the same said so that Lua is asked.
var DirectHandlers = []struct{ Source, Roundabout string }{
	{`function(p) return p:reply() end`, `function(p) local r = p:reply() return r end`},
	{`function(p) return p:rst() end`, `function(p) local r = p:rst() return r end`},
	{`function(p) return p:ttl_exceeded() end`, `function(p) local r = p:ttl_exceeded() return r end`},
	{`function(p) return p:unreachable("port") end`, `function(p) local r = p:unreachable("port") return r end`},
	{`function(p) return p:unreachable("admin") end`, `function(p) local r = p:unreachable("admin") return r end`},
	{`function() end`, `function() local v v = v return v end`},
	{`function(p) return end`, `function(p) local v v = v return v end`},
	{`function(p) return nil end`, `function(p) local v v = v return v end`},
	{`function(p) return false end`, `function(p) local v = p == nil return v end`},
	{`function(p) return "pass" end`, `function(p) local v = "pass" v = v return v end`},
	{`function(p) return "accept", nil end`, `function(p) local v = "accept" v = v return v end`},
	{`function(p) return "drop" end`, `function(p) local v = "drop" v = v return v end`},
	{`function() return "drop", "telnet" end`, `function() local v = "telnet" v = v return "drop", v end`},
}

// What might raise, what looks at the packet, and what is no constant is Lua's.
var inDirectHandlers = []string{
	`function(p) p:reply() end`,
	`function(p) return p end`,
	`function(p) return p.ip end`,
	`function(p, q) return q:reply() end`,
	`function(...) return ... end`,
	`function(p) return p:reply{ ip = { ttl = 3 } } end`,
	`function(p) return p:reply(), nil end`,
	`function(p) return p:reply(1) end`,
	`function(p) return p:rply() end`,
	`function(p) return p:copy() end`,
	`function(p) return p:show() end`,
	`function(p) return p:unreachable() end`,
	`function(p) return p:unreachable("ports") end`,
	`function(p) return p:unreachable("fragmentation", 1400) end`,
	`function(p) return p:reply():reply() end`,
	`function(p) if p then return "drop" end end`,
	`function(p) return true end`,
	`function(p) return "dorp" end`,
	`function(p) return 1 end`,
	`function(p) return "drop", 1 end`,
	`function(p) return "drop", "a", "b" end`,
	`function(p) return kept end`,
	`function(p) return not p end`,
	`function(p) return {} end`,
	`function(p) return f("drop") end`,
}

func TestWhichHandlersAreDirect(t *testing.T) {
	in := &instance{drops: map[lua.LString]engine.Verdict{}}
	for _, h := range DirectHandlers {
		if in.direct(compileFunction(t, h.Source)) == nil {
			t.Errorf("asks Lua: %s", h.Source)
		}
		if in.direct(compileFunction(t, h.Roundabout)) != nil {
			t.Errorf("does not ask Lua: %s", h.Roundabout)
		}
	}
	for _, source := range inDirectHandlers {
		if in.direct(compileFunction(t, source)) != nil {
			t.Errorf("does not ask Lua: %s", source)
		}
	}
}

// A script out of service is so for these handlers, too.
func TestDirectHandlersOutOfService(t *testing.T) {
	in := &instance{broken: &vm.Error{Message: "out of service"}}
	run := in.unlessBroken(func(*packet.Packet) engine.Verdict { return engine.Accept() })
	if v := run(nil); v != engine.Fail(in.broken) {
		t.Errorf("got %v", v)
	}
}
