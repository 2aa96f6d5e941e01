package vm

import (
	"strings"
	"sync"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"
)

// gopher-lua's own pcall detaches the variables of every enclosing function when
// its body fails (its issue #448), and cannot be yielded across. So a body runs on
// a coroutine, whose death is nobody else's affair. A coroutine a call would cost
// 6 us and 14 KB; the body of workerSource runs one body after another instead, and
// only a body that fails costs its coroutine.
const workerSource = `
local done = ...
local function worker(f, ...) return worker(done(f(...))) end
return worker`

// workerProto is workerSource compiled, once for all states.
var workerProto = sync.OnceValues(func() (*lua.FunctionProto, error) {
	stmts, err := parse.Parse(strings.NewReader(workerSource), "(pcall)")
	if err != nil {
		return nil, err
	}
	return lua.Compile(stmts, "(pcall)")
})

// take is a coroutine from the pool, or a new one.
func (s *State) take(L *lua.LState) *thread {
	if n := len(s.idle); n > 0 {
		t := s.idle[n-1]
		s.idle = s.idle[:n-1]
		return t
	}
	s.Charge(L, 100)
	return s.newThread(L, s.fnWorker, kindCall)
}

// park gives a coroutine that has finished its body back to the pool.
func (s *State) park(t *thread) {
	t.owner, t.up, t.handler = nil, nil, nil
	s.idle = append(s.idle, t)
}

// done is what worker calls with the results of a body.
func (s *State) done(*lua.LState) int {
	s.event = evDone
	return -1
}

func (s *State) pcall(L *lua.LState) int {
	if L.GetTop() == 0 {
		argError(L, 1, "value expected")
	}
	return s.protect(L, nil)
}

func (s *State) xpcall(L *lua.LState) int {
	if L.GetTop() < 2 {
		argError(L, 2, "value expected")
	}
	h, ok := L.Get(2).(*lua.LFunction)
	L.SetTop(1)
	if !ok {
		h = s.fnBadHandler
	}
	return s.protect(L, h)
}

// protect calls the first value of L's frame with the others as arguments, and
// returns what pcall returns.
func (s *State) protect(L *lua.LState, handler *lua.LFunction) int {
	s.enterNested(L)
	if n := L.GetTop(); n > 64 {
		s.Charge(L, n/8)
	}
	t := s.take(L)
	t.owner, t.handler = L, handler
	L.Insert(t.th, 1)
	s.event = evEnd
	s.launch(t)
	coResume(L)
	s.nest--
	switch {
	case L.Get(2) == lua.LFalse:
		s.failed(L, t, t)
		return 2
	case s.event == evDone:
		s.park(t)
		s.event = evEnd
		return L.GetTop() - 1
	}
	// The body waits, so this call does, too. There is no way back into a Go
	// function that yielded: resume finds the body through inner, and returns
	// its results to whoever called pcall.
	me := s.threads[L]
	me.inner, t.up = t, me
	me.wants = currentFrame(L).nret()
	L.Remove(1)
	L.Remove(1)
	return -1
}

// handle is what the handler of an xpcall makes of an error.
func (s *State) handle(L *lua.LState, handler *lua.LFunction, v lua.LValue) lua.LValue {
	L.Push(s.fnPcall)
	L.Push(handler)
	L.Push(v)
	L.Call(2, 2)
	ok, res := L.Get(-2), L.Get(-1)
	L.Pop(2)
	if ok == lua.LFalse {
		return lua.LString("error in error handling")
	}
	return res
}

// caught is the error v of coroutine t, which has died of it, as Lua code sees it.
// s.fatal is set if Lua code must not see it.
func (s *State) caught(L *lua.LState, t *thread, v lua.LValue) lua.LValue {
	if s.fatal != nil {
		return v
	}
	if s.thrown != nil {
		v = s.thrown
		s.thrown = nil
	} else if text, ok := v.(lua.LString); ok {
		if isOverflow(string(text)) {
			v = lua.LString(s.whereFrame(lastFrame(t.th)) + "stack overflow")
		} else if isGoPanic(string(text)) {
			s.broken, s.brokenBy = true, Panic
			s.fail(L, Panic, "a Go function panicked: "+string(text))
			return v
		}
	}
	if t.kind == kindTask {
		t.task.err = s.makeError(v, lastFrame(t.th), t.th)
	}
	return v
}

// isOverflow recognizes a Go panic of gopher-lua that means endless recursion.
func isOverflow(text string) bool { return text == "lua callstack overflow" }

// isGoPanic recognizes what gopher-lua makes of a Go panic on a coroutine: it keeps
// the text alone. Errors of Lua begin with a position.
func isGoPanic(text string) bool {
	return strings.HasPrefix(text, "runtime error: ") || strings.HasPrefix(text, "interface conversion: ") ||
		strings.HasPrefix(text, "reflect: ")
}
