package luabind

import (
	"errors"
	"fmt"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine"
)

func packetGlobals() []global {
	return []global{
		{name: "send", sig: "(packet: packet, device?: device.name)",
			doc: "sends a packet as it is now, by its way out or by this device", fn: (*instance).send},
		{name: "packet", sig: `(layers: packet.fields): packet | (bytes: string, link?: "eth"): packet`,
			doc: "makes a packet of layers, or parses bytes", fn: (*instance).makePacket},
	}
}

// send sends a snapshot: the script goes on with its own packet.
func (in *instance) send(L *lua.LState) int {
	if !in.scope.Attached() {
		return in.state.Raise(L, errors.New("send: no device is open while the script loads: use on_start, a handler or a timer"))
	}
	in.checkMost(L, 2, "send")
	if _, ok := L.Get(1).(*lua.LUserData); !ok {
		return in.state.Raise(L, fmt.Errorf("send: want a packet, got %s", describe(L.Get(1))))
	}
	ref, k := in.look(L, L.Get(1))
	if k != in.kinds.packet {
		return in.state.Raise(L, fmt.Errorf("send: a layer is no packet: send the packet whose %s it is", k.name))
	}
	in.made(ref.p.Len())
	p := ref.p.Clone()
	if name, ok := L.Get(2).(lua.LString); ok {
		if err := in.scope.SetOut(p, string(name)); err != nil {
			return in.state.Raise(L, fmt.Errorf("send: %w", err))
		}
	} else if L.Get(2) != lua.LNil {
		return in.state.Raise(L, fmt.Errorf("send: want the name of a device, got %s", describe(L.Get(2))))
	}
	if err := in.scope.Send(p); errors.Is(err, engine.ErrNoWayOut) {
		return in.state.Raise(L, errors.New(`send: the packet has no way out: name a device, as in send(p, "tun1"), set p.out, or give its device a forward`))
	} else if err != nil {
		return in.state.Raise(L, fmt.Errorf("send: %w", err))
	}
	return 0
}
