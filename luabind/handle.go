package luabind

import (
	"errors"

	lua "github.com/yuin/gopher-lua"
)

// pushHandle gives Lua what on, after and every return: something with :cancel().
func (in *instance) pushHandle(L *lua.LState, cancel func()) int {
	if in.handleMeta == nil {
		in.handleMeta = in.newClass(handleClass())
	}
	L.Push(&lua.LUserData{Value: cancel, Metatable: in.handleMeta})
	return 1
}

// handleClass is what a handle has.
func handleClass() class {
	return class{name: "handle", doc: "what on, after, every, spawn and impair return", methods: map[string]classMethod{
		"cancel": {sig: "()", doc: "ends it: the function is not called again, the task does not go on", fn: cancelHandle},
	}}
}

func cancelHandle(in *instance, L *lua.LState) int {
	if ud, ok := L.Get(1).(*lua.LUserData); ok {
		if cancel, ok := ud.Value.(func()); ok {
			cancel()
			return 0
		}
	}
	return in.state.Raise(L, errors.New("cancel: call it with a colon, as in handle:cancel()"))
}
