package luabind

import (
	"errors"
	"fmt"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine/packet"
)

// A packetRef is what a packet userdata of Lua holds.
type packetRef struct {
	p      *packet.Packet // nil once it is gone
	gone   error          // why
	owned  bool           // the script's own, not borrowed from the engine
	pooled bool           // used again when the handler has returned
	parts  []part         // of one that is yet to be built
	ud     *lua.LUserData
	layers [maxKinds]*lua.LUserData // made when first asked for
}

// A layerRef is what a layer userdata of Lua holds.
type layerRef struct {
	of   *packetRef
	kind *kind
}

var (
	errReturned = errors.New("the packet is gone, as its handler has returned: use p:copy() to keep one")
	errGiven    = errors.New("the packet was given away as a verdict: use p:copy() to keep one")
)

// maxKinds is how many kinds of layers there are.
const maxKinds = 12

// A kind is a layer in one Lua state: its metatable and functions.
type kind struct {
	*layer
	index int
	meta  *lua.LTable
	funcs map[string]*lua.LFunction
	// layers are the names that are layers of their own.
	layers map[string]*kind
}

// kinds are all layers of a state.
type kinds struct {
	packet  *kind
	options *kind
	all     []*kind
}

func (in *instance) openKinds() {
	in.kinds.packet = in.newKind(packetLayer())
	for _, l := range headerLayers() {
		in.kinds.packet.layers[l.name] = in.newKind(l)
	}
	in.kinds.options = in.newKind(optionsLayer())
	in.kinds.packet.layers["tcp"].layers["options"] = in.kinds.options
}

// headerLayers are the layers of a packet, as p.NAME.
func headerLayers() []*layer {
	return []*layer{
		ethLayer(), vlanLayer(), arpLayer(),
		ipLayer("ip", "IP header of either version", 0),
		ipLayer("ip4", "IPv4 header (RFC 791)", 4),
		ipLayer("ip6", "IPv6 header (RFC 8200)", 6),
		icmpLayer(), icmp6Layer(), tcpLayer(), udpLayer(),
	}
}

func (in *instance) newKind(l *layer) *kind {
	L := in.state.L()
	k := &kind{layer: l, index: len(in.kinds.all), funcs: map[string]*lua.LFunction{}, layers: map[string]*kind{}}
	in.kinds.all = append(in.kinds.all, k)
	for name, m := range l.methods {
		k.funcs[name] = L.NewFunction(func(L *lua.LState) int {
			return m.fn(in, L, in.check(L, 1, k))
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

// look finds what the userdata v is: its packet and kind. It raises where v is
// neither or the packet is gone.
func (in *instance) look(L *lua.LState, v lua.LValue) (*packetRef, *kind) {
	if ud, ok := v.(*lua.LUserData); ok {
		var ref *packetRef
		k := in.kinds.packet
		switch x := ud.Value.(type) {
		case *packetRef:
			ref = x
		case *layerRef:
			ref, k = x.of, x.kind
		}
		if ref != nil {
			if err := in.settle(ref); err != nil {
				in.state.Raise(L, err)
			}
			if !k.has(ref.p) {
				in.state.Raise(L, fmt.Errorf("the packet has no %s any more", k.name))
			}
			return ref, k
		}
	}
	in.state.Raise(L, fmt.Errorf("want a packet or one of its layers, got %s", describe(v)))
	return nil, nil
}

// check is the packet of argument n, which must be of kind k.
func (in *instance) check(L *lua.LState, n int, k *kind) *packet.Packet {
	ref, got := in.look(L, L.Get(n))
	if got != k {
		in.state.Raise(L, fmt.Errorf("want a %s, got a %s: call it with a colon, as in p:%s()", k.name, got.name, "reply"))
	}
	return ref.p
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
		if n, isNumber := key.(lua.LNumber); isNumber && k == in.kinds.options {
			v, err := in.rawOption(ref.p, n, nil)
			if err != nil {
				return in.state.Raise(L, err)
			}
			L.Push(v)
			return 1
		}
		return in.state.Raise(L, in.unknown(k, key))
	}
	if sub := k.layers[string(name)]; sub != nil {
		if !sub.has(ref.p) {
			L.Push(lua.LNil)
			return 1
		}
		L.Push(in.layerOf(ref, sub))
		return 1
	}
	if f := k.fields[string(name)]; f != nil {
		L.Push(f.get(in, ref.p))
		return 1
	}
	if fn := k.funcs[string(name)]; fn != nil {
		L.Push(fn)
		return 1
	}
	return in.state.Raise(L, in.unknown(k, key))
}

// layerOf is the userdata of a layer of ref.
func (in *instance) layerOf(ref *packetRef, k *kind) *lua.LUserData {
	ud := ref.layers[k.index]
	if ud == nil {
		ud = &lua.LUserData{Value: &layerRef{ref, k}, Metatable: k.meta}
		if ref.pooled && len(k.funcs) > 0 {
			ud.Metatable = in.ownMeta(ud, k)
		}
		ref.layers[k.index] = ud
	}
	return ud
}

// ownMeta is a metatable for one userdata that is used again and again. Methods
// stand in a table there: gopher-lua takes p:reply out of a table as it is, but
// makes a string, on the heap, to ask a function for it. What the table has not
// goes to a function that knows the userdata, for it is given the table.
func (in *instance) ownMeta(ud *lua.LUserData, k *kind) *lua.LTable {
	L := in.state.L()
	methods := L.CreateTable(0, len(k.funcs))
	for name, fn := range k.funcs {
		methods.RawSetString(name, fn)
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

// newIndex is __newindex of packets and layers.
func (in *instance) newIndex(L *lua.LState) int {
	ref, k := in.look(L, L.Get(1))
	if n, ok := L.Get(2).(lua.LNumber); ok && k == in.kinds.options {
		if _, err := in.rawOption(ref.p, n, L.Get(3)); err != nil {
			return in.state.Raise(L, err)
		}
		return 0
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
		return in.unknown(k, key)
	}
	f := k.fields[string(name)]
	if f == nil {
		if k.layers[string(name)] != nil {
			return fmt.Errorf("%s.%s is a layer: set its fields", k.name, name)
		}
		return in.unknown(k, key)
	}
	if v == lua.LNil && f.clear != nil {
		f.clear(p)
		return nil
	}
	if f.set == nil {
		return fmt.Errorf("%s.%s can only be read", k.name, name)
	}
	if err := f.set(in, p, v); err != nil {
		var fe *packet.FieldError
		if errors.As(err, &fe) {
			return fmt.Errorf("%s.%s: %s", k.name, name, fe.Why)
		}
		return fmt.Errorf("%s.%s %w", k.name, name, err)
	}
	return nil
}

// setFields sets every field of layer k that t names: a table of a builder, or of
// p:reply{...}. What decides about other fields (a message's type) comes first,
// what is computed from them (lengths, checksums) last.
func (in *instance) setFields(p *packet.Packet, k *kind, t *lua.LTable) error {
	var steps [3][][2]lua.LValue
	t.ForEach(func(key, v lua.LValue) {
		step := 1
		if name, ok := key.(lua.LString); ok {
			if f := k.fields[string(name)]; name == "type" || name == "op" {
				step = 0
			} else if f != nil && f.clear != nil {
				step = 2
			}
		}
		steps[step] = append(steps[step], [2]lua.LValue{key, v})
	})
	for _, step := range steps {
		for _, kv := range step {
			if n, ok := kv[0].(lua.LNumber); ok && k == in.kinds.options {
				if _, err := in.rawOption(p, n, kv[1]); err != nil {
					return err
				}
				continue
			}
			if err := in.setField(p, k, kv[0], kv[1]); err != nil {
				return err
			}
		}
	}
	return nil
}

// unknown is the error about a name that layer k has not.
func (in *instance) unknown(k *kind, key lua.LValue) error {
	name, ok := key.(lua.LString)
	if !ok {
		return fmt.Errorf("a %s has no %s", k.name, describe(key))
	}
	known := map[string]bool{}
	for n := range k.fields {
		known[n] = true
	}
	for n := range k.funcs {
		known[n] = true
	}
	for n := range k.layers {
		known[n] = true
	}
	return fmt.Errorf("%s has no %q%s", k.name, string(name), didYouMean(string(name), known))
}

func (in *instance) tostring(L *lua.LState) int {
	ud, ok := L.Get(1).(*lua.LUserData)
	if !ok {
		L.Push(lua.LString("packet"))
		return 1
	}
	switch x := ud.Value.(type) {
	case *packetRef:
		if in.settle(x) != nil {
			L.Push(lua.LString("packet (gone)"))
			return 1
		}
		L.Push(lua.LString(x.p.String()))
	case *layerRef:
		L.Push(lua.LString(x.kind.name))
	default:
		L.Push(lua.LString("userdata"))
	}
	return 1
}

// equal compares packets and layers by what they are, not by their userdata.
func (in *instance) equal(L *lua.LState) int {
	a, ka := in.look(L, L.Get(1))
	b, kb := in.look(L, L.Get(2))
	L.Push(lua.LBool(a.p == b.p && ka == kb))
	return 1
}

// newRef makes the userdata of a packet of the script's own.
func (in *instance) newRef(p *packet.Packet) *packetRef {
	ref := &packetRef{}
	ref.ud = &lua.LUserData{Value: ref, Metatable: in.kinds.packet.meta}
	ref.p, ref.owned = p, true
	return ref
}

// newPooledRef makes the userdata of one packet after another.
func (in *instance) newPooledRef() *packetRef {
	ref := in.newRef(nil)
	ref.pooled = true
	ref.ud.Metatable = in.ownMeta(ref.ud, in.kinds.packet)
	return ref
}

// push gives a packet that the script now owns to Lua. In a handler that keeps
// nothing, its userdata is one that earlier packets had.
func (in *instance) push(L *lua.LState, p *packet.Packet) int {
	var ref *packetRef
	if !in.reuse {
		ref = in.newRef(p)
	} else {
		if n := len(in.spare); n > 0 {
			ref = in.spare[n-1]
			in.spare = in.spare[:n-1]
			ref.p = p
		} else {
			ref = in.newPooledRef()
			ref.p = p
		}
		in.lent = append(in.lent, ref)
	}
	L.Push(ref.ud)
	return 1
}

// give takes the packet of a userdata for a verdict.
func (in *instance) give(ud *lua.LUserData) (*packet.Packet, error) {
	ref, ok := ud.Value.(*packetRef)
	if !ok {
		return nil, errors.New("verdict: a layer is no packet: return the packet")
	}
	if err := in.settle(ref); err != nil {
		return nil, fmt.Errorf("verdict: %w", err)
	}
	p := ref.p
	if ref.owned {
		ref.p, ref.gone = nil, errGiven
	}
	return p, nil
}
