package luabind

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine/packet"
)

// look finds what the userdata v is: its packet and kind. It raises where v is
// neither or the packet is gone.
func (in *instance) look(L *lua.LState, v lua.LValue) (*packetRef, *kind) {
	ud, ok := v.(*lua.LUserData)
	if !ok {
		return in.lookFailed(L, v)
	}
	switch x := ud.Value.(type) {
	case *packetRef:
		if x.p == nil {
			in.mustSettle(L, x)
		}
		return x, in.kinds.packet
	case *layerRef:
		if x.of.p == nil {
			in.mustSettle(L, x.of)
		}
		if !x.kind.has(x.of.p) {
			in.state.Raise(L, fmt.Errorf("the packet has no %s any more", x.kind.name))
		}
		return x.of, x.kind
	}
	return in.lookFailed(L, v)
}

func (in *instance) lookFailed(L *lua.LState, v lua.LValue) (*packetRef, *kind) {
	in.state.Raise(L, fmt.Errorf("want a packet or one of its layers, got %s", describe(v)))
	return nil, nil
}

func (in *instance) mustSettle(L *lua.LState, ref *packetRef) {
	if err := in.settle(ref); err != nil {
		in.state.Raise(L, err)
	}
}

// index is __index of packets and layers.
func (in *instance) index(L *lua.LState) int {
	ref, k := in.look(L, L.Get(1))
	return in.field(L, ref, k, L.Get(2))
}

// field reads one name of a packet or layer.
func (in *instance) field(L *lua.LState, ref *packetRef, k *kind, key lua.LValue) int {
	name, ok := key.(lua.LString)
	if !ok {
		return in.numbered(L, ref, k, key)
	}
	m := k.members.get(string(name))
	switch {
	case m.layer != nil:
		if m.layer.has(ref.p) {
			L.Push(in.layerOf(ref, m.layer))
		} else {
			L.Push(lua.LNil)
		}
	case m.field != nil:
		L.Push(m.field.get(in, ref.p))
	case m.fn != nil:
		L.Push(m.fn)
	default:
		return in.state.Raise(L, k.unknown(key))
	}
	return 1
}

// numbered reads a TCP option by its number, the only key that is no name.
func (in *instance) numbered(L *lua.LState, ref *packetRef, k *kind, key lua.LValue) int {
	n, ok := key.(lua.LNumber)
	if !ok || k != in.kinds.options {
		return in.state.Raise(L, k.unknown(key))
	}
	v, err := in.rawOption(ref.p, n, nil)
	if err != nil {
		return in.state.Raise(L, err)
	}
	L.Push(v)
	return 1
}

// newIndex is __newindex of packets and layers.
func (in *instance) newIndex(L *lua.LState) int {
	ref, k := in.look(L, L.Get(1))
	if ref.p.Len() == 0 {
		return in.state.Raise(L, fmt.Errorf("the packet is empty, as no answer may be given (%s): it has nothing to set", ref.p.Why()))
	}
	if err := in.setField(ref.p, k, L.Get(2), L.Get(3)); err != nil {
		return in.state.Raise(L, err)
	}
	return 0
}

// setField is p.tcp.dport = v.
func (in *instance) setField(p *packet.Packet, k *kind, key, v lua.LValue) error {
	name, ok := key.(lua.LString)
	if !ok {
		if n, ok := key.(lua.LNumber); ok && k == in.kinds.options {
			_, err := in.rawOption(p, n, v)
			return err
		}
		return k.unknown(key)
	}
	in.state.Work(p.Len() / lookedAt) // what follows the field may move, and sums be taken
	if s, ok := v.(lua.LString); ok && len(s) > 256 && name != "payload" {
		in.state.Work(8 * len(s)) // to say that it is nothing of the kind
	}
	m := k.members.get(string(name))
	f := m.field
	switch {
	case f == nil:
		return in.assign(p, k, m, string(name), v)
	case v == lua.LNil && f.clear != nil:
		f.clear(p)
		return nil
	case f.set == nil:
		return fmt.Errorf("%s.%s can only be read", k.name, name)
	}
	if err := f.set(in, p, v); err != nil {
		return about(k.name+"."+string(name), err)
	}
	return nil
}

// assign is p.vlan = v, for a name that is no field.
func (in *instance) assign(p *packet.Packet, k *kind, m *member, name string, v lua.LValue) error {
	switch sub := m.layer; {
	case sub == nil && m.fn != nil:
		return fmt.Errorf("%s.%s is a method: it is called, not set", k.name, name)
	case sub == nil:
		return k.unknown(lua.LString(name))
	case sub.assign != nil:
		return sub.assign(in, p, sub, v)
	case !sub.has(p):
		return fmt.Errorf("the packet has no %s, and layers cannot be added: build another packet, as in ip{...}/%s{...}", name, name)
	default:
		return fmt.Errorf("%s is a layer: set its fields, as in %s.%s = v", sub.path(), sub.path(), sub.example())
	}
}

// about is an error with what it is about before it: "tcp.dport is 70000, ...", but
// "tcp.dport: want a number".
func about(what string, err error) error {
	if fe, ok := errors.AsType[*packet.FieldError](err); ok {
		return fmt.Errorf("%s: %s", what, fe.Why)
	}
	if strings.HasPrefix(err.Error(), "is ") {
		return fmt.Errorf("%s %w", what, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// setFields sets every field of layer k that t names: a table of a builder, or of
// p:reply{...}. What decides about other fields (a message's type) comes first,
// what is computed from them (lengths, checksums) last.
func (in *instance) setFields(p *packet.Packet, k *kind, t *lua.LTable) error {
	left := 0
	t.ForEach(func(lua.LValue, lua.LValue) { left++ })
	for _, name := range k.order {
		v := t.RawGetString(name)
		if v == lua.LNil {
			continue
		}
		if err := in.setField(p, k, lua.LString(name), v); err != nil {
			return err
		}
		left--
	}
	if left == 0 {
		return nil
	}
	for _, key := range sortedKeys(t) { // TCP options by number, and what k has not
		if name, ok := key.(lua.LString); ok && k.members.get(string(name)).field != nil {
			continue
		}
		if err := in.setField(p, k, key, t.RawGet(key)); err != nil {
			return err
		}
	}
	return nil
}

// sortedKeys are the keys of t, numbers first, in an order that is the same in every
// run: Go's maps, in which gopher-lua keeps them, have none.
func sortedKeys(t *lua.LTable) (keys []lua.LValue) {
	t.ForEach(func(key, _ lua.LValue) { keys = append(keys, key) })
	slices.SortFunc(keys, func(a, b lua.LValue) int {
		x, isNumber := a.(lua.LNumber)
		y, alsoNumber := b.(lua.LNumber)
		if isNumber && alsoNumber {
			return cmp.Compare(x, y)
		}
		return cmp.Or(cmp.Compare(a.Type(), b.Type()), cmp.Compare(a.String(), b.String()))
	})
	return keys
}

// optionOrder is the order in which a table of TCP options is written: that of
// Linux's SYN.
var optionOrder = []string{"mss", "sack_permitted", "timestamps", "wscale", "sack"}

// settingOrder is the order in which setFields sets the fields of l.
func settingOrder(l *layer) []string {
	step := func(name string) int {
		switch {
		case slices.Contains(optionOrder, name):
			return slices.Index(optionOrder, name)
		case name == "type" || name == "op":
			return 0
		case name == "checksum": // "bad" is the opposite of what would be right at last
			return 3
		case l.fields[name].clear != nil:
			return 2
		}
		return 1
	}
	return slices.SortedFunc(maps.Keys(l.fields), func(a, b string) int {
		return cmp.Or(cmp.Compare(step(a), step(b)), cmp.Compare(a, b))
	})
}

func (in *instance) tostring(L *lua.LState) int {
	text := "userdata"
	if ud, ok := L.Get(1).(*lua.LUserData); ok {
		switch x := ud.Value.(type) {
		case *packetRef:
			text = "packet (gone)"
			if in.settle(x) == nil {
				in.state.Work(textSteps * bytesAStep / 4)
				text = x.p.String()
			}
		case *layerRef:
			text = x.kind.name
		}
	}
	L.Push(lua.LString(text))
	return 1
}

// equal compares packets and layers by what they are, not by their userdata.
func (in *instance) equal(L *lua.LState) int {
	a, ka := in.look(L, L.Get(1))
	b, kb := in.look(L, L.Get(2))
	L.Push(lua.LBool(a.p == b.p && ka == kb))
	return 1
}
