package vm

import lua "github.com/yuin/gopher-lua"

// tabSort is PUC Lua's quicksort, step for step, so that a script sees the same
// comparisons in the same order, an inconsistent comparison fails in the same way,
// and equal elements end up in the same places.
func (s *State) tabSort(L *lua.LState) int {
	t := s.writable(L, checkTable(L, 1))
	n := s.tableLen(t)
	var fn *lua.LFunction
	if L.Get(2) != lua.LNil {
		fn = checkFunction(L, 2)
	}
	v := make([]lua.LValue, n+2) // 1-based, one beyond
	s.Charge(L, n/4)
	for i := range v {
		v[i] = rawInt(t, i)
	}
	so := sorter{s: s, L: L, fn: fn, v: v}
	defer func() { // also when the comparison raises: what is done so far shows
		for i := 1; i <= n; i++ {
			t.RawSet(lua.LNumber(i), v[i])
		}
	}()
	so.sort(1, n)
	return 0
}

type sorter struct {
	s  *State
	L  *lua.LState
	fn *lua.LFunction
	v  []lua.LValue
}

func (so *sorter) less(a, b lua.LValue) bool {
	if so.fn == nil {
		if x, ok := a.(lua.LNumber); ok {
			if y, ok := b.(lua.LNumber); ok {
				so.s.Charge(so.L, 1)
				return x < y
			}
		}
		if x, ok := a.(lua.LString); ok {
			if y, ok := b.(lua.LString); ok {
				so.s.Charge(so.L, 1+min(len(x), len(y))/64)
				return x < y
			}
		}
		so.s.Charge(so.L, 1)
		return so.lessMeta(a, b)
	}
	L := so.L
	L.Push(so.fn)
	L.Push(a)
	L.Push(b)
	L.Call(2, 1)
	ok := lua.LVAsBool(L.Get(-1))
	L.Pop(1)
	return ok
}

// lessMeta is the operator < of two values that are not numbers or strings.
func (so *sorter) lessMeta(a, b lua.LValue) bool {
	L := so.L
	if a.Type() == b.Type() {
		h := L.GetMetaField(a, "__lt")
		if h != lua.LNil && h == L.GetMetaField(b, "__lt") {
			L.Push(h)
			L.Push(a)
			L.Push(b)
			L.Call(2, 1)
			ok := lua.LVAsBool(L.Get(-1))
			L.Pop(1)
			return ok
		}
		raise(L, "attempt to compare two %s values", a.Type().String())
	}
	raise(L, "attempt to compare %s with %s", a.Type().String(), b.Type().String())
	return false
}

func (so *sorter) sort(lo, up int) {
	v := so.v
	for lo < up {
		if so.less(v[up], v[lo]) {
			v[lo], v[up] = v[up], v[lo]
		}
		if up-lo == 1 {
			return
		}
		mid := (lo + up) / 2
		if so.less(v[mid], v[lo]) {
			v[mid], v[lo] = v[lo], v[mid]
		} else if so.less(v[up], v[mid]) {
			v[mid], v[up] = v[up], v[mid]
		}
		if up-lo == 2 {
			return
		}
		pivot := v[mid]
		v[mid], v[up-1] = v[up-1], v[mid]
		i, j := lo, up-1
		for {
			for i++; so.less(v[i], pivot); i++ {
				if i > up {
					raise(so.L, "invalid order function for sorting")
				}
			}
			for j--; so.less(pivot, v[j]); j-- {
				if j < lo {
					raise(so.L, "invalid order function for sorting")
				}
			}
			if j < i {
				break
			}
			v[i], v[j] = v[j], v[i]
		}
		v[up-1], v[i] = v[i], v[up-1]
		if i-lo < up-i {
			so.sort(lo, i-1)
			lo = i + 1
		} else {
			so.sort(i+1, up)
			up = i - 1
		}
	}
}
