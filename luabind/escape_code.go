package luabind

import (
	"sync"

	lua "github.com/yuin/gopher-lua"
)

// The fields of an instruction of gopher-lua: 6 bits of operation, 8 of A, 9 of C,
// 9 of B, from the top; B and C above 255 are constants.
func opcode(i uint32) int { return int(i >> 26) }
func argA(i uint32) int   { return int(i>>18) & 0xff }
func argB(i uint32) int   { return int(i & 0x1ff) }
func argC(i uint32) int   { return int(i>>9) & 0x1ff }
func argBx(i uint32) int  { return int(i & 0x3ffff) }
func argSbx(i uint32) int { return argBx(i) - 0x1ffff }

// words is how many words follow the instruction at pc that are none: what a
// closure captures, the number of a large SETLIST.
func (f *tracer) words(pc int) int {
	switch i := f.proto.Code[pc]; opcode(i) {
	case lua.OP_CLOSURE:
		return int(f.proto.FunctionPrototypes[argBx(i)].NumUpvalues)
	case lua.OP_SETLIST:
		if argC(i) == 0 {
			return 1
		}
	}
	return 0
}

// names says which names give no packet and no layer, wherever they stand.
var names = sync.OnceValue(func() (n struct{ plainFields, plainMethods map[string]bool }) {
	n.plainFields, n.plainMethods = map[string]bool{}, map[string]bool{}
	layers := append(headerLayers(), packetLayer(), optionsLayer())
	for _, l := range layers {
		for name := range l.fields {
			n.plainFields[name] = true
		}
		for name := range l.methods {
			n.plainMethods[name] = true
		}
	}
	for _, l := range layers {
		delete(n.plainFields, l.name)
		for name, m := range l.methods {
			delete(n.plainFields, name)
			if m.gives {
				delete(n.plainMethods, name)
			}
		}
	}
	return n
})
