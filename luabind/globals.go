package luabind

import (
	"fmt"
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// A global is one name of the API that stands by itself: a function, or with value
// a table or number. Together with the layers (headerLayers, packetLayer,
// optionsLayer) the globals are the registry of the API.
type global struct {
	name  string // "send", "log.info"
	sig   string // "(packet: packet, device?: string)", see signature.go; of a value its type
	doc   string // one line
	fn    func(in *instance, L *lua.LState) int
	value func(in *instance) lua.LValue
}

// globals are all of them.
func globals() []global {
	return slices.Concat(handlerGlobals(), packetGlobals(), builderGlobals(), timeGlobals(), taskGlobals(),
		lifecycleGlobals(), optionGlobals(), sharedGlobals(), logGlobals(), deviceGlobals(), byteGlobals(),
		addressGlobals(), jsonGlobals(), eventGlobals())
}

func handlerGlobals() []global {
	return []global{{name: "on", sig: "(fn: handler): handle | (filter: filter, fn: handler): handle | (options: on.options): handle",
		doc: "calls fn for every packet that the filter matches", fn: (*instance).on}}
}

// openGlobals puts the API behind the globals: a script reads it as globals, and
// an assignment to one of its names raises.
func (in *instance) openGlobals() {
	L := in.state.L()
	api := L.CreateTable(0, 40)
	tables := map[string]*lua.LTable{}
	for _, g := range globals() {
		var v lua.LValue
		if g.fn != nil {
			v = L.NewFunction(func(L *lua.LState) int { return g.fn(in, L) })
		} else {
			v = g.value(in)
		}
		if table, name, ok := strings.Cut(g.name, "."); ok {
			if tables[table] == nil {
				tables[table] = L.CreateTable(0, 4)
			}
			tables[table].RawSetString(name, v)
			continue
		}
		api.RawSetString(g.name, v)
	}
	for name, t := range tables {
		api.RawSetString(name, in.state.ReadOnly(t))
	}
	mt := L.CreateTable(0, 3)
	mt.RawSetString("__index", api)
	mt.RawSetString("__metatable", lua.LFalse)
	mt.RawSetString("__newindex", L.NewFunction(func(L *lua.LState) int {
		if name, ok := L.Get(2).(lua.LString); ok && api.RawGetString(string(name)) != lua.LNil {
			return in.state.Raise(L, fmt.Errorf("%q is a name of tunscript: use local, or another name", string(name)))
		}
		L.G.Global.RawSet(L.Get(2), L.Get(3))
		return 0
	}))
	in.openHost(in.script.host["_G"], L.G.Global)
	L.G.Global.Metatable = mt
}

// checkGlobals refuses a host's global that would hide a name of the API.
func checkGlobals(m hostModule) error {
	for _, g := range globals() {
		name, _, _ := strings.Cut(g.name, ".")
		if _, ok := m[name]; ok {
			return fmt.Errorf("module _G: %q is a name of tunscript: give it another", name)
		}
	}
	return nil
}

// checkFunction is argument n of the function name.
func (in *instance) checkFunction(L *lua.LState, n int, name string) *lua.LFunction {
	fn, ok := L.Get(n).(*lua.LFunction)
	if !ok {
		in.state.Raise(L, fmt.Errorf("%s: want a function, got %s", name, describe(L.Get(n))))
	}
	return fn
}

// checkMost refuses more arguments than the function takes.
func (in *instance) checkMost(L *lua.LState, most int, name string) {
	if n := L.GetTop(); n > most {
		in.state.Raise(L, fmt.Errorf("%s: %d arguments, want at most %d", name, n, most))
	}
}
