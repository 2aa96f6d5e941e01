package vm

import (
	"fmt"

	lua "github.com/yuin/gopher-lua"
)

// coroutineLib is the library table coroutine.
func (s *State) coroutineLib() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"create":  s.coCreate,
		"wrap":    s.coWrap,
		"resume":  s.coResume,
		"yield":   s.coYield,
		"status":  s.coStatus,
		"running": s.coRunning,
	}
}

// newCoroutine makes one of the script's own coroutines from the first argument.
func (s *State) newCoroutine(L *lua.LState) *thread {
	fn, ok := L.Get(1).(*lua.LFunction)
	if !ok || fn.IsG {
		argError(L, 1, "Lua function expected")
	}
	if s.coros >= s.lim.Coroutines {
		s.sweepCoroutines(L)
	}
	if s.coros >= s.lim.Coroutines {
		s.fail(L, Coroutines, fmt.Sprintf("has more than %d coroutines alive (limits: coroutines)", s.lim.Coroutines))
		s.raiseFatal(L)
	}
	s.Charge(L, 100)
	t := s.newThread(L, fn, kindCoro)
	s.coros++
	return t
}

func (s *State) coCreate(L *lua.LState) int {
	L.Push(s.newCoroutine(L).th)
	return 1
}

func (s *State) coWrap(L *lua.LState) int {
	th := s.newCoroutine(L).th
	// The thread is an upvalue, so that the walk over reachable values finds it.
	L.Push(L.NewClosure(s.wrapped, th))
	return 1
}

func (s *State) wrapped(L *lua.LState) int {
	th := L.Get(lua.UpvalueIndex(1)).(*lua.LState)
	if msg := s.cannotResume(L, th); msg != "" {
		raise(L, "%s", msg)
	}
	L.Insert(lua.LNil, 1)
	s.resume(L, s.threads[th])
	if L.Get(2) == lua.LFalse {
		v := L.Get(3)
		if str, ok := v.(lua.LString); ok {
			v = lua.LString(s.where(L, 1)) + str // as luaB_auxwrap does
		}
		L.Error(v, 0)
	}
	if s.event == evYield {
		s.event = evEnd
	}
	return L.GetTop() - 2
}

func (s *State) coResume(L *lua.LState) int {
	th := checkThread(L, 1)
	if msg := s.cannotResume(L, th); msg != "" {
		L.SetTop(0)
		L.Push(lua.LFalse)
		L.Push(lua.LString(msg))
		return 2
	}
	s.resume(L, s.threads[th])
	s.event = evEnd
	return L.GetTop() - 1
}

func (s *State) cannotResume(L, th *lua.LState) string {
	if st := s.status(L, th); st != "suspended" {
		return "cannot resume " + st + " coroutine"
	}
	return ""
}

func (s *State) coYield(L *lua.LState) int {
	switch k, ok := s.canYield(L); {
	case !ok && k != kindCall:
		raise(L, "attempt to yield across metamethod/C-call boundary")
	case k != kindCoro:
		raise(L, "attempt to yield from outside a coroutine")
	}
	s.threads[L].wants = currentFrame(L).nret()
	s.event = evYield
	return -1
}

// canYield looks for the coroutine that a yield in L would suspend: L, or if L is
// the body of a pcall, the one that called pcall. k is its kind (kindCall: it is
// the main one). ok is false if something that cannot be suspended stands between:
// a Go function that calls Lua, a metamethod, an iterator.
func (s *State) canYield(L *lua.LState) (k kind, ok bool) {
	ok = true
	for {
		t := s.threads[L]
		if t == nil {
			return kindCall, false
		}
		for f := currentFrame(L).caller(); f.ok(); f = f.caller() {
			if !f.calling() {
				ok = false
			}
		}
		if t.kind != kindCall {
			return t.kind, ok
		}
		L = t.owner
	}
}

func (s *State) status(L, th *lua.LState) string {
	t := s.threads[th]
	switch {
	case s.own(L) == th:
		return "running"
	case th == s.l:
		return "normal"
	case t == nil || t.th.Dead:
		return "dead"
	case t.running:
		return "normal"
	}
	return "suspended"
}

// own is the coroutine that L belongs to as Lua code sees it: not the one in which
// pcall runs its body.
func (s *State) own(L *lua.LState) *lua.LState {
	for {
		t := s.threads[L]
		if t == nil || t.kind != kindCall {
			return L
		}
		L = t.owner
	}
}

func (s *State) coStatus(L *lua.LState) int {
	L.Push(lua.LString(s.status(L, checkThread(L, 1))))
	return 1
}

func (s *State) coRunning(L *lua.LState) int {
	if th := s.own(L); th != s.l {
		L.Push(th)
	} else {
		L.Push(lua.LNil)
	}
	return 1
}

func checkThread(L *lua.LState, n int) *lua.LState {
	th, ok := L.Get(n).(*lua.LState)
	if !ok {
		argError(L, n, "coroutine expected")
	}
	return th
}
