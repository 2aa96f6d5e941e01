package vm

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// baseLib are the global functions, but pcall.
func (s *State) baseLib() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"assert":       s.assert,
		"error":        s.error,
		"getmetatable": getMetatable,
		"ipairs":       s.ipairs,
		"load":         s.load,
		"loadstring":   s.load,
		"next":         s.nextFunction,
		"pairs":        s.pairs,
		"print":        s.print,
		"rawequal":     s.rawEqual,
		"rawget":       s.rawGet,
		"rawset":       s.rawSet,
		"require":      s.require,
		"select":       s.selectArgs,
		"setmetatable": s.setMetatable,
		"tonumber":     s.toNumber,
		"tostring":     s.tostring,
		"type":         typeOf,
		"unpack":       s.unpack,
		"xpcall":       s.xpcall,
	}
}

func (s *State) assert(L *lua.LState) int {
	if lua.LVAsBool(checkAny(L, 1)) {
		return L.GetTop()
	}
	raise(L, "%s", optString(L, 2, "assertion failed!"))
	return 0
}

func getMetatable(L *lua.LState) int {
	L.Push(L.GetMetatable(checkAny(L, 1)))
	return 1
}

func (s *State) setMetatable(L *lua.LState) int {
	t := checkTable(L, 1)
	mt := L.Get(2)
	if _, ok := mt.(*lua.LTable); !ok && (mt != lua.LNil || L.GetTop() < 2) {
		argError(L, 2, "nil or table expected")
	}
	if L.GetMetaField(t, "__metatable") != lua.LNil {
		raise(L, "cannot change a protected metatable")
	}
	t.Metatable = mt
	L.SetTop(1)
	return 1
}

func (s *State) nextFunction(L *lua.LState) int {
	s.chargeKey(L, L.Get(2))
	k, v := s.next(L, s.Shown(checkTable(L, 1)), L.Get(2))
	if k == lua.LNil {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(k)
	L.Push(v)
	return 2
}

func (s *State) pairs(L *lua.LState) int {
	t := checkTable(L, 1)
	L.Push(s.fnNext)
	L.Push(t)
	L.Push(lua.LNil)
	return 3
}

func (s *State) ipairs(L *lua.LState) int {
	t := checkTable(L, 1)
	L.Push(s.fnIpairs)
	L.Push(t)
	L.Push(smallInts[0])
	return 3
}

func (s *State) ipairsNext(L *lua.LState) int {
	t := checkTable(L, 1)
	i := checkInt(L, 2) + 1
	v := rawInt(t, i)
	if v == lua.LNil {
		return 0
	}
	pushInt(L, i)
	L.Push(v)
	return 2
}

// rawInt is t[i] without metamethods. RawGetInt of gopher-lua sees the array alone.
func rawInt(t *lua.LTable, i int) lua.LValue {
	if 0 < i && i < maxArrayIndex {
		return t.RawGetInt(i)
	}
	return t.RawGetH(lua.LNumber(i))
}

func (s *State) rawEqual(L *lua.LState) int {
	s.chargeKey(L, L.Get(1))
	L.Push(lua.LBool(checkAny(L, 1) == checkAny(L, 2)))
	return 1
}

func (s *State) rawGet(L *lua.LState) int {
	s.chargeKey(L, L.Get(2))
	L.Push(s.Shown(checkTable(L, 1)).RawGet(checkAny(L, 2)))
	return 1
}

func (s *State) rawSet(L *lua.LState) int {
	t := s.writable(L, checkTable(L, 1))
	k, v := checkAny(L, 2), checkAny(L, 3)
	// Errors in the words of lua_rawset, which has no position to give.
	if n, ok := k.(lua.LNumber); ok && n != n {
		L.Error(lua.LString("table index is NaN"), 0)
	} else if k == lua.LNil {
		L.Error(lua.LString("table index is nil"), 0)
	}
	s.chargeKey(L, k)
	t.RawSet(k, v)
	L.SetTop(1)
	return 1
}

func (s *State) selectArgs(L *lua.LState) int {
	n := L.GetTop()
	if n > 64 {
		s.Charge(L, n/8)
	}
	if str, ok := L.Get(1).(lua.LString); ok && len(str) > 0 && str[0] == '#' {
		pushInt(L, n-1)
		return 1
	}
	i := checkInt(L, 1)
	if i < 0 {
		i = n + i
	} else if i > n {
		i = n
	}
	if i < 1 {
		argError(L, 1, "index out of range")
	}
	return n - i
}

func (s *State) toNumber(L *lua.LState) int {
	if str, ok := L.Get(1).(lua.LString); ok {
		s.Charge(L, len(str)/16)
	}
	base := optInt(L, 2, 10)
	if base == 10 {
		switch v := checkAny(L, 1).(type) {
		case lua.LNumber:
			L.Push(v)
			return 1
		case lua.LString:
			if f, ok := parseNumber(string(v)); ok {
				L.Push(lua.LNumber(f))
				return 1
			}
		}
		L.Push(lua.LNil)
		return 1
	}
	str := checkString(L, 1)
	if base < 2 || base > 36 {
		argError(L, 2, "base out of range")
	}
	if f, ok := parseBase(str, base); ok {
		L.Push(lua.LNumber(f))
	} else {
		L.Push(lua.LNil)
	}
	return 1
}

func (s *State) tostring(L *lua.LState) int {
	v := checkAny(L, 1)
	if str, ok := v.(lua.LString); ok {
		L.Push(str)
		return 1
	}
	if n, ok := v.(lua.LNumber); ok {
		pushString(L, formatNumber(float64(n)))
		return 1
	}
	L.Push(s.toStringValue(L, v))
	return 1
}

// toStringValue is what tostring returns; __tostring may return anything.
func (s *State) toStringValue(L *lua.LState, v lua.LValue) lua.LValue {
	switch v := v.(type) {
	case lua.LString:
		return v
	case lua.LNumber:
		return lua.LString(formatNumber(float64(v)))
	}
	h := L.GetMetaField(v, "__tostring")
	if h == lua.LNil {
		return lua.LString(v.String())
	}
	L.Push(h)
	L.Push(v)
	L.Call(1, 1)
	r := L.Get(-1)
	L.Pop(1)
	return r
}

// Tostring is what Lua's tostring makes of v, numbers in PUC Lua's format and
// __tostring included, which runs under the budget of the running entry. L is the
// one that the calling binding was given.
func (s *State) Tostring(L *lua.LState, v lua.LValue) string {
	r := s.toStringValue(L, v)
	if isText(r) {
		return text(r)
	}
	raise(L, "'tostring' must return a string to 'print'")
	return ""
}

func (s *State) print(L *lua.LState) int {
	var b strings.Builder
	for i := 1; i <= L.GetTop(); i++ {
		if i > 1 {
			b.WriteByte('\t')
		}
		part := s.Tostring(L, L.Get(i))
		s.limitString(L, b.Len()+len(part))
		b.WriteString(part)
	}
	s.Charge(L, 20)
	s.opt.Print(b.String())
	return 0
}

func typeOf(L *lua.LState) int {
	L.Push(typeNames[checkAny(L, 1).Type()])
	return 1
}

// typeNames are ready as values, so that type allocates nothing.
var typeNames = func() (v [int(lua.LTChannel) + 1]lua.LValue) {
	for i := range v {
		v[i] = lua.LString(lua.LValueType(i).String())
	}
	return v
}()

func (s *State) unpack(L *lua.LState) int {
	t := s.Shown(checkTable(L, 1))
	i := optInt(L, 2, 1)
	j := 0
	if L.Get(3) == lua.LNil {
		j = s.tableLen(t)
	} else {
		j = checkInt(L, 3)
	}
	if i > j {
		return 0
	}
	n := uint64(j) - uint64(i) + 1
	if n == 0 || n >= maxResults {
		raise(L, "too many results to unpack")
	}
	if n > 16 {
		s.Charge(L, int(n/4))
	}
	for k := range int(n) {
		L.Push(rawInt(t, i+k))
	}
	return int(n)
}
