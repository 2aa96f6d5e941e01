package luabind

import (
	"fmt"
	"slices"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine"
)

// An event is what a task waits for and something else of the script sets: a handler, a
// timer, another task. It is how modules in Lua make tasks wait for more than packets.
type event struct {
	set     bool // and nobody has waited since
	waiting []*eventWait
}

// An eventWait is a task in ev:wait.
type eventWait struct {
	t     *task
	timer *engine.Timer // of its timeout, or when it is set, of its going on
}

func eventGlobals() []global {
	return []global{{name: "event", sig: "(): event", doc: "something that a task waits for and anybody sets", fn: (*instance).newEvent}}
}

func eventClass() class {
	return class{name: "event", doc: "what event returns", methods: map[string]classMethod{
		"wait": {"(timeout?: number): boolean", "the task waits until it is set, or has been since the last wait; false when the time is over", (*instance).waitEvent},
		"set":  {"()", "lets all tasks that wait go on, after the packets that wait; without one the next wait returns at once", (*instance).setEvent},
	}}
}

func (in *instance) newEvent(L *lua.LState) int {
	if in.eventMeta == nil {
		in.eventMeta = in.newClass(eventClass())
	}
	L.Push(&lua.LUserData{Value: new(event), Metatable: in.eventMeta})
	return 1
}

func (in *instance) checkEvent(L *lua.LState, name string) *event {
	if ud, ok := L.Get(1).(*lua.LUserData); ok {
		if ev, ok := ud.Value.(*event); ok {
			return ev
		}
	}
	in.state.Raise(L, fmt.Errorf("%s: call it with a colon, as in ev:%s()", name, name))
	return nil
}

func (in *instance) waitEvent(L *lua.LState) int {
	ev := in.checkEvent(L, "wait")
	t := in.current(L)
	timeout := in.timeout(L, 2, "wait")
	if ev.set {
		ev.set = false
		L.Push(lua.LTrue)
		return 1
	}
	w := &eventWait{t: t}
	leave := func() {
		w.timer.Cancel()
		ev.waiting = slices.DeleteFunc(ev.waiting, func(o *eventWait) bool { return o == w })
	}
	if timeout != 0 {
		var err error
		w.timer, err = in.scope.After(timeout, func() {
			leave()
			t.resume(lua.LFalse)
		})
		if err != nil {
			return in.state.Raise(L, fmt.Errorf("wait: %w", err))
		}
	}
	ev.waiting = append(ev.waiting, w)
	return t.wait(L, leave)
}

// setEvent lets the tasks go on by timers that are due: who sets is in the middle of
// something, and a chain of tasks that wake each other must not nest.
func (in *instance) setEvent(L *lua.LState) int {
	ev := in.checkEvent(L, "set")
	if len(ev.waiting) == 0 {
		ev.set = true
		return 0
	}
	for _, w := range ev.waiting {
		w.timer.Cancel()
		timer, err := in.scope.After(0, func() { w.t.resume(lua.LTrue) })
		if err != nil {
			return in.state.Raise(L, fmt.Errorf("set: %w", err))
		}
		w.timer = timer
		w.t.release = timer.Cancel
	}
	ev.waiting = nil
	return 0
}
