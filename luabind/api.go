package luabind

import (
	"errors"
	"fmt"
	"math"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
)

// A function is one global of the API.
type function struct {
	name string
	sig  string
	doc  string
	fn   func(in *instance, L *lua.LState) int
}

// functions are the globals of the API but for builders and tables.
func functions() []function {
	return []function{
		{name: "on", sig: "(filter, fn) | (fn) | {filter, run = fn, ...} -> handle",
			doc: "calls fn for every packet that the filter matches", fn: (*instance).on},
		{name: "send", sig: "(packet [, device])",
			doc: "sends a packet as it is now, by its way out or by this device", fn: (*instance).send},
		{name: "after", sig: "(seconds, fn, ...) -> handle",
			doc: "calls fn once, that much later", fn: (*instance).after},
		{name: "every", sig: "(seconds, fn) -> handle",
			doc: "calls fn again and again", fn: (*instance).every},
		{name: "now", sig: "() -> number",
			doc: "the engine's time in seconds since 1970", fn: (*instance).now},
		{name: "stop", sig: "([status])",
			doc: "ends the run, with this exit status", fn: (*instance).stop},
		{name: "on_start", sig: "(fn)", doc: "calls fn when the devices are open", fn: (*instance).onStart},
		{name: "on_stop", sig: "(fn)", doc: "calls fn at the end", fn: (*instance).setOnStop},
		{name: "packet", sig: "{ip = {...}, ...} | (bytes [, \"eth\"]) -> packet",
			doc: "makes a packet of layers, or parses bytes", fn: (*instance).makePacket},
		{name: "hex", sig: "(text) -> string", doc: `the bytes of hexadecimal text: hex"45 00"`, fn: (*instance).hex},
		{name: "tohex", sig: "(s) -> string", doc: "the hexadecimal text of bytes", fn: (*instance).tohex},
		{name: "checksum", sig: "(s) -> number", doc: "the Internet checksum of bytes (RFC 1071)", fn: (*instance).checksum},
	}
}

// openGlobals puts the API behind the globals: a script reads it as globals, and
// an assignment to one of its names raises.
func (in *instance) openGlobals() {
	L := in.state.L()
	api := L.CreateTable(0, 40)
	for _, f := range functions() {
		api.RawSetString(f.name, L.NewFunction(func(L *lua.LState) int { return f.fn(in, L) }))
	}
	for _, name := range builders {
		api.RawSetString(name, L.NewFunction(in.builder(name)))
	}
	api.RawSetString("log", in.logTable())
	api.RawSetString("worker", lua.LNumber(in.scope.Worker()))
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
	L.G.Global.Metatable = mt
}

// logTable is log: one function a level.
func (in *instance) logTable() *lua.LTable {
	L := in.state.L()
	t := L.CreateTable(0, 4)
	for name, level := range map[string]Level{"debug": Debug, "info": Info, "warn": Warn, "error": Error} {
		t.RawSetString(name, L.NewFunction(func(L *lua.LState) int {
			in.log(level, in.join(L, 1))
			return 0
		}))
	}
	return in.state.ReadOnly(t)
}

func (in *instance) send(L *lua.LState) int {
	if !in.scope.Attached() {
		return in.state.Raise(L, errors.New("send: no device is open while the script loads: use on_start, a handler or a timer"))
	}
	ref, k := in.look(L, L.Get(1))
	if k != in.kinds.packet {
		return in.state.Raise(L, fmt.Errorf("send: a layer is no packet: send the packet whose %s it is", k.name))
	}
	// What is sent is the packet as it is now; the script goes on with its own.
	p := ref.p.Clone()
	if name, ok := L.Get(2).(lua.LString); ok {
		if err := in.scope.SetOut(p, string(name)); err != nil {
			return in.state.Raise(L, fmt.Errorf("send: %w", err))
		}
	} else if L.Get(2) != lua.LNil {
		return in.state.Raise(L, fmt.Errorf("send: want the name of a device, got %s", describe(L.Get(2))))
	}
	if err := in.scope.Send(p); err != nil {
		return in.state.Raise(L, fmt.Errorf("send: %w", err))
	}
	return 0
}

// seconds is argument n as a duration.
func (in *instance) seconds(L *lua.LState, n int, name string) time.Duration {
	v, ok := L.Get(n).(lua.LNumber)
	if !ok || math.IsNaN(float64(v)) || v < 0 || v > 1e9 {
		in.state.Raise(L, fmt.Errorf("%s: want seconds from 0 to 1e9, got %s", name, describe(L.Get(n))))
	}
	return time.Duration(math.Round(float64(v) * 1e9))
}

func (in *instance) checkFunction(L *lua.LState, n int, name string) *lua.LFunction {
	fn, ok := L.Get(n).(*lua.LFunction)
	if !ok {
		in.state.Raise(L, fmt.Errorf("%s: want a function, got %s", name, describe(L.Get(n))))
	}
	return fn
}

func (in *instance) after(L *lua.LState) int {
	d, fn := in.seconds(L, 1, "after"), in.checkFunction(L, 2, "after")
	var args []lua.LValue
	for i := 3; i <= L.GetTop(); i++ {
		args = append(args, L.Get(i))
	}
	var t *engine.Timer
	t, err := in.scope.After(d, func() {
		delete(in.held, t)
		in.call(fn, args...)
	})
	return in.pushTimer(L, t, fn, err)
}

func (in *instance) every(L *lua.LState) int {
	d, fn := in.seconds(L, 1, "every"), in.checkFunction(L, 2, "every")
	t, err := in.scope.Every(d, func() { in.call(fn) })
	return in.pushTimer(L, t, fn, err)
}

func (in *instance) pushTimer(L *lua.LState, t *engine.Timer, fn *lua.LFunction, err error) int {
	if err != nil {
		return in.state.Raise(L, err)
	}
	in.held[t] = fn
	return in.pushHandle(L, func() {
		t.Cancel()
		delete(in.held, t)
	})
}

// pushHandle gives Lua something with :cancel().
func (in *instance) pushHandle(L *lua.LState, cancel func()) int {
	if in.handleMeta == nil {
		methods := in.state.L().CreateTable(0, 1)
		methods.RawSetString("cancel", in.state.L().NewFunction(func(L *lua.LState) int {
			ud, _ := L.Get(1).(*lua.LUserData)
			if ud != nil {
				if cancel, ok := ud.Value.(func()); ok {
					cancel()
					return 0
				}
			}
			return in.state.Raise(L, errors.New("cancel: call it with a colon, as in handle:cancel()"))
		}))
		in.handleMeta = in.state.L().CreateTable(0, 2)
		in.handleMeta.RawSetString("__index", in.state.ReadOnly(methods))
		in.handleMeta.RawSetString("__metatable", lua.LFalse)
	}
	L.Push(&lua.LUserData{Value: cancel, Metatable: in.handleMeta})
	return 1
}

func (in *instance) now(L *lua.LState) int {
	L.Push(lua.LNumber(float64(in.scope.Now().UnixNano()) / 1e9))
	return 1
}

func (in *instance) stop(L *lua.LState) int {
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

func (in *instance) onStart(L *lua.LState) int {
	fn := in.checkFunction(L, 1, "on_start")
	key := new(int)
	in.held[key] = fn
	in.scope.Started(func() {
		delete(in.held, key)
		in.call(fn)
	})
	return 0
}

func (in *instance) setOnStop(L *lua.LState) int {
	in.onStop = in.checkFunction(L, 1, "on_stop")
	in.scope.OnStop(func() any {
		in.call(in.onStop)
		return nil
	})
	return 0
}

func (in *instance) checksum(L *lua.LState) int {
	s, ok := L.Get(1).(lua.LString)
	if !ok {
		return in.state.Raise(L, fmt.Errorf("checksum: want a string, got %s", describe(L.Get(1))))
	}
	L.Push(lua.LNumber(packet.Checksum([]byte(s))))
	return 1
}
