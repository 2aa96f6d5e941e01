package luabind

import (
	"errors"
	"fmt"
	"slices"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine/packet"
)

// A part is one step of ip{...}/tcp{...}/"payload": a layer with its fields, or
// bytes. A packet of parts is built when it is first used, so that a packet in the
// making costs nothing.
type part struct {
	name   string // "" for bytes
	fields *lua.LTable
	bytes  string
}

// builders are the layers that have one, in the order of packet{...}.
var builders = []string{"eth", "vlan", "arp", "ip", "ip4", "ip6", "icmp", "icmp6", "tcp", "udp"}

func builderGlobals() []global {
	var all []global
	for _, l := range headerLayers() {
		all = append(all, global{name: l.name, sig: "(fields: " + l.name + ".fields): packet", doc: "begins a packet with this header, or with / goes on with it: " + l.doc,
			fn: func(in *instance, L *lua.LState) int { return in.build(L, l.name) }})
	}
	return all
}

// build is the function ip, tcp and so on.
func (in *instance) build(L *lua.LState, name string) int {
	in.checkMost(L, 1, name)
	fields, ok := L.Get(1).(*lua.LTable)
	if !ok {
		return in.state.Raise(L, fmt.Errorf("%s: want a table of fields such as %s{}, got %s", name, name, describe(L.Get(1))))
	}
	if err := in.checkNames(name, fields); err != nil {
		return in.state.Raise(L, err)
	}
	return in.pushParts(L, []part{{name: name, fields: in.snapshot(fields, fieldDepth)}})
}

// snapshot copies fields and the tables in them, such as options: what the script
// does with its table later is not in the packet.
func (in *instance) snapshot(fields *lua.LTable, deep int) *lua.LTable {
	c := in.state.L().CreateTable(0, 4)
	fields.ForEach(func(key, v lua.LValue) {
		if t, ok := v.(*lua.LTable); ok && deep > 0 {
			v = in.snapshot(t, deep-1)
		}
		c.RawSet(key, v)
	})
	return c
}

// fieldDepth is how deep tables of fields are: options, sack, its pairs.
const fieldDepth = 3

// checkNames refuses unknown fields where they are written, not where the packet
// is used.
func (in *instance) checkNames(layer string, fields *lua.LTable) (err error) {
	k := in.kindOf(layer)
	fields.ForEach(func(key, _ lua.LValue) {
		name, ok := key.(lua.LString)
		if f := k.members.get(string(name)).field; ok && f != nil && f.set != nil {
			return
		}
		if err == nil {
			err = k.unknown(key)
		}
	})
	return err
}

func (in *instance) pushParts(L *lua.LState, parts []part) int {
	ref := in.newRef(nil)
	ref.parts = parts
	L.Push(ref.ud)
	return 1
}

// stack is __div: it puts its right side behind its left.
func (in *instance) stack(L *lua.LState) int {
	left, err := in.partsOf(L.Get(1))
	if err != nil {
		return in.state.Raise(L, err)
	}
	right, err := in.partsOf(L.Get(2))
	if err != nil {
		return in.state.Raise(L, err)
	}
	return in.pushParts(L, slices.Concat(left, right))
}

func (in *instance) partsOf(v lua.LValue) ([]part, error) {
	switch v := v.(type) {
	case lua.LString:
		return []part{{bytes: string(v)}}, nil
	case *lua.LUserData:
		if ref, ok := v.Value.(*packetRef); ok {
			if ref.parts != nil {
				return ref.parts, nil
			}
			if ref.p != nil && ref.p.Len() == 0 {
				return nil, fmt.Errorf("the packet is empty, as no answer may be given (%s): there is nothing to join", ref.p.Why())
			}
			if ref.p != nil {
				return []part{{bytes: string(ref.p.Bytes())}}, nil
			}
			return nil, ref.gone
		}
	case *lua.LFunction:
		return nil, errors.New("a builder wants its fields: write tcp{} with braces")
	}
	return nil, fmt.Errorf("/ joins layers, packets and strings, not %s", describe(v))
}

// concat is __concat, which nobody means.
func (in *instance) concat(L *lua.LState) int {
	return in.state.Raise(L, errors.New(`a packet cannot be joined with "..": put the payload in parentheses, as in ip{}/udp{}/("a".."b")`))
}

// makePacket is packet{ ip={...}, udp={...}, payload="..." }, packet(s) and
// packet(s, "eth").
func (in *instance) makePacket(L *lua.LState) int {
	switch v := L.Get(1).(type) {
	case lua.LString:
		link := packet.IP
		switch kind := L.Get(2); kind {
		case lua.LNil:
		case lua.LString("eth"):
			link = packet.Ethernet
		default:
			return in.state.Raise(L, fmt.Errorf("packet: the second argument is \"eth\" or nothing, got %s", describe(kind)))
		}
		in.made(len(v))
		p := in.scope.Pool().Get(len(v))
		if err := p.Set([]byte(v), link); err != nil {
			in.scope.Pool().Put(p)
			return in.state.Raise(L, err)
		}
		p.Out, p.Time = in.scope.Home(), in.scope.Now()
		L.Push(in.newRef(p).ud)
		return 1
	case *lua.LTable:
		parts, err := in.partsOfTable(v)
		if err != nil {
			return in.state.Raise(L, err)
		}
		return in.pushParts(L, parts)
	}
	return in.state.Raise(L, fmt.Errorf("packet: want a table of layers or a string of bytes, got %s", describe(L.Get(1))))
}

func (in *instance) partsOfTable(t *lua.LTable) (parts []part, err error) {
	known := map[string]bool{"payload": true}
	for _, name := range builders {
		known[name] = true
		switch fields := t.RawGetString(name).(type) {
		case *lua.LNilType:
		case *lua.LTable:
			if err := in.checkNames(name, fields); err != nil {
				return nil, err
			}
			parts = append(parts, part{name: name, fields: in.snapshot(fields, fieldDepth)})
		default:
			return nil, fmt.Errorf("packet: %s: want a table of fields, got %s", name, describe(fields))
		}
	}
	switch s := t.RawGetString("payload").(type) {
	case *lua.LNilType:
	case lua.LString:
		parts = append(parts, part{bytes: string(s)})
	default:
		return nil, fmt.Errorf("packet: payload: want a string, got %s", describe(s))
	}
	t.ForEach(func(key, _ lua.LValue) {
		if name, ok := key.(lua.LString); err == nil && (!ok || !known[string(name)]) {
			err = fmt.Errorf("packet: there is no layer %s%s", optionName(key), didYouMean(string(name), known))
		}
	})
	if err == nil && len(parts) == 0 {
		err = errors.New(`packet: the table has no layers: write packet{ ip = {dst = "192.0.2.1"}, udp = {...} }`)
	}
	return parts, err
}
