package luabind

import (
	"errors"
	"fmt"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
)

func deviceGlobals() []global {
	return []global{{name: "devices", sig: "table<string, device>",
		doc: "the devices by name, as they are now; read only", value: (*instance).devices}}
}

// A deviceField is one name of devices.NAME.
type deviceField struct {
	typ string
	doc string
	get func(in *instance, d engine.Info) lua.LValue
}

var deviceFields = map[string]deviceField{
	"mtu": {"integer", "largest IP packet in bytes",
		func(in *instance, d engine.Info) lua.LValue { return in.number(float64(d.MTU)) }},
	"mac": {"mac?", "the kernel's Ethernet address; nil on TUN",
		func(in *instance, d engine.Info) lua.LValue { return in.macOf(d, false) }},
	"peer_mac": {"mac?", "the script's Ethernet address; nil on TUN",
		func(in *instance, d engine.Info) lua.LValue { return in.macOf(d, true) }},
	"address": {"string[]", `the kernel's side, such as "192.0.2.1/24"`,
		func(in *instance, d engine.Info) lua.LValue { return textList(in, d.Address) }},
	"peer": {"address[]", "the script's side",
		func(in *instance, d engine.Info) lua.LValue { return textList(in, d.Peer) }},
	"forward": {"string?", "the device that passed packets leave by; nil for nowhere",
		func(in *instance, d engine.Info) lua.LValue {
			if out := in.scope.Way(d.Name); out != "" {
				return lua.LString(out)
			}
			return lua.LNil
		}},
}

func (in *instance) macOf(d engine.Info, peer bool) lua.LValue {
	m := d.MAC
	if peer {
		m = d.PeerMAC
	}
	if d.Link != packet.Ethernet {
		return lua.LNil
	}
	return lua.LString(m.String())
}

func textList[T fmt.Stringer](in *instance, items []T) lua.LValue {
	t := in.state.L().CreateTable(len(items), 0)
	for _, item := range items {
		t.Append(lua.LString(item.String()))
	}
	return t
}

// devices looks its names up when they are read: devices come and go.
func (in *instance) devices() lua.LValue {
	known := map[string]*lua.LTable{}
	return in.readTable("devices", func(name string) (lua.LValue, error) {
		if _, ok := in.scope.Device(name); !ok {
			names := map[string]bool{}
			for _, d := range in.scope.Devices() {
				names[d.Name] = true
			}
			return nil, fmt.Errorf("there is no device %q%s", name, didYouMean(name, names))
		}
		if known[name] == nil {
			known[name] = in.deviceTable(name)
		}
		return known[name], nil
	})
}

func (in *instance) deviceTable(name string) *lua.LTable {
	return in.readTable("devices."+name, func(field string) (lua.LValue, error) {
		d, ok := in.scope.Device(name)
		if !ok {
			return nil, fmt.Errorf("device %q is gone", name)
		}
		f, ok := deviceFields[field]
		if !ok {
			return nil, fmt.Errorf("devices.%s has no %q%s", name, field, didYouMean(field, deviceFields))
		}
		return f.get(in, d), nil
	})
}

// readTable is a table whose names are asked for one by one, and never set.
func (in *instance) readTable(what string, get func(name string) (lua.LValue, error)) *lua.LTable {
	L := in.state.L()
	mt := L.CreateTable(0, 3)
	mt.RawSetString("__metatable", lua.LFalse)
	mt.RawSetString("__index", L.NewFunction(func(L *lua.LState) int {
		name, ok := L.Get(2).(lua.LString)
		if !ok {
			return in.state.Raise(L, fmt.Errorf("%s is read by name, got %s", what, describe(L.Get(2))))
		}
		v, err := get(string(name))
		if err != nil {
			return in.state.Raise(L, err)
		}
		L.Push(v)
		return 1
	}))
	mt.RawSetString("__newindex", L.NewFunction(func(L *lua.LState) int {
		return in.state.Raise(L, errors.New(what+" can only be read"))
	}))
	t := L.CreateTable(0, 0)
	t.Metatable = mt
	return t
}
