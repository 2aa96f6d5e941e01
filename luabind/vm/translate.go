package vm

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// translate puts an error message of gopher-lua's VM into PUC Lua's words, with the
// name of the variable to blame, which users search for. It runs when an error is
// raised; f is the frame of L it is raised in. Other texts come back as they are.
func (s *State) translate(msg string, f frame, L *lua.LState) string {
	at := strings.Index(msg, ": ")
	if at < 0 || !f.ok() {
		return msg
	}
	pos, text := msg[:at+2], msg[at+2:]
	if hidden(pos) {
		pos = "" // in the worker of pcall
	}
	if f.fn().IsG {
		msg = pos + text
		if rest, ok := strings.CutPrefix(text, "bad argument #"); ok {
			return pos + "bad argument #" + quoteFunction(rest)
		}
		return msg
	}
	in, ok := f.inst()
	if !ok {
		return msg
	}
	switch {
	case strings.HasPrefix(text, "attempt to index a non-table object("):
		typ, _, _ := strings.Cut(text[len("attempt to index a non-table object("):], ")")
		return pos + "attempt to index " + s.blame(f, indexed(in), typ)
	case text == "attempt to call a non-function object":
		return pos + "attempt to call " + s.blame(f, in.a(), valueType(L, f, in.a()))
	case strings.HasPrefix(text, "cannot perform ") && strings.Contains(text, " operation between "):
		return pos + s.arithmetic(f, in, text)
	case text == "__unm undefined":
		return pos + "attempt to perform arithmetic on " + s.blame(f, in.b(), valueType(L, f, in.b()))
	case text == "__len undefined":
		return pos + "attempt to get length of " + s.blame(f, in.b(), valueType(L, f, in.b()))
	case strings.HasPrefix(text, "attempt to compare "):
		if a, b, ok := strings.Cut(text[len("attempt to compare "):], " with "); ok && a == b {
			return pos + "attempt to compare two " + a + " values"
		}
	case strings.HasPrefix(text, "for statement ") && strings.HasSuffix(text, " must be a number"):
		what := strings.TrimSuffix(text[len("for statement "):], " must be a number")
		if what == "init" {
			what = "initial"
		}
		if what != "limit" && what != "step" {
			what += " value"
		}
		return pos + "'for' " + what + " must be a number"
	case text == "too many recursions in gettable":
		return pos + "loop in gettable"
	case text == "too many recursions in settable":
		return pos + "loop in settable"
	case text == "registry overflow":
		return pos + "stack overflow"
	}
	return msg
}

// quoteFunction puts the function's name in "1 to NAME (...)" into quotes.
func quoteFunction(rest string) string {
	num, after, ok := strings.Cut(rest, " to ")
	name, tail, ok2 := strings.Cut(after, " (")
	if !ok || !ok2 || strings.HasPrefix(name, "'") {
		return rest
	}
	return num + " to '" + name + "' (" + tail
}

// indexed is the register of the object that an indexing instruction works on.
func indexed(in instruction) int {
	switch in.op() {
	case lua.OP_SETTABLE, lua.OP_SETTABLEKS:
		return in.a()
	}
	return in.b()
}

// blame is "local 'x' (a nil value)", or "a nil value" if the value has no name.
func (s *State) blame(f frame, reg int, typ string) string {
	if reg&bitRK == 0 {
		if kind, name := nameOf(f, reg); name != "" {
			return kind + " '" + name + "' (a " + typ + " value)"
		}
	}
	return "a " + typ + " value"
}

// arithmetic blames the operand that is no number; PUC Lua takes the second if
// both are not.
func (s *State) arithmetic(f frame, in instruction, text string) string {
	_, types, _ := strings.Cut(text, " operation between ")
	left, right, _ := strings.Cut(types, " and ")
	typ, reg := left, in.b()
	if left == "number" || left == "string" && right != "number" && right != "string" {
		typ, reg = right, in.c()
	}
	return "attempt to perform arithmetic on " + s.blame(f, reg, typ)
}

// valueType is the type of the value in a register of f, a frame of L.
func valueType(L *lua.LState, f frame, reg int) string {
	if reg&bitRK != 0 {
		if p := f.fn().Proto; reg&^bitRK < len(p.Constants) {
			return p.Constants[reg&^bitRK].Type().String()
		}
	}
	return register(L, f, reg).Type().String()
}

// onPanic stands where gopher-lua keeps the function that turns a raised error into
// a Go panic: the one moment when the frames and registers of a coroutine are still
// as they were.
func (s *State) onPanic(L *lua.LState) {
	v := L.Get(-1)
	if text, ok := v.(lua.LString); ok && s.fatal == nil {
		v = lua.LString(s.translate(string(text), currentFrame(L), L))
	}
	if L == s.l && s.fatal == nil {
		// No pcall runs its body on the main coroutine: this ends the entry.
		s.failure = s.makeError(v, currentFrame(L), L)
	}
	// With a trace of its own gopher-lua makes none, which has a line for every tail
	// call ever made.
	panic(&lua.ApiError{Type: lua.ApiErrorRun, Object: v, StackTrace: " "})
}
