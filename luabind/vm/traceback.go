package vm

import (
	"fmt"
	"strconv"

	lua "github.com/yuin/gopher-lua"
)

// maxTrace is how many frames a traceback shows: the inner ones, then the outer.
const maxTrace = 20

// locate fills in where e happened: f is the innermost frame of L. Frames of the
// host are left out; a pcall's coroutine continues in the one that called pcall.
func (s *State) locate(e *Error, f frame, L *lua.LState) {
	if L == nil {
		return
	}
	var lines []string
	for n := 0; n < 10_000; n++ {
		for !f.ok() || f.fn() == s.fnWorker {
			t := s.threads[L]
			if t == nil || t.kind != kindCall || t.owner == nil {
				e.Traceback = shorten(lines)
				return
			}
			L = t.owner
			f = currentFrame(L)
		}
		if fn := f.fn(); !fn.IsG {
			if e.Script == "" {
				e.Script, e.Line = fn.Proto.SourceName, f.line()
			}
			lines = append(lines, fn.Proto.SourceName+":"+strconv.Itoa(f.line())+": in "+describeCall(f))
		}
		f = f.caller()
	}
	e.Traceback = shorten(lines)
}

func shorten(lines []string) []string {
	if len(lines) <= maxTrace {
		return lines
	}
	out := append([]string{}, lines[:maxTrace/2]...)
	out = append(out, fmt.Sprintf("... %d more", len(lines)-maxTrace))
	return append(out, lines[len(lines)-maxTrace/2:]...)
}

// describeCall says which function a frame runs, as PUC Lua's tracebacks do.
func describeCall(f frame) string {
	p := f.fn().Proto
	if p.LineDefined == 0 {
		return "main chunk"
	}
	if f.tailCalls() == 0 {
		if _, name := calledAs(f); name != "" {
			return "function '" + name + "'"
		}
	}
	return fmt.Sprintf("function <%s:%d>", p.SourceName, p.LineDefined)
}

// calledAs says how the caller of f names the function it called: kind is global,
// local, method, field or upvalue; both are empty if it has no name.
func calledAs(f frame) (kind, name string) {
	c := f.caller()
	if !c.ok() || !c.calling() || hidden(c.fn().Proto.SourceName) {
		return "", ""
	}
	in, _ := c.inst()
	return nameOf(c, in.a())
}

// nameOf says what the value in register reg of f is called in the source, by
// looking for the instruction that put it there.
func nameOf(f frame, reg int) (kind, name string) {
	p := f.fn().Proto
	pc := f.pc() - 1
	if name, ok := localName(p, reg, pc); ok {
		return "local", name
	}
	set := findSet(p, reg, pc)
	if set < 0 {
		return "", ""
	}
	in := instruction(p.Code[set])
	switch in.op() {
	case lua.OP_GETGLOBAL:
		return "global", constant(p, in.bx())
	case lua.OP_GETTABLEKS, lua.OP_GETTABLE:
		return "field", constantRK(p, in.c())
	case lua.OP_SELF:
		return "method", constantRK(p, in.c())
	case lua.OP_GETUPVAL:
		if in.b() < len(p.DbgUpvalues) && !hidden(p.DbgUpvalues[in.b()]) {
			return "upvalue", p.DbgUpvalues[in.b()]
		}
	case lua.OP_MOVE:
		if in.b() < in.a() {
			if name, ok := localName(p, in.b(), set); ok {
				return "local", name
			}
		}
	}
	return "", ""
}

func constant(p *lua.FunctionProto, i int) string {
	if i < len(p.Constants) {
		if s, ok := p.Constants[i].(lua.LString); ok {
			return string(s)
		}
	}
	return ""
}

// constantRK is the string constant that an operand is, or "?", as PUC Lua has it.
func constantRK(p *lua.FunctionProto, rk int) string {
	if rk&bitRK != 0 {
		if s := constant(p, rk&^bitRK); s != "" {
			return s
		}
	}
	return "?"
}

// findSet is the last instruction before pc that sets register reg, or -1. Like
// PUC Lua's symbexec it follows forward jumps that end before pc.
func findSet(p *lua.FunctionProto, reg, pc int) int {
	set := -1
	for i := 0; i < pc; i++ {
		in := instruction(p.Code[i])
		a := in.a()
		switch in.op() {
		case lua.OP_JMP:
			if to := i + 1 + in.bx() - 131071; to > i && to <= pc {
				i = to - 1
			}
		case lua.OP_CALL:
			if reg >= a {
				set = i
			}
		case lua.OP_TFORLOOP:
			if reg >= a+2 {
				set = i
			}
		case lua.OP_SELF:
			if reg == a || reg == a+1 {
				set = i
			}
		case lua.OP_LOADNIL:
			if reg >= a && reg <= in.b() {
				set = i
			}
		case lua.OP_MOVEN:
			for n := in.c(); n >= 0; n-- {
				if m := instruction(p.Code[i]); m.a() == reg {
					set = i
				}
				if n > 0 {
					i++
				}
			}
		case lua.OP_VARARG:
			if reg >= a && (in.b() == 0 || reg < a+in.b()-1) {
				set = i
			}
		case lua.OP_CLOSURE:
			if reg == a {
				set = i
			}
			i += int(p.FunctionPrototypes[in.bx()].NumUpvalues)
		case lua.OP_FORLOOP, lua.OP_FORPREP:
			if reg >= a && reg <= a+3 {
				set = i
			}
		case lua.OP_SETGLOBAL, lua.OP_SETUPVAL, lua.OP_SETTABLE, lua.OP_SETTABLEKS, lua.OP_EQ, lua.OP_LT, lua.OP_LE,
			lua.OP_TEST, lua.OP_RETURN, lua.OP_TAILCALL, lua.OP_SETLIST, lua.OP_CLOSE, lua.OP_NOP:
		default:
			if reg == a {
				set = i
			}
		}
	}
	return set
}
