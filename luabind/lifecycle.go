package luabind

import (
	"errors"
	"fmt"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/luabind/vm"
)

func lifecycleGlobals() []global {
	return []global{
		{name: "on_start", sig: "(fn: fun())", doc: "calls fn when the devices are open", fn: (*instance).onStart},
		{name: "on_stop", sig: "(fn: fun(): table?)",
			doc: "calls fn at the end; what it returns, as data, on_reload of the script that comes in its place gets", fn: (*instance).onStop},
		{name: "on_reload", sig: "(fn: fun(state: any))",
			doc: "calls fn when the script takes another's place, with what that one's on_stop returned", fn: (*instance).onReload},
		{name: "stop", sig: "(status?: integer)", doc: "ends the run, with this exit status", fn: (*instance).stop},
		{name: "worker", sig: "integer", doc: "this worker's number, from 1",
			value: func(in *instance) lua.LValue { return lua.LNumber(in.scope.Worker()) }},
	}
}

func (in *instance) onStart(L *lua.LState) int {
	fn := in.checkFunction(L, 1, "on_start")
	key := new(int)
	in.held[key] = heldCall{fn: fn}
	in.scope.Started(func() {
		delete(in.held, key)
		in.call(fn)
	})
	return 0
}

// The functions of on_stop and on_reload, as keys of held: a script has one each.
type (
	stopKey   struct{}
	reloadKey struct{}
)

// once is argument 1 of a function that a script calls once, kept under key.
func (in *instance) once(L *lua.LState, key any, name string) *lua.LFunction {
	fn := in.checkFunction(L, 1, name)
	if _, again := in.held[key]; again {
		in.state.Raise(L, fmt.Errorf("%s: the script has called it before: do both in one function", name))
	}
	in.held[key] = heldCall{fn: fn}
	return fn
}

func (in *instance) onStop(L *lua.LState) int {
	fn := in.once(L, stopKey{}, "on_stop")
	line := in.line(L)
	in.scope.OnStop(func() any {
		values, ok := in.call(fn)
		if !ok || len(values) == 0 {
			return nil
		}
		data, err := toData(values[0])
		if err != nil {
			in.scope.Fail(&vm.Error{Reason: vm.Runtime, Script: in.script.name, Line: line, Message: "on_stop: " + err.Error(), Cause: err})
			return nil
		}
		return data
	})
	return 0
}

func (in *instance) onReload(L *lua.LState) int {
	fn := in.once(L, reloadKey{}, "on_reload")
	in.scope.OnReload(func(old any) {
		v, err := in.fromData(old)
		if err != nil {
			in.scope.Fail(fmt.Errorf("on_reload: %w", err))
			return
		}
		in.call(fn, v)
	})
	return 0
}

func (in *instance) stop(L *lua.LState) int {
	if !in.scope.Attached() {
		return in.state.Raise(L, errors.New("stop: nothing runs while the script loads: use on_start, a handler or a timer"))
	}
	status := 0
	if v := L.Get(1); v != lua.LNil {
		n, err := whole(v, 255)
		if err != nil {
			return in.state.Raise(L, fmt.Errorf("stop: the status %w", err))
		}
		status = int(n)
	}
	in.scope.Stop(status)
	return 0
}
