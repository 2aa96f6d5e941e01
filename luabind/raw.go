package luabind

import (
	"fmt"
	"math"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine/packet"
)

// A span is where a layer's bytes are in the frame: from its first byte to the end
// of what it carries. Offsets of p.tcp:u8(13) count from there, as tcp[13] does.
type span func(p *packet.Packet) (from, to int)

func wholeFrame(p *packet.Packet) (from, to int) { return 0, p.Len() }

func fromTag(p *packet.Packet) (from, to int) { return 14, p.Len() }

// fromL3 and fromL4 end where the packet says that it ends: padding belongs to the
// frame.
func fromL3(p *packet.Packet) (from, to int) { l := p.Layout(); return l.L3, l.End }
func fromL4(p *packet.Packet) (from, to int) { l := p.Layout(); return l.L4, l.End }

// inside is where n bytes at off of the span are in the frame.
func (s span) inside(p *packet.Packet, off, n int) (at int, ok bool) {
	from, to := s(p)
	return from + off, off <= to-from && n <= to-from-off
}

// rawMethods read and write bytes, big-endian, from the start of a span.
func rawMethods(s span) map[string]*method {
	return map[string]*method{
		"u8":  readNumber(s, 8, func(p *packet.Packet, off int) (uint64, bool) { v, ok := p.Uint8(off); return uint64(v), ok }),
		"u16": readNumber(s, 16, func(p *packet.Packet, off int) (uint64, bool) { v, ok := p.Uint16(off); return uint64(v), ok }),
		"u32": readNumber(s, 32, func(p *packet.Packet, off int) (uint64, bool) { v, ok := p.Uint32(off); return uint64(v), ok }),
		"set_u8": writeNumber(s, 8, func(p *packet.Packet, off int, v uint64) error {
			return p.SetUint8(off, uint8(v))
		}),
		"set_u16": writeNumber(s, 16, func(p *packet.Packet, off int, v uint64) error {
			return p.SetUint16(off, uint16(v))
		}),
		"set_u32": writeNumber(s, 32, func(p *packet.Packet, off int, v uint64) error {
			return p.SetUint32(off, uint32(v))
		}),
		"bits":      readBits(s),
		"bytes":     readBytes(s),
		"set_bytes": writeBytes(s),
	}
}

func readNumber(s span, bits int, get func(p *packet.Packet, off int) (uint64, bool)) *method {
	return &method{sig: "(off: integer): integer?", doc: fmt.Sprintf("the %d bits at offset off, from 0; nil outside", bits),
		fn: func(in *instance, L *lua.LState, p *packet.Packet) int {
			at, ok := s.inside(p, in.checkOffset(L, 2), bits/8)
			v, there := get(p, at)
			if !ok || !there {
				L.Push(lua.LNil)
				return 1
			}
			L.Push(in.number(float64(v)))
			return 1
		}}
}

func writeNumber(s span, bits int, set func(p *packet.Packet, off int, v uint64) error) *method {
	name := fmt.Sprintf("set_u%d", bits)
	return &method{sig: "(off: integer, v: integer)", doc: fmt.Sprintf("sets the %d bits at offset off", bits),
		fn: func(in *instance, L *lua.LState, p *packet.Packet) int {
			off := in.checkOffset(L, 2)
			v, err := whole(L.Get(3), 1<<bits-1)
			if err == nil {
				err = s.write(p, off, bits/8, func(at int) error { return set(p, at, v) })
			}
			if err != nil {
				return in.state.Raise(L, about(name, err))
			}
			return 0
		}}
}

// write calls set with where n bytes at off are, if they are inside.
func (s span) write(p *packet.Packet, off, n int, set func(at int) error) error {
	at, ok := s.inside(p, off, n)
	if !ok {
		from, to := s(p)
		return fmt.Errorf("%d to %d is outside the %d bytes there are: look at #p:bytes() first", off, off+n, to-from)
	}
	return set(at)
}

// mostBits is how many bits a number of Lua holds exactly.
const mostBits = 53

func readBits(s span) *method {
	return &method{sig: "(bitoff: integer, n: integer): integer?", doc: "the n bits, at most 53, from bit bitoff on, where 0 is the highest of the first byte; nil outside",
		fn: func(in *instance, L *lua.LState, p *packet.Packet) int {
			off := in.checkOffset(L, 2)
			n, err := whole(L.Get(3), mostBits)
			if err != nil {
				return in.state.Raise(L, about("bits: the number of bits", err))
			}
			first, last := off/8, (off+int(n)+7)/8
			at, ok := s.inside(p, first, last-first)
			v, there := p.Bits(at*8+off%8, int(n))
			if !ok || !there {
				L.Push(lua.LNil)
				return 1
			}
			L.Push(in.number(float64(v)))
			return 1
		}}
}

func readBytes(s span) *method {
	return &method{sig: "(off?: integer, len?: integer): string?", doc: "len bytes at off, or all from there; nil outside",
		fn: func(in *instance, L *lua.LState, p *packet.Packet) int {
			from, to := s(p)
			off, n := 0, to-from
			if L.Get(2) != lua.LNil {
				off = in.checkOffset(L, 2)
				n -= off
			}
			if L.Get(3) != lua.LNil {
				n = in.checkOffset(L, 3)
			}
			b, there := []byte(nil), false
			if at, ok := s.inside(p, off, n); ok {
				b, there = p.AppendRange(nil, at, n)
			}
			if !there {
				L.Push(lua.LNil)
				return 1
			}
			return in.pushString(L, string(b))
		}}
}

func writeBytes(s span) *method {
	return &method{sig: "(off: integer, s: string)", doc: "overwrites the bytes at off",
		fn: func(in *instance, L *lua.LState, p *packet.Packet) int {
			v, ok := L.Get(3).(lua.LString)
			if !ok {
				return in.state.Raise(L, fmt.Errorf("set_bytes: want a string, got %s", describe(L.Get(3))))
			}
			in.state.Work(len(v))
			err := s.write(p, in.checkOffset(L, 2), len(v), func(at int) error { return p.SetBytes(at, []byte(v)) })
			if err != nil {
				return in.state.Raise(L, about("set_bytes", err))
			}
			return 0
		}}
}

// checkOffset is argument n, an offset or a length.
func (in *instance) checkOffset(L *lua.LState, n int) int {
	v, err := whole(L.Get(n), math.MaxInt32)
	if err != nil {
		in.state.Raise(L, about("the offset", err))
	}
	return int(v)
}

// pushString gives Lua a text made in Go, which costs in proportion and may be as
// long as Limits.String allows.
func (in *instance) pushString(L *lua.LState, s string) int {
	in.checkLength(L, len(s))
	L.Push(lua.LString(s))
	return 1
}

// checkLength refuses a string of n bytes, or charges for it.
func (in *instance) checkLength(L *lua.LState, n int) {
	if most := in.state.Limits().String; n > most {
		in.state.Raise(L, fmt.Errorf("a string of %d bytes would be longer than %d (limits: string): ask for less, as in p:bytes(0, 100)", n, most))
	}
	in.state.Charge(L, n/bytesAStep)
}

// bytesAStep is how many bytes of a string cost one instruction, as for Lua's own
// library.
const bytesAStep = 32

// What work on packets costs besides their length, in the bytes of State.Work.
const (
	packetWork = 20 * bytesAStep // to make one: a buffer, a parse
	lookedAt   = 8               // bytes that are only looked at or moved are so many times cheaper than those of a string
)

// made charges for a packet of n bytes that is made or copied.
func (in *instance) made(n int) { in.state.Work(packetWork + n) }
