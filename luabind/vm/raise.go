package vm

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// raise raises an error positioned at the line that called the running Go
// function. It does not return.
func raise(L *lua.LState, format string, args ...any) {
	text := format
	if len(args) > 0 {
		text = fmt.Sprintf(format, args...)
	}
	L.Error(lua.LString(positionOf(currentFrame(L).caller())+text), 0)
}

// argError raises what PUC Lua's luaL_argerror does.
func argError(L *lua.LState, n int, msg string) {
	f := currentFrame(L)
	kind, name := calledAs(f)
	if kind == "method" {
		if n--; n == 0 {
			raise(L, "calling '%s' on bad self", name)
		}
	}
	if name == "" {
		name = "?"
	}
	raise(L, "bad argument #%d to '%s' (%s)", n, name, msg)
}

// typeError raises what PUC Lua's luaL_typerror does.
func typeError(L *lua.LState, n int, want string) {
	argError(L, n, want+" expected, got "+typeName(L, n))
}

func typeName(L *lua.LState, n int) string {
	if n > L.GetTop() {
		return "no value"
	}
	return L.Get(n).Type().String()
}

// positionOf is "name:line: ", or "" of a Go function or no frame.
func positionOf(f frame) string {
	if !f.ok() {
		return ""
	}
	line := f.line()
	if line == 0 {
		return ""
	}
	return f.fn().Proto.SourceName + ":" + strconv.Itoa(line) + ": "
}

func (s *State) whereFrame(f frame) string {
	if f.ok() && f.fn().IsG {
		f = f.caller()
	}
	return positionOf(f)
}

// where is the position that error at this level stands for: 1 is who called the
// running Go function. It looks through pcall into the coroutine that called it.
func (s *State) where(L *lua.LState, level int) string {
	f := currentFrame(L)
	for ; level > 0 && f.ok(); level-- {
		if !f.fn().IsG {
			if level -= f.tailCalls(); level <= 0 {
				return "" // a call whose frame a tail call has taken
			}
		}
		f = f.caller()
		if f.ok() && !f.caller().ok() {
			// The first frame of a pcall's coroutine stands for pcall itself.
			if t := s.threads[L]; t != nil && t.kind == kindCall && t.owner != nil {
				L = t.owner
				f = currentFrame(L)
			}
		}
	}
	return positionOf(f)
}

// error is Lua's error.
func (s *State) error(L *lua.LState) int {
	level := optInt(L, 2, 1)
	v := L.Get(1)
	if level > 0 {
		switch v.(type) {
		case lua.LString, lua.LNumber:
			v = lua.LString(s.where(L, level) + text(v))
		}
	}
	L.Error(v, 0)
	return 0
}

// errorValue is the Lua value that stands for a Go error, and remembers which.
func (s *State) errorValue(where string, err error) lua.LValue {
	text := where + clip(err.Error())
	s.cause, s.causeText = err, text
	return lua.LString(text)
}

// Raise raises err as a Lua error from inside a binding, positioned at the script's
// line. A script's pcall sees its text; an [*Error] that comes of it has it as
// Cause. It does not return; the int is for "return s.Raise(L, err)".
func (s *State) Raise(L *lua.LState, err error) int {
	if e, ok := errors.AsType[*Error](err); ok && e == s.fatal {
		s.raiseFatal(L)
	}
	L.Error(s.errorValue(s.where(L, 1), err), 0)
	return 0
}

// makeError is the Error of the Lua value v, raised with f as innermost frame of L.
func (s *State) makeError(v lua.LValue, f frame, L *lua.LState) *Error {
	e := &Error{Reason: Runtime}
	switch v := v.(type) {
	case lua.LString:
		e.Script, e.Line, e.Message = splitPosition(string(v))
		if s.cause != nil && string(v) == s.causeText {
			e.Cause = s.cause
		}
	case lua.LNumber:
		e.Message = formatNumber(float64(v))
	case *lua.LNilType:
		e.Message = "error raised without a value: error(nil)"
	default:
		e.Message = "error object is a " + v.Type().String() + " value"
		if t, ok := s.describeObject(v); ok {
			e.Message = t
		}
	}
	e.Message = clip(e.Message)
	script, line := e.Script, e.Line
	s.locate(e, f, L)
	if line != 0 {
		e.Script, e.Line = script, line
	}
	if s.threw != nil && v == s.threw && len(e.Traceback) > 0 {
		// Raised by the checkpoint before the next instruction, which may stand in
		// another line than the call that waited.
		_, in, _ := strings.Cut(e.Traceback[0], ": in ")
		e.Traceback[0] = fmt.Sprintf("%s:%d: in %s", e.Script, e.Line, in)
	}
	return e
}

// describeObject asks the __tostring of an error object, under what is left of the
// entry's budget.
func (s *State) describeObject(v lua.LValue) (string, bool) {
	if s.fatal != nil || s.depth == 0 {
		return "", false
	}
	L := s.l.G.CurrentThread
	h, ok := L.GetMetaField(v, "__tostring").(*lua.LFunction)
	if !ok {
		return "", false
	}
	s.cause = nil
	defer func() { _ = recover() }()
	base := L.GetTop()
	L.Push(s.fnPcall)
	L.Push(h)
	L.Push(v)
	L.Call(2, 2)
	good, res := L.Get(-2) == lua.LTrue, L.Get(-1)
	L.SetTop(base)
	if str, ok := res.(lua.LString); ok && good {
		return clip(string(str)), true
	}
	return "", false
}

// splitPosition takes "name:line: text" apart.
func splitPosition(s string) (script string, line int, message string) {
	for i := 0; i < len(s) && s[i] != '\n'; {
		colon := strings.IndexByte(s[i:], ':')
		if colon < 0 {
			break
		}
		i += colon + 1
		end := i
		for end < len(s) && end < i+9 && '0' <= s[end] && s[end] <= '9' {
			end++
		}
		if end > i && strings.HasPrefix(s[end:], ": ") {
			line, _ = strconv.Atoi(s[i:end])
			return strings.Clone(s[:i-1]), line, s[end+2:]
		}
	}
	return "", 0, s
}

// clip is text short enough for a log, and not a part of some larger string.
func clip(text string) string {
	if len(text) > maxErrorText {
		return text[:maxErrorText] + "..."
	}
	return strings.Clone(text)
}
