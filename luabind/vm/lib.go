package vm

import (
	"maps"
	"slices"

	lua "github.com/yuin/gopher-lua"
)

// openLibrary fills the globals. A locked-down state has what this package
// implements; a trusted one has gopher-lua's libraries underneath.
func (s *State) openLibrary() {
	L := s.l
	if s.opt.Trusted {
		L.OpenLibs()
		for _, name := range []string{"_GOPHER_LUA_VERSION", "_printregs", "channel"} {
			L.G.Global.RawSetString(name, lua.LNil)
		}
	}
	g := L.G.Global
	g.RawSetString("_G", g)
	g.RawSetString("_VERSION", lua.LString("Lua 5.1"))
	for name, fn := range s.baseLib() {
		g.RawSetString(name, L.NewFunction(fn))
	}
	g.RawSetString("pcall", s.fnPcall)
	s.fnNext = g.RawGetString("next").(*lua.LFunction)
	s.fnIpairs = L.NewFunction(s.ipairsNext)

	s.library("bit", bitLib())
	s.library("bit32", bit32Lib())
	s.library("coroutine", s.coroutineLib())
	s.library("table", s.tableLib())
	s.library("math", s.mathLib())
	s.library("os", s.osLib())
	str := s.library("string", s.stringLib())
	if !s.opt.Trusted {
		str = s.locked[str]
	}
	all := s.Shown(str)
	all.RawSetString("gfind", all.RawGetString("gmatch")) // its name in Lua 5.0

	// Methods of strings. The table that getmetatable shows is not this one.
	shown := L.CreateTable(0, 1)
	shown.RawSetString("__index", g.RawGetString("string"))
	mt := L.CreateTable(0, 2)
	mt.RawSetString("__index", str)
	if s.opt.Trusted {
		mt = shown
	} else {
		mt.RawSetString("__metatable", s.ReadOnly(shown))
	}
	L.SetMetatable(lua.LString(""), mt)
	s.openMath()
}

// library makes the global table name, or in a trusted state adds to it, and is
// that global.
func (s *State) library(name string, funcs map[string]lua.LGFunction) *lua.LTable {
	t, ok := s.l.G.Global.RawGetString(name).(*lua.LTable)
	if !ok {
		t = s.l.CreateTable(0, len(funcs))
	}
	for _, fname := range slices.Sorted(maps.Keys(funcs)) {
		t.RawSetString(fname, s.l.NewFunction(funcs[fname]))
	}
	if !s.opt.Trusted {
		t = s.ReadOnly(t)
	}
	s.l.G.Global.RawSetString(name, t)
	return t
}

// ReadOnly is a table that reads as t does and refuses every write, rawset and
// setmetatable included. pairs and next show what is in t. Later changes of t show.
func (s *State) ReadOnly(t *lua.LTable) *lua.LTable {
	ro := s.l.CreateTable(0, 0)
	mt := s.l.CreateTable(0, 3)
	mt.RawSetString("__index", t)
	mt.RawSetString("__metatable", lua.LFalse)
	mt.RawSetString("__newindex", s.fnReadOnly())
	ro.Metatable = mt
	if s.locked == nil {
		s.locked = map[*lua.LTable]*lua.LTable{}
	}
	s.locked[ro] = t
	return ro
}

// fnReadOnly is the function that refuses a write, one for all.
func (s *State) fnReadOnly() *lua.LFunction {
	if s.fnRefuse == nil {
		s.fnRefuse = s.l.NewFunction(func(L *lua.LState) int {
			key := L.Get(2)
			if isText(key) {
				raise(L, "attempt to change a read-only table (field '%s')", clip(text(key)))
			}
			raise(L, "attempt to change a read-only table")
			return 0
		})
	}
	return s.fnRefuse
}

// writable raises if t, argument n, is read-only.
func (s *State) writable(L *lua.LState, t *lua.LTable) *lua.LTable {
	if _, ok := s.locked[t]; ok {
		raise(L, "attempt to change a read-only table")
	}
	return t
}

// Shown is what to read in place of t: what is behind it if it is read-only.
func (s *State) Shown(t *lua.LTable) *lua.LTable {
	if r, ok := s.locked[t]; ok {
		return r
	}
	return t
}
