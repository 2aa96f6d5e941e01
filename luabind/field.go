package luabind

import (
	"fmt"
	"maps"
	"math"
	"net/netip"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine/packet"
)

// A layer is one header as Lua sees it, or the packet as a whole: what p.tcp is.
type layer struct {
	name    string
	doc     string
	has     func(p *packet.Packet) bool
	span    span // where its bytes are
	fields  map[string]*field
	methods map[string]*method
	// assign is p.NAME = v; nil where only the layer's fields can be set.
	assign func(in *instance, p *packet.Packet, k *kind, v lua.LValue) error
}

// withRaw is the layer with the methods that read and write its bytes.
func (l *layer) withRaw() *layer {
	if l.methods == nil {
		l.methods = map[string]*method{}
	}
	maps.Copy(l.methods, rawMethods(l.span))
	return l
}

// A field is one name of a layer, read and written.
type field struct {
	typ  string // of LuaLS: "integer", or one of its names here: "address", "mac", "flags"
	doc  string
	most uint64 // of a whole number: 0 to most; with 0 it has no range
	// get is the value now. It is called only where the layer's has says true.
	get func(in *instance, p *packet.Packet) lua.LValue
	// set changes the packet; nil where the field is read only. nil is given to it
	// only where clear is nil.
	set func(in *instance, p *packet.Packet, v lua.LValue) error
	// clear undoes what was set by hand: the field was given nil.
	clear func(p *packet.Packet)
}

// A method is one name of a layer that is called: p:reply().
type method struct {
	sig string // "(fields?: packet.fields): packet"
	doc string
	fn  func(in *instance, L *lua.LState, p *packet.Packet) int
	// gives says that the method may return a packet.
	gives bool
}

// number is a field that is a whole number from 0 to most.
func number(most uint64, doc string, get func(p *packet.Packet) (uint64, bool), set func(p *packet.Packet, v uint64) error) *field {
	f := &field{typ: "integer", doc: doc, most: most}
	f.get = func(in *instance, p *packet.Packet) lua.LValue {
		v, ok := get(p)
		if !ok {
			return lua.LNil
		}
		return in.number(float64(v))
	}
	if set != nil {
		f.set = func(in *instance, p *packet.Packet, v lua.LValue) error {
			n, err := whole(v, most)
			if err != nil {
				return err
			}
			return set(p, n)
		}
	}
	return f
}

// whole is v as a whole number from 0 to most. What a 32-bit field takes is taken
// modulo 2^32, as the arithmetic of TCP is and as bit's signed results need.
func whole(v lua.LValue, most uint64) (uint64, error) {
	n, ok := v.(lua.LNumber)
	if !ok {
		return 0, fmt.Errorf("want a number 0..%d, got %s", most, describe(v))
	}
	f := float64(n)
	if f != math.Trunc(f) || math.IsInf(f, 0) || math.IsNaN(f) {
		return 0, fmt.Errorf("is %v, want a whole number 0..%d", f, most)
	}
	if most == math.MaxUint32 && math.Abs(f) < 1<<53 {
		return uint64(uint32(int64(f))), nil
	}
	if f < 0 || f > float64(most) {
		return 0, fmt.Errorf("is %.0f, want 0..%d", f, most)
	}
	return uint64(f), nil
}

// typed is a field of a type of Go: into makes it of a Lua value, out a Lua value of it.
func typed[T any](typ, doc string,
	get func(p *packet.Packet) (T, bool), out func(in *instance, v T) lua.LValue,
	set func(p *packet.Packet, v T) error, into func(in *instance, v lua.LValue) (T, error),
) *field {
	return &field{
		typ: typ, doc: doc,
		get: func(in *instance, p *packet.Packet) lua.LValue {
			v, ok := get(p)
			if !ok {
				return lua.LNil
			}
			return out(in, v)
		},
		set: func(in *instance, p *packet.Packet, v lua.LValue) error {
			x, err := into(in, v)
			if err != nil {
				return err
			}
			return set(p, x)
		},
	}
}

// truth is a field that is true or false.
func truth(doc string, get func(p *packet.Packet) (v, ok bool), set func(p *packet.Packet, v bool) error) *field {
	return typed("boolean", doc,
		get, func(_ *instance, v bool) lua.LValue { return lua.LBool(v) },
		set, func(_ *instance, v lua.LValue) (bool, error) {
			b, ok := v.(lua.LBool)
			if !ok {
				return false, fmt.Errorf("want true or false, got %s", describe(v))
			}
			return bool(b), nil
		})
}

// address is a field that is an IP address, a string in Lua.
func address(doc string, get func(p *packet.Packet) (netip.Addr, bool), set func(p *packet.Packet, a netip.Addr) error) *field {
	return typed("address", doc, get, (*instance).address, set, (*instance).parseAddr)
}

// mac is a field that is an Ethernet address, a string in Lua.
func mac(doc string, get func(p *packet.Packet) (packet.MAC, bool), set func(p *packet.Packet, m packet.MAC) error) *field {
	return typed("mac", doc,
		get, func(in *instance, m packet.MAC) lua.LValue { return in.macs.of(m, packet.MAC.String) },
		set, func(_ *instance, v lua.LValue) (packet.MAC, error) {
			s, ok := v.(lua.LString)
			if !ok {
				return packet.MAC{}, fmt.Errorf("want an Ethernet address such as \"02:00:00:00:00:01\", got %s", describe(v))
			}
			return packet.ParseMAC(string(s))
		})
}

// checksum is a field that is a checksum: a number, "keep" for as it is, "zero",
// "bad" for one that is wrong, or nil for the right one again.
func checksum(doc string, get func(p *packet.Packet) (uint64, bool), set func(p *packet.Packet, v uint16), clear func(p *packet.Packet)) *field {
	f := number(math.MaxUint16, doc, get, func(p *packet.Packet, v uint64) error { set(p, uint16(v)); return nil })
	f.typ += `|"bad"|"zero"|"keep"`
	sum := f.get
	f.get = func(in *instance, p *packet.Packet) lua.LValue {
		in.state.Work(p.Len() / lookedAt)
		return sum(in, p)
	}
	byNumber := f.set
	f.set = func(in *instance, p *packet.Packet, v lua.LValue) error {
		word, ok := v.(lua.LString)
		if !ok {
			return byNumber(in, p, v)
		}
		now, _ := get(p)
		switch word {
		case "keep":
			set(p, uint16(now))
		case "zero":
			set(p, 0)
		case "bad":
			clear(p)
			right, _ := get(p)
			set(p, ^uint16(right))
		default:
			return fmt.Errorf("is %q, want a number, \"bad\", \"zero\" or \"keep\"", string(word))
		}
		return nil
	}
	f.clear = clear
	return f
}

// describe names a value for a message: its type, and itself where that is short.
func describe(v lua.LValue) string {
	switch v := v.(type) {
	case *lua.LNilType:
		return "nil"
	case lua.LString:
		if len(v) <= 40 {
			return fmt.Sprintf("the string %q", string(v))
		}
	case lua.LNumber:
		return "the number " + v.String()
	case lua.LBool:
		return v.String()
	}
	n := noun(v)
	if strings.ContainsRune("aei", rune(n[0])) {
		return "an " + n
	}
	return "a " + n
}

// noun is the word for what v is: "table", "packet", "tcp layer", "network".
func noun(v lua.LValue) string {
	ud, ok := v.(*lua.LUserData)
	if !ok {
		return v.Type().String()
	}
	switch x := ud.Value.(type) {
	case *packetRef:
		return "packet"
	case *layerRef:
		return x.kind.name + " layer"
	case netip.Prefix:
		return "network"
	case *inbox:
		return "inbox"
	case *event:
		return "event"
	}
	return "userdata"
}
