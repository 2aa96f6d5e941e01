package vm

import lua "github.com/yuin/gopher-lua"

// boxKeys has p and its inner functions read and write fields by the key as a Lua
// value, which the constants hold, rather than as a Go string. The meaning is the
// same. gopher-lua's instructions for string keys are made for tables; where the
// object is a userdata with an __index function they make a Lua value of the key
// again, 16 bytes on the heap each time, and packets are such userdata.
func boxKeys(p *lua.FunctionProto) {
	for i := 0; i < len(p.Code); i++ {
		switch p.Code[i] >> 26 {
		case uint32(lua.OP_GETTABLEKS):
			p.Code[i] = p.Code[i]&0x3ffffff | uint32(lua.OP_GETTABLE)<<26
		case uint32(lua.OP_SETTABLEKS):
			p.Code[i] = p.Code[i]&0x3ffffff | uint32(lua.OP_SETTABLE)<<26
		case uint32(lua.OP_SETLIST):
			if p.Code[i]>>9&0x1ff == 0 {
				i++ // the next word is a number
			}
		}
	}
	for _, inner := range p.FunctionPrototypes {
		boxKeys(inner)
	}
}
