package luabind

import lua "github.com/yuin/gopher-lua"

// A class is a kind of value of the API that is no packet and no layer: what its
// methods are, and what they mean.
type class struct {
	name    string // of LuaLS: "handle"
	doc     string
	methods map[string]classMethod
}

// A classMethod is one name of a class: h:cancel().
type classMethod struct {
	sig string // without the receiver: "()"
	doc string
	fn  func(in *instance, L *lua.LState) int // argument 1 is the receiver
}

// classes are all of them.
func classes() []class {
	return []class{handleClass()}
}

// newClass is the metatable of userdata of class c.
func (in *instance) newClass(c class) *lua.LTable {
	L := in.state.L()
	methods := L.CreateTable(0, len(c.methods))
	for name, m := range c.methods {
		methods.RawSetString(name, L.NewFunction(func(L *lua.LState) int { return m.fn(in, L) }))
	}
	meta := L.CreateTable(0, 2)
	meta.RawSetString("__index", in.state.ReadOnly(methods))
	meta.RawSetString("__metatable", lua.LFalse)
	return meta
}
