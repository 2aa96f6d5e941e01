package luabind

import (
	"fmt"

	lua "github.com/yuin/gopher-lua"
)

// A class is a kind of value of the API that is no packet and no layer: what its
// methods are, and what they mean.
type class struct {
	name    string // of LuaLS: "handle"
	doc     string
	open    bool // the script keeps names of its own in it
	fields  map[string]classField
	methods map[string]classMethod
}

// A classField is one name of a class that is read: f.dir.
type classField struct{ typ, doc string }

// A classMethod is one name of a class: h:cancel().
type classMethod struct {
	sig string // without the receiver: "()"
	doc string
	fn  func(in *instance, L *lua.LState) int // argument 1 is the receiver
}

// classes are all of them.
func classes() []class {
	return []class{handleClass(), dictionaryClass(), networkClass(), flowClass(), inboxClass(), testClass(), eventClass()}
}

// newClass is the metatable of userdata of class c.
func (in *instance) newClass(c class) *lua.LTable {
	L := in.state.L()
	methods := L.CreateTable(0, len(c.methods))
	for name, m := range c.methods {
		methods.RawSetString(name, L.NewFunction(func(L *lua.LState) int { return m.fn(in, L) }))
	}
	unknown := L.CreateTable(0, 1)
	unknown.RawSetString("__index", L.NewFunction(func(L *lua.LState) int {
		name, _ := L.Get(2).(lua.LString)
		return in.state.Raise(L, fmt.Errorf("%s has no %q%s", c.name, clip(string(name)), didYouMean(string(name), c.methods)))
	}))
	methods.Metatable = unknown
	meta := L.CreateTable(0, 2)
	meta.RawSetString("__index", in.state.ReadOnly(methods))
	meta.RawSetString("__metatable", lua.LFalse)
	return meta
}
