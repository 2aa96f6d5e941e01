package luabind

import (
	"errors"
	"fmt"
	"math"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine"
)

func timeGlobals() []global {
	return []global{
		{name: "after", sig: "(seconds: number, fn: function, ...: any): handle",
			doc: "calls fn once, that much later", fn: (*instance).after},
		{name: "every", sig: "(seconds: number, fn: function): handle",
			doc: "calls fn again and again, at this distance", fn: (*instance).every},
		{name: "now", sig: "(): number",
			doc: "the engine's time in seconds since 1970", fn: (*instance).now},
	}
}

// seconds is argument n as a duration.
func (in *instance) seconds(L *lua.LState, n int, name string) time.Duration {
	v, ok := L.Get(n).(lua.LNumber)
	if !ok || math.IsNaN(float64(v)) || v < 0 || v > 1e9 {
		in.state.Raise(L, fmt.Errorf("%s: want seconds from 0 to 1e9, got %s", name, describe(L.Get(n))))
	}
	return time.Duration(math.Round(float64(v) * 1e9))
}

func (in *instance) after(L *lua.LState) int {
	d, fn := in.seconds(L, 1, "after"), in.checkFunction(L, 2, "after")
	var args []lua.LValue
	for i := 3; i <= L.GetTop(); i++ {
		args = append(args, L.Get(i))
	}
	in.checkTimers(L, "after")
	var t *engine.Timer
	t, err := in.scope.After(d, func() {
		in.forgetTimer(t)
		in.call(fn, args...)
	})
	return in.pushTimer(L, "after", t, heldCall{fn, args}, err)
}

func (in *instance) every(L *lua.LState) int {
	d, fn := in.seconds(L, 1, "every"), in.checkFunction(L, 2, "every")
	if d == 0 {
		return in.state.Raise(L, errors.New("every: the period must be more than 0 seconds, as in every(0.1, fn)"))
	}
	in.checkMost(L, 2, "every")
	in.checkTimers(L, "every")
	t, err := in.scope.Every(d, func() { in.call(fn) })
	return in.pushTimer(L, "every", t, heldCall{fn: fn}, err)
}

func (in *instance) pushTimer(L *lua.LState, name string, t *engine.Timer, call heldCall, err error) int {
	if err != nil {
		return in.state.Raise(L, fmt.Errorf("%s: %w", name, err))
	}
	in.held[t] = call
	in.tasks.timers++
	return in.pushHandle(L, func() {
		t.Cancel()
		in.forgetTimer(t)
	})
}

// checkTimers refuses one timer more than there may be.
func (in *instance) checkTimers(L *lua.LState, name string) {
	if most := in.script.opt.timers(); in.tasks.timers >= most {
		in.state.Raise(L, &limitError{"timers", fmt.Sprintf("%s: %d timers are set, and more may not be (limits: timers): cancel some", name, most)})
	}
}

// forgetTimer is told that a timer has run or was cancelled.
func (in *instance) forgetTimer(t *engine.Timer) {
	if _, ok := in.held[t]; ok {
		delete(in.held, t)
		in.tasks.timers--
	}
}

func (in *instance) now(L *lua.LState) int {
	L.Push(lua.LNumber(float64(in.scope.Now().UnixNano()) / 1e9))
	return 1
}
