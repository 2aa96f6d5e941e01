package luabind

import (
	"errors"

	lua "github.com/yuin/gopher-lua"
)

// pushHandle gives Lua what on, after and every return: something with :cancel().
func (in *instance) pushHandle(L *lua.LState, cancel func()) int {
	if in.handleMeta == nil {
		in.handleMeta = in.newHandleMeta()
	}
	L.Push(&lua.LUserData{Value: cancel, Metatable: in.handleMeta})
	return 1
}

func (in *instance) newHandleMeta() *lua.LTable {
	L := in.state.L()
	methods := L.CreateTable(0, 1)
	methods.RawSetString("cancel", L.NewFunction(func(L *lua.LState) int {
		if ud, ok := L.Get(1).(*lua.LUserData); ok {
			if cancel, ok := ud.Value.(func()); ok {
				cancel()
				return 0
			}
		}
		return in.state.Raise(L, errors.New("cancel: call it with a colon, as in handle:cancel()"))
	}))
	meta := L.CreateTable(0, 2)
	meta.RawSetString("__index", in.state.ReadOnly(methods))
	meta.RawSetString("__metatable", lua.LFalse)
	return meta
}
