package vm

import (
	"reflect"

	lua "github.com/yuin/gopher-lua"
)

// maxArrayIndex is the first positive integer key that goes into the hash part of a
// table. gopher-lua fills the array part with nils up to any key below its variable
// MaxArrayIndex, by default 67 million: t[2^26-1] = 1 takes 13 s and 6 GB, and no
// instruction count shows it. At 1,024 the same costs 5 us. Longer arrays work, only
// less fast.
const maxArrayIndex = 1 << 10

// This is the one place where tunscript sets a variable of another package. It
// holds for every user of gopher-lua in the process, must happen before the first
// table is made and never change afterwards (keys would be looked for in the wrong
// part), so it cannot be an option.
var _ = func() bool { lua.MaxArrayIndex = maxArrayIndex; return true }()

// tableLen is the length of t without __len. gopher-lua's Len walks back over nils
// at the end of the array each time, so that popping n values off a stack takes n*n
// steps; here the nils are cut off once they are many.
func (s *State) tableLen(t *lua.LTable) int {
	n := t.Len()
	if have := arrayLen(t); have-n > 16 {
		for ; have > n; have-- {
			t.Remove(have)
		}
	}
	if n == maxArrayIndex-1 {
		return hashBorder(t, n)
	}
	return n
}

// hashBorder finds the end of an array that goes on in the hash part after n, as
// PUC Lua's unbound_search does: double, then halve.
func hashBorder(t *lua.LTable, n int) int {
	has := func(i int) bool { return t.RawGet(lua.LNumber(i)) != lua.LNil }
	lo, hi := n, n+1
	for has(hi) {
		lo = hi
		if hi *= 2; hi > 1<<40 {
			return lo
		}
	}
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; has(mid) {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

func tableField(t *lua.LTable, i int) reflect.Value { return reflect.ValueOf(t).Elem().Field(i) }

// arrayLen is how long the array part of t is, nils at the end included.
func arrayLen(t *lua.LTable) int { return tableField(t, inner.tabArray).Len() }

// Places is how many places of t a walk over it goes through: its elements, and keys that
// are there or once were.
func Places(t *lua.LTable) int {
	return arrayLen(t) + tableField(t, inner.tabKeys).Len()
}

// next is Lua's next. Keys of a gopher-lua table are never forgotten: each deleted
// one stays in its list of keys, to be skipped by every later traversal and to be
// kept for good. So a traversal that begins where deleted keys are in the majority
// first rebuilds the table without them.
func (s *State) next(L *lua.LState, t *lua.LTable, key lua.LValue) (lua.LValue, lua.LValue) {
	if key == lua.LNil {
		s.compact(L, t)
	} else if n, ok := key.(lua.LNumber); ok && n > 0 && n < maxArrayIndex && n == lua.LNumber(int(n)) {
		// Keys of an array that has been cut short since.
		if have := arrayLen(t); have == 0 {
			key = lua.LNil
		} else if int(n) > have {
			key = lua.LNumber(have)
		}
	} else if t.RawGetH(key) == lua.LNil && !known(t, key) {
		raise(L, "invalid key to 'next'")
	}
	return t.Next(key)
}

// compact rebuilds t if most of its keys have been deleted. The cost is paid by
// the deletions. A traversal under way elsewhere keeps its place: its key, which is
// in a register, stays listed even if deleted.
func (s *State) compact(L *lua.LState, t *lua.LTable) {
	keys := tableField(t, inner.tabKeys)
	live := tableField(t, inner.tabStr).Len() + tableField(t, inner.tabDict).Len()
	if keys.Len() <= 2*live+64 {
		return
	}
	s.Charge(L, keys.Len()/16)
	s.rebuild(t, s.registerValues())
}

// rebuild replaces the insides of t by a copy without deleted keys, but those in
// keep.
func (s *State) rebuild(t *lua.LTable, keep map[lua.LValue]bool) {
	n := arrayLen(t)
	live := tableField(t, inner.tabStr).Len() + tableField(t, inner.tabDict).Len()
	fresh := s.l.CreateTable(n, live)
	for i := 1; i <= n; i++ {
		fresh.RawSetInt(i, t.RawGetInt(i))
	}
	keys := tableField(t, inner.tabKeys)
	for i := range keys.Len() {
		k := value(keys.Index(i))
		v := t.RawGetH(k)
		switch {
		case v != lua.LNil:
			fresh.RawSetH(k, v)
		case keep[k]:
			fresh.RawSetH(k, lua.LTrue)
			fresh.RawSetH(k, lua.LNil)
		}
	}
	fresh.Metatable = t.Metatable
	*t = *fresh
}

// registerValues is every value in a register of any coroutine that could be the
// key of a traversal.
func (s *State) registerValues() map[lua.LValue]bool {
	set := map[lua.LValue]bool{}
	add := func(th *lua.LState) {
		regs := registers(th)
		for i := range regs.Len() {
			if v := value(regs.Index(i)); v != lua.LNil {
				set[v] = true
			}
		}
	}
	add(s.l)
	for th := range s.threads {
		add(th)
	}
	return set
}

// known reports whether key is or was in the hash part of t.
func known(t *lua.LTable, key lua.LValue) bool {
	return tableField(t, inner.tabIndex).MapIndex(reflect.ValueOf(&key).Elem()).IsValid()
}
