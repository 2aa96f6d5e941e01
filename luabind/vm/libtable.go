package vm

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

func (s *State) tableLib() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"concat":   s.tabConcat,
		"foreach":  s.tabForeach,
		"foreachi": s.tabForeachi,
		"getn":     s.tabGetn,
		"insert":   s.tabInsert,
		"maxn":     s.tabMaxn,
		"remove":   s.tabRemove,
		"setn":     func(L *lua.LState) int { raise(L, "'setn' is obsolete"); return 0 },
		"sort":     s.tabSort,
	}
}

func (s *State) tabGetn(L *lua.LState) int {
	pushInt(L, s.tableLen(s.Shown(checkTable(L, 1))))
	return 1
}

func (s *State) tabMaxn(L *lua.LState) int {
	t := s.Shown(checkTable(L, 1))
	most := lua.LNumber(0)
	n := 0
	t.ForEach(func(k, _ lua.LValue) {
		n++
		if f, ok := k.(lua.LNumber); ok && f > most {
			most = f
		}
	})
	s.Charge(L, n)
	L.Push(most)
	return 1
}

func (s *State) tabConcat(L *lua.LState) int {
	t := s.Shown(checkTable(L, 1))
	sep := optString(L, 2, "")
	i := optInt(L, 3, 1)
	j := 0
	if L.Get(4) == lua.LNil {
		j = s.tableLen(t)
	} else {
		j = checkInt(L, 4)
	}
	total := 0
	for k := i; k <= j; k++ {
		v := rawInt(t, k)
		switch v := v.(type) {
		case lua.LString:
			total += len(v)
		case lua.LNumber:
			total += 8
		default:
			raise(L, "invalid value (%s) at index %d in table for 'concat'", v.Type().String(), k)
		}
		if k < j {
			total += len(sep)
		}
		if (k-i)&255 == 255 {
			s.Charge(L, 128)
			if total > s.lim.String {
				break
			}
		}
	}
	s.limitString(L, total)
	var b strings.Builder
	b.Grow(total)
	var num [32]byte
	for k := i; k <= j; k++ {
		switch v := rawInt(t, k).(type) {
		case lua.LString:
			b.WriteString(string(v))
		case lua.LNumber:
			b.Write(appendNumber(num[:0], float64(v)))
		}
		if k < j {
			b.WriteString(sep)
		}
		if k == j {
			break // j may be the largest int
		}
	}
	pushString(L, b.String())
	return 1
}

// tabInsert follows PUC Lua, which moves elements up one by one; only a plain
// insertion into the array part is done in one go.
func (s *State) tabInsert(L *lua.LState) int {
	t := s.writable(L, checkTable(L, 1))
	n := s.tableLen(t) + 1
	var v lua.LValue
	pos := n
	switch L.GetTop() {
	case 2:
		v = L.Get(2)
	case 3:
		pos = checkInt(L, 2)
		if pos > n {
			n = pos
		}
		v = L.Get(3)
		if pos >= 1 && n == arrayLen(t)+1 && n < maxArrayIndex && pos < n {
			s.Charge(L, (n-pos)/16)
			t.Insert(pos, v)
			return 0
		}
		if n-pos > 0 {
			s.Charge(L, n-pos)
		}
		for i := n; i > pos; i-- {
			t.RawSet(lua.LNumber(i), rawInt(t, i-1))
		}
	default:
		raise(L, "wrong number of arguments to 'insert'")
	}
	t.RawSet(lua.LNumber(pos), v)
	return 0
}

func (s *State) tabRemove(L *lua.LState) int {
	t := s.writable(L, checkTable(L, 1))
	n := s.tableLen(t)
	pos := optInt(L, 2, n)
	if pos < 1 || pos > n {
		return 0
	}
	v := rawInt(t, pos)
	if n == arrayLen(t) {
		s.Charge(L, (n-pos)/16)
		t.Remove(pos)
	} else {
		s.Charge(L, n-pos)
		for i := pos; i < n; i++ {
			t.RawSet(lua.LNumber(i), rawInt(t, i+1))
		}
		t.RawSet(lua.LNumber(n), lua.LNil)
	}
	L.Push(v)
	return 1
}

func (s *State) tabForeach(L *lua.LState) int {
	t := s.Shown(checkTable(L, 1))
	fn := checkFunction(L, 2)
	for k, v := s.next(L, t, lua.LNil); k != lua.LNil; k, v = s.next(L, t, k) {
		L.Push(fn)
		L.Push(k)
		L.Push(v)
		L.Call(2, 1)
		if L.Get(-1) != lua.LNil {
			return 1
		}
		L.Pop(1)
	}
	return 0
}

func (s *State) tabForeachi(L *lua.LState) int {
	t := s.Shown(checkTable(L, 1))
	fn := checkFunction(L, 2)
	n := s.tableLen(t)
	for i := 1; i <= n; i++ {
		L.Push(fn)
		pushInt(L, i)
		L.Push(rawInt(t, i))
		L.Call(2, 1)
		if L.Get(-1) != lua.LNil {
			return 1
		}
		L.Pop(1)
	}
	return 0
}
