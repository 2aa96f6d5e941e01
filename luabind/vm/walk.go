package vm

import (
	"unsafe"

	lua "github.com/yuin/gopher-lua"
)

// Sizes of gopher-lua's values on a 64-bit machine, by measurement.
const (
	sizeTable    = 96
	sizeSlot     = 16  // of an array
	sizeStrEntry = 130 // of the hash part: two maps and a list of keys
	sizeEntry    = 150
	sizeKey      = 48 // what a deleted key still takes
	sizeFunction = 96
	sizeUpvalue  = 56
	sizeUserData = 64
	sizeThread   = 900
	sizeSegment  = lua.FramesPerSegment * 88
	sizeString   = 16
	sizeNumber   = 8
)

// Sized is the value of a userdata that holds bytes outside of Lua, which count
// against Limits.Memory, too.
type Sized interface {
	Size() int
}

// walker adds up everything that can be reached.
type walker struct {
	s     *State
	seen  map[any]struct{}
	strs  map[*byte]struct{}
	open  []lua.LValue
	bytes int
}

// Memory walks everything reachable from the state and estimates the bytes it
// holds. It takes some 50 ns per value.
func (s *State) Memory() int {
	w := s.walk()
	return w.bytes
}

func (s *State) walk() *walker {
	w := &walker{s: s, seen: map[any]struct{}{}, strs: map[*byte]struct{}{}}
	w.add(s.l.G.Global)
	w.add(s.l.G.Registry)
	w.add(s.l)
	for _, m := range s.modules {
		w.add(m)
	}
	for t, shown := range s.locked {
		w.add(t)
		w.add(shown)
	}
	for _, t := range s.threads {
		if t.kind != kindCoro || t.running {
			w.add(t.th)
		}
	}
	for _, v := range s.ret {
		w.add(v)
	}
	if s.opt.Roots != nil {
		s.opt.Roots(w.add)
	}
	for len(w.open) > 0 {
		v := w.open[len(w.open)-1]
		w.open = w.open[:len(w.open)-1]
		w.visit(v)
	}
	return w
}

// add notes a value that has been reached.
func (w *walker) add(v lua.LValue) {
	switch v := v.(type) {
	case lua.LString:
		w.bytes += sizeString
		if len(v) > 0 {
			p := unsafe.StringData(string(v))
			if _, ok := w.strs[p]; !ok {
				w.strs[p] = struct{}{}
				w.bytes += len(v)
			}
		}
	case lua.LNumber:
		w.bytes += sizeNumber
	case *lua.LTable, *lua.LFunction, *lua.LUserData, *lua.LState:
		if v == lua.LValue((*lua.LTable)(nil)) || v == lua.LValue((*lua.LFunction)(nil)) {
			return
		}
		if _, ok := w.seen[v]; !ok {
			w.seen[v] = struct{}{}
			w.open = append(w.open, v)
		}
	}
}

// visit counts one value and notes what it refers to.
func (w *walker) visit(v lua.LValue) {
	switch v := v.(type) {
	case *lua.LTable:
		arr := tableField(v, inner.tabArray)
		keys := tableField(v, inner.tabKeys).Len()
		str, dict := tableField(v, inner.tabStr).Len(), tableField(v, inner.tabDict).Len()
		w.bytes += sizeTable + arr.Cap()*sizeSlot + str*sizeStrEntry + dict*sizeEntry + max(0, keys-str-dict)*sizeKey
		if v.Metatable != nil {
			w.add(v.Metatable)
		}
		v.ForEach(func(k, e lua.LValue) {
			if _, array := k.(lua.LNumber); !array {
				w.add(k)
			}
			w.add(e)
		})
		if keys > 2*(str+dict)+64 && w.s.depth == 0 {
			w.s.rebuild(v, w.s.registerValues())
		}
	case *lua.LFunction:
		w.bytes += sizeFunction + len(v.Upvalues)*8
		if v.Env != nil {
			w.add(v.Env)
		}
		for _, u := range v.Upvalues {
			if u == nil {
				continue
			}
			if _, ok := w.seen[u]; !ok {
				w.seen[u] = struct{}{}
				w.bytes += sizeUpvalue
				if e := u.Value(); e != nil {
					w.add(e)
				}
			}
		}
	case *lua.LUserData:
		w.bytes += sizeUserData
		if v.Metatable != nil {
			w.add(v.Metatable)
		}
		switch e := v.Value.(type) {
		case lua.LValue:
			w.add(e)
		case Sized:
			w.bytes += e.Size()
		}
	case *lua.LState:
		w.bytes += sizeThread + registerCap(v)*sizeSlot + sizeSegment
		regs := registers(v)
		for i := range regs.Len() {
			w.add(value(regs.Index(i)))
		}
		if f := currentFrame(v); f.ok() {
			for ; f.ok(); f = f.caller() {
				w.bytes += sizeSegment / lua.FramesPerSegment
				w.add(f.fn())
			}
		}
	}
}

// sweepCoroutines forgets the coroutines that nothing refers to any more. It runs
// only when the limit is reached, and at the expense of the script, so that what a
// script may do does not depend on the garbage collector.
func (s *State) sweepCoroutines(L *lua.LState) {
	w := s.walk()
	s.Charge(L, len(w.seen))
	for th, t := range s.threads {
		if t.kind != kindCoro || t.running {
			continue
		}
		if _, ok := w.seen[lua.LValue(th)]; !ok {
			s.forget(t)
		}
	}
}
