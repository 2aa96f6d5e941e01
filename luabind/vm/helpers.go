package vm

import (
	"math"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// Helpers are Go functions that mend puts in the place of operations which the VM
// does wrong or without bounds. Compiled code finds them as upvalues with names
// that no script can write.
const (
	helperConcat = "(concat)"
	helperLen    = "(len)"
	helperMod    = "(mod)"
)

var helperNames = []string{helperConcat, helperLen, helperMod}

func (s *State) makeHelpers() {
	s.helpers = map[string]*lua.LFunction{
		helperConcat: s.l.NewFunction(s.concat),
		helperLen:    s.l.NewFunction(s.length),
		helperMod:    s.l.NewFunction(s.modulo),
	}
}

// concat is the operator .. over two or more operands. The VM's own writes numbers
// as Go does (0.30000000000000004) and makes strings of any length.
func (s *State) concat(L *lua.LState) int {
	n := L.GetTop()
	total := 0
	for i := 1; i <= n; i++ {
		switch v := L.Get(i).(type) {
		case lua.LString:
			total += len(v)
		case lua.LNumber:
			total += 24
		default:
			return s.concatMeta(L)
		}
	}
	s.limitString(L, min(total, s.exactLen(L, total)))
	var b strings.Builder
	b.Grow(total)
	var num [32]byte
	for i := 1; i <= n; i++ {
		switch v := L.Get(i).(type) {
		case lua.LString:
			b.WriteString(string(v))
		case lua.LNumber:
			b.Write(appendNumber(num[:0], float64(v)))
		}
	}
	L.SetTop(0)
	L.Push(lua.LString(b.String()))
	return 1
}

// exactLen is the length of the result where an estimate is over the limit.
func (s *State) exactLen(L *lua.LState, estimate int) int {
	if estimate <= s.lim.String {
		return estimate
	}
	n := 0
	for i := 1; i <= L.GetTop(); i++ {
		n += len(text(L.Get(i)))
	}
	return n
}

// concatMeta works from the right, pair by pair, asking __concat where an operand
// is neither string nor number.
func (s *State) concatMeta(L *lua.LState) int {
	n := L.GetTop()
	acc := L.Get(n)
	for i := n - 1; i >= 1; i-- {
		left := L.Get(i)
		if isText(left) && isText(acc) {
			a, b := text(left), text(acc)
			s.limitString(L, len(a)+len(b))
			acc = lua.LString(a + b)
			continue
		}
		h := L.GetMetaField(left, "__concat")
		if h == lua.LNil {
			h = L.GetMetaField(acc, "__concat")
		}
		if h == lua.LNil {
			bad, arg := left, i
			if isText(left) {
				bad, arg = acc, i+1
			}
			raise(L, "attempt to concatenate %s", s.blameArg(L, arg, bad))
		}
		L.Push(h)
		L.Push(left)
		L.Push(acc)
		L.Call(2, 1)
		acc = L.Get(-1)
		L.Pop(1)
	}
	L.SetTop(0)
	L.Push(acc)
	return 1
}

// blameArg is "local 'x' (a nil value)" for argument n of a helper.
func (s *State) blameArg(L *lua.LState, n int, v lua.LValue) string {
	typ := v.Type().String()
	f := currentFrame(L).caller()
	if f.ok() && f.calling() {
		in, _ := f.inst()
		return s.blame(f, in.a()+n, typ)
	}
	return "a " + typ + " value"
}

// length is the operator #. The VM's own honours __len of tables, which Lua 5.1
// does not, and searches the end of an array that shrinks from where it once was.
func (s *State) length(L *lua.LState) int {
	switch v := L.Get(1).(type) {
	case *lua.LTable:
		pushInt(L, s.tableLen(v))
	case lua.LString:
		pushInt(L, len(v))
	default:
		h := L.GetMetaField(v, "__len")
		if h == lua.LNil {
			raise(L, "attempt to get length of %s", s.blameArg(L, 1, v))
		}
		L.Push(h)
		L.Push(v)
		L.Call(1, 1)
	}
	return 1
}

// modulo is the operator %, which Lua 5.1 defines as a - floor(a/b)*b. The VM's own
// is C's fmod with the sign put right: -7 % 7 is -0, and 5.3 % 0.1 another number.
func (s *State) modulo(L *lua.LState) int {
	a, aok := toNumberOperand(L.Get(1))
	b, bok := toNumberOperand(L.Get(2))
	if aok && bok {
		r := a - float64(math.Floor(a/b)*b) // the conversion forbids a fused operation
		L.SetTop(0)
		if r >= 0 && r < float64(len(smallInts)) && r == math.Trunc(r) && !math.Signbit(r) {
			L.Push(smallInts[int(r)])
		} else {
			L.Push(lua.LNumber(r))
		}
		return 1
	}
	h := L.GetMetaField(L.Get(1), "__mod")
	if h == lua.LNil {
		h = L.GetMetaField(L.Get(2), "__mod")
	}
	if h == lua.LNil {
		n := 2
		if !aok {
			n = 1
		}
		raise(L, "attempt to perform arithmetic on %s", s.blameArg(L, n, L.Get(n)))
	}
	L.Push(h)
	L.Push(L.Get(1))
	L.Push(L.Get(2))
	L.Call(2, 1)
	return 1
}

func toNumberOperand(v lua.LValue) (float64, bool) {
	switch v := v.(type) {
	case lua.LNumber:
		return float64(v), true
	case lua.LString:
		return parseNumber(string(v))
	}
	return 0, false
}
