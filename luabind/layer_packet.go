package luabind

import (
	"fmt"
	"math"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine/packet"
)

// luaValue is what a field's functions take.
type luaValue = lua.LValue

// packetLayer is p itself.
func packetLayer() *layer {
	l := &layer{
		name: "packet", doc: "a packet, received or made",
		has: func(p *packet.Packet) bool { return true },
		fields: map[string]*field{
			"device": {typ: "string", doc: "where it came in; nil for one made from nothing",
				get: func(in *instance, p *packet.Packet) lua.LValue { return in.portName(p.In) }},
			"out": {typ: "string", doc: "where it will leave; nil for nowhere",
				get: func(in *instance, p *packet.Packet) lua.LValue { return in.portName(p.Out) },
				set: func(in *instance, p *packet.Packet, v lua.LValue) error {
					name, ok := v.(lua.LString)
					if !ok {
						return fmt.Errorf("want the name of a device, got %s", describe(v))
					}
					return in.scope.SetOut(p, string(name))
				},
				clear: func(p *packet.Packet) { p.Out = nil }},
			"time": {typ: "number", doc: "when it was received or made, in seconds since 1970",
				get: func(in *instance, p *packet.Packet) lua.LValue {
					return lua.LNumber(float64(p.Time.UnixNano()) / 1e9)
				}},
			"len": {typ: "integer", doc: "length of the frame in bytes",
				get: func(in *instance, p *packet.Packet) lua.LValue { return in.number(float64(p.Len())) }},
			"segments": {typ: "integer", doc: "how many packets on the wire it stands for",
				get: func(in *instance, p *packet.Packet) lua.LValue { return in.number(float64(p.Segments())) }},
			"payload": {typ: "string", doc: "what follows the last layer; may be set to any length",
				get: func(in *instance, p *packet.Packet) lua.LValue { return lua.LString(p.Payload()) },
				set: func(in *instance, p *packet.Packet, v lua.LValue) error {
					s, ok := v.(lua.LString)
					if !ok {
						return fmt.Errorf("want a string, got %s", describe(v))
					}
					return p.SetPayload([]byte(s))
				}},
		},
		methods: map[string]*method{},
	}
	for name, m := range answerMethods() {
		l.methods[name] = m
	}
	for name, m := range rawMethods() {
		l.methods[name] = m
	}
	return l
}

func (in *instance) portName(pt *packet.Port) lua.LValue {
	if pt == nil {
		return lua.LNil
	}
	return in.ports.of(pt, func(pt *packet.Port) string { return pt.Name })
}

// rawMethods read and write bytes, big-endian, from the start of the frame.
func rawMethods() map[string]*method {
	read := func(bits int, get func(p *packet.Packet, off int) (uint64, bool)) *method {
		return &method{sig: "(off: integer): integer?", doc: fmt.Sprintf("the %d bits at offset off, from 0; nil outside", bits),
			fn: func(in *instance, L *lua.LState, p *packet.Packet) int {
				v, ok := get(p, in.checkOffset(L, 2))
				if !ok {
					L.Push(lua.LNil)
					return 1
				}
				L.Push(in.number(float64(v)))
				return 1
			}}
	}
	write := func(bits int, set func(p *packet.Packet, off int, v uint64) error) *method {
		name := fmt.Sprintf("set_u%d", bits)
		return &method{sig: "(off: integer, v: integer)", doc: fmt.Sprintf("sets the %d bits at offset off", bits),
			fn: func(in *instance, L *lua.LState, p *packet.Packet) int {
				off := in.checkOffset(L, 2)
				v, err := whole(L.Get(3), 1<<bits-1)
				if err == nil {
					err = set(p, off, v)
				}
				if err != nil {
					return in.state.Raise(L, about(name, err))
				}
				return 0
			}}
	}
	return map[string]*method{
		"u8":  read(8, func(p *packet.Packet, off int) (uint64, bool) { v, ok := p.Uint8(off); return uint64(v), ok }),
		"u16": read(16, func(p *packet.Packet, off int) (uint64, bool) { v, ok := p.Uint16(off); return uint64(v), ok }),
		"u32": read(32, func(p *packet.Packet, off int) (uint64, bool) { v, ok := p.Uint32(off); return uint64(v), ok }),
		"set_u8": write(8, func(p *packet.Packet, off int, v uint64) error {
			return p.SetUint8(off, uint8(v))
		}),
		"set_u16": write(16, func(p *packet.Packet, off int, v uint64) error {
			return p.SetUint16(off, uint16(v))
		}),
		"set_u32": write(32, func(p *packet.Packet, off int, v uint64) error {
			return p.SetUint32(off, uint32(v))
		}),
		"bytes": {sig: "(off?: integer, len?: integer): string?", doc: "the bytes at off, or all; nil outside", fn: getBytes},
		"set_bytes": {sig: "(off: integer, s: string)", doc: "overwrites the bytes at off",
			fn: func(in *instance, L *lua.LState, p *packet.Packet) int {
				s, ok := L.Get(3).(lua.LString)
				if !ok {
					return in.state.Raise(L, fmt.Errorf("set_bytes: want a string, got %s", describe(L.Get(3))))
				}
				if err := p.SetBytes(in.checkOffset(L, 2), []byte(s)); err != nil {
					return in.state.Raise(L, about("set_bytes", err))
				}
				return 0
			}},
		"valid": {sig: "(): boolean, string?", doc: "true, or false and the layer whose checksum or length is wrong",
			fn: func(in *instance, L *lua.LState, p *packet.Packet) int {
				name, ok := p.Valid()
				L.Push(lua.LBool(ok))
				if ok {
					return 1
				}
				L.Push(lua.LString(name))
				return 2
			}},
	}
}

func getBytes(in *instance, L *lua.LState, p *packet.Packet) int {
	off, n := 0, p.Len()
	if L.GetTop() > 1 {
		off = in.checkOffset(L, 2)
		n -= off
		if L.GetTop() > 2 {
			n = in.checkOffset(L, 3)
		}
	}
	b, ok := p.AppendRange(nil, off, n)
	if !ok {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(lua.LString(b))
	return 1
}

// checkOffset is argument n, an offset or a length.
func (in *instance) checkOffset(L *lua.LState, n int) int {
	v, err := whole(L.Get(n), math.MaxInt32)
	if err != nil {
		in.state.Raise(L, about("the offset", err))
	}
	return int(v)
}
