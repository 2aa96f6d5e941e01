package vm

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// localName is the local variable that lives in register reg at instruction pc.
// gopher-lua ends the scopes of the wrong variables in its debug information;
// mend has put them right.
func localName(p *lua.FunctionProto, reg, pc int) (string, bool) {
	for _, v := range p.DbgLocals {
		if v.StartPc > pc {
			break
		}
		if pc < v.EndPc {
			if reg == 0 {
				if hidden(v.Name) {
					return "", false
				}
				return v.Name, true
			}
			reg--
		}
	}
	return "", false
}

// hidden reports whether a name is one that mend or the compiler made up.
func hidden(name string) bool { return strings.HasPrefix(name, "(") }

// mendScopes corrects where p and the functions in it end the scopes of their
// variables. A variable lives until the next one takes its register, and no
// further than the last line of its block.
func mendScopes(p *lua.FunctionProto, f *function) {
	if len(f.locals) != len(p.DbgLocals) || len(f.children) != len(p.FunctionPrototypes) {
		p.DbgLocals = nil // names in messages are not worth a wrong one
		return
	}
	for i, v := range p.DbgLocals {
		v.EndPc = len(p.Code)
		for j := i + 1; j < len(p.DbgLocals); j++ {
			if f.locals[j].register <= f.locals[i].register {
				v.EndPc = p.DbgLocals[j].StartPc
				break
			}
		}
		if last := f.locals[i].lastLine; last > 0 {
			for pc := v.StartPc; pc < v.EndPc && pc < len(p.DbgSourcePositions); pc++ {
				if p.DbgSourcePositions[pc] > last {
					v.EndPc = pc
				}
			}
		}
	}
	for i, c := range f.children {
		mendScopes(p.FunctionPrototypes[i], c)
	}
}
