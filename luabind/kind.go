package luabind

import (
	"fmt"
	"maps"
	"slices"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine/packet"
)

// maxKinds is how many kinds of layers there are.
const maxKinds = 12

// A kind is a layer in one Lua state: its metatable, and what its names mean.
type kind struct {
	*layer
	index   int
	meta    *lua.LTable
	members members
	order   []string // of its fields where several are set at once
}

// kinds are all layers of a state.
type kinds struct {
	packet  *kind
	options *kind
	all     []*kind
}

// kindOf is the kind of the header layer of that name, or nil.
func (in *instance) kindOf(name string) *kind { return in.kinds.packet.members.get(name).layer }

func (in *instance) openKinds() {
	in.kinds.packet = in.newKind(packetLayer())
	for _, l := range headerLayers() {
		in.kinds.packet.contain(in.newKind(l))
	}
	in.kinds.options = in.newKind(optionsLayer())
	in.kindOf("tcp").contain(in.kinds.options)
}

// contain makes sub a layer of k.
func (k *kind) contain(sub *kind) {
	k.members.at(sub.name).layer = sub
}

// headerLayers are the layers of a packet, as p.NAME.
func headerLayers() []*layer {
	layers := []*layer{
		ethLayer(), vlanLayer(), arpLayer(),
		ipLayer("ip", "IP header of either version", 0),
		ipLayer("ip4", "IPv4 header (RFC 791)", 4),
		ipLayer("ip6", "IPv6 header (RFC 8200)", 6),
		icmpLayer(), icmp6Layer(), tcpLayer(), udpLayer(),
	}
	for _, l := range layers {
		l.withRaw()
	}
	return layers
}

func (in *instance) newKind(l *layer) *kind {
	L := in.state.L()
	k := &kind{layer: l, index: len(in.kinds.all), order: settingOrder(l)}
	in.kinds.all = append(in.kinds.all, k)
	for name, f := range l.fields {
		k.members.at(name).field = f
	}
	for name, m := range l.methods {
		k.members.at(name).fn = L.NewFunction(func(L *lua.LState) int {
			return m.fn(in, L, in.self(L, k, name))
		})
	}
	k.meta = L.CreateTable(0, 6)
	k.meta.RawSetString("__index", L.NewFunction(in.index))
	k.meta.RawSetString("__newindex", L.NewFunction(in.newIndex))
	k.meta.RawSetString("__metatable", lua.LFalse)
	k.meta.RawSetString("__tostring", L.NewFunction(in.tostring))
	k.meta.RawSetString("__eq", L.NewFunction(in.equal))
	k.meta.RawSetString("__div", L.NewFunction(in.stack))
	k.meta.RawSetString("__concat", L.NewFunction(in.concat))
	return k
}

// self is the packet that a method of k is called on.
func (in *instance) self(L *lua.LState, k *kind, method string) *packet.Packet {
	ref, got := in.look(L, L.Get(1))
	if got != k {
		in.state.Raise(L, fmt.Errorf("%s is called on %s, want %s: call it with a colon, as in %s:%s()", method, got.path(), k.path(), k.path(), method))
	}
	return ref.p
}

// path is how a script names a packet or layer.
func (k *kind) path() string {
	switch k.name {
	case "packet":
		return "p"
	case "options":
		return "p.tcp.options"
	}
	return "p." + k.name
}

// example is one of the layer's fields that can be set, for a message.
func (k *kind) example() string {
	for _, name := range slices.Sorted(maps.Keys(k.fields)) {
		if k.fields[name].set != nil {
			return name
		}
	}
	return ""
}

// unknown is the error about a name that k has not.
func (k *kind) unknown(key lua.LValue) error {
	name, ok := key.(lua.LString)
	if !ok {
		return fmt.Errorf("%s has fields with names only, got %s", k.name, describe(key))
	}
	return fmt.Errorf("%s has no %q%s", k.name, string(name), suggest(string(name), k.members.names()))
}

// ownMeta is a metatable for one userdata that is used again and again. Methods
// stand in a table there: gopher-lua takes p:reply out of a table as it is, but
// makes a string, on the heap, to ask a function for it. What the table has not
// goes to a function that knows the userdata, for it is given the table.
func (in *instance) ownMeta(ud *lua.LUserData, k *kind) *lua.LTable {
	L := in.state.L()
	methods := L.CreateTable(0, len(k.methods))
	for name := range k.methods {
		methods.RawSetString(name, k.members.get(name).fn)
	}
	rest := L.CreateTable(0, 1)
	rest.RawSetString("__index", L.NewFunction(func(L *lua.LState) int {
		ref, k := in.look(L, ud)
		return in.field(L, ref, k, L.Get(2))
	}))
	methods.Metatable = rest
	meta := L.CreateTable(0, 8)
	k.meta.ForEach(func(key, v lua.LValue) { meta.RawSet(key, v) })
	meta.RawSetString("__index", methods)
	return meta
}
