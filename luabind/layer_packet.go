package luabind

import (
	"fmt"
	"maps"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine/packet"
)

// luaValue is what a field's functions take.
type luaValue = lua.LValue

// packetLayer is p itself.
func packetLayer() *layer {
	l := &layer{
		name: "packet", doc: "a packet, received or made",
		has:  func(p *packet.Packet) bool { return true },
		span: wholeFrame,
		fields: map[string]*field{
			"device": {typ: "string", doc: "where it came in; nil for one made from nothing",
				get: func(in *instance, p *packet.Packet) lua.LValue { return in.portName(p.In) }},
			"out": {typ: "device.name", doc: "where it will leave; nil for nowhere",
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
			"flow": flowField(),
			"segments": {typ: "integer", doc: "how many packets on the wire it stands for",
				get: func(in *instance, p *packet.Packet) lua.LValue { return in.number(float64(p.Segments())) }},
			"payload": {typ: "string", doc: "what follows the last layer; may be set to any length",
				get: func(in *instance, p *packet.Packet) lua.LValue {
					b := p.Payload()
					in.state.Work(len(b))
					return lua.LString(b)
				},
				set: func(in *instance, p *packet.Packet, v lua.LValue) error {
					s, ok := v.(lua.LString)
					if !ok {
						return fmt.Errorf("want a string, got %s", describe(v))
					}
					in.state.Work(2 * len(s))
					return p.SetPayload([]byte(s))
				}},
		},
		methods: map[string]*method{},
	}
	maps.Copy(l.methods, answerMethods())
	maps.Copy(l.methods, packetMethods())
	return l.withRaw()
}

func (in *instance) portName(pt *packet.Port) lua.LValue {
	if pt == nil {
		return lua.LNil
	}
	return in.ports.of(pt, func(pt *packet.Port) string { return pt.Name })
}

// textSteps is what show, hex and code cost besides their length: taking a small
// packet apart is 10 microseconds of work, and an instruction some 24 nanoseconds.
const textSteps = 400

// packetMethods are what is asked of a packet as a whole.
func packetMethods() map[string]*method {
	text := func(doc string, most func(n int) int, of func(p *packet.Packet) string) *method {
		return &method{sig: "(): string", doc: doc,
			fn: func(in *instance, L *lua.LState, p *packet.Packet) int {
				in.state.Charge(L, textSteps)
				in.checkLength(L, most(p.Len()))
				return in.pushString(L, of(p))
			}}
	}
	return map[string]*method{
		"show": text("a tree of its layers with every field, and in hexadecimal what no field tells",
			func(n int) int { return 5 * n }, (*packet.Packet).Show),
		"hex": text("its bytes: offsets, hexadecimal and text",
			func(n int) int { return 4 * n }, func(p *packet.Packet) string { return p.Hex(true) }),
		"code": text("the builder text that makes the same bytes",
			func(n int) int { return n }, (*packet.Packet).Code),
		"valid": {sig: "(): boolean, string?", doc: "true, or false and the layer whose checksum or length is wrong",
			fn: func(in *instance, L *lua.LState, p *packet.Packet) int {
				in.state.Work(p.Len() / lookedAt)
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
