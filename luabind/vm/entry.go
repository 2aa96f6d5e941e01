package vm

import (
	"fmt"
	"runtime/debug"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// Run loads a chunk: it runs it under Limits.LoadInstructions with args as its
// "..." and returns its results. The slice is good until the next entry.
func (s *State) Run(c *Chunk, args ...lua.LValue) ([]lua.LValue, error) {
	if s.depth == 0 {
		s.loading = true
		defer func() { s.loading = false }()
	}
	return s.enter(s.lim.LoadInstructions, s.instantiate(c), args)
}

// Call enters Lua: it calls fn with args under Limits.Instructions and returns all
// of its results. The slice is good until the next entry and must not be changed.
// In the steady state Call allocates nothing itself.
//
// Called by a binding while an entry is running, it shares the budget of that
// entry; fn cannot wait then.
//
// Errors are of type [*Error].
func (s *State) Call(fn *lua.LFunction, args ...lua.LValue) ([]lua.LValue, error) {
	return s.enter(s.lim.Instructions, fn, args)
}

// enter calls fn with a budget, and whatever happens leaves the state ready for
// the next entry, or broken.
func (s *State) enter(budget int, fn *lua.LFunction, args []lua.LValue) ([]lua.LValue, error) {
	if s.depth > 0 {
		return s.enterAgain(fn, args)
	}
	if s.broken {
		return nil, &Error{Reason: Panic, Message: "the state is broken: load a fresh one"}
	}
	if s.entries++; s.entries&(heapEntries-1) == 0 && s.overMemory() {
		return nil, s.takeError()
	}
	s.m.reset(budget)
	s.depth = 1
	L := s.l
	L.Push(s.fnGuard)
	L.Push(fn)
	for _, a := range args {
		L.Push(a)
	}
	err := L.PCall(len(args)+1, lua.MultRet, nil)
	s.depth = 0
	s.nest = 0
	if s.failure != nil || s.fatal != nil || err != nil {
		L.SetTop(0)
		return nil, s.leaveFailed(err)
	}
	n := L.GetTop()
	s.ret = s.ret[:0]
	for i := 1; i <= n; i++ {
		s.ret = append(s.ret, L.Get(i))
	}
	L.SetTop(0)
	return s.ret, nil
}

// leaveFailed cleans up after an entry that failed and is its error.
func (s *State) leaveFailed(err error) error {
	s.l.G.CurrentThread = s.l
	s.thrown = nil
	if s.failure == nil && s.fatal == nil {
		// An error got past guard; nothing is known about the stack.
		s.broken = true
		s.failure = &Error{Reason: Panic, Message: clip(err.Error()), Cause: err}
	}
	return s.takeError()
}

// takeError is the error of the entry, which is over.
func (s *State) takeError() error {
	e := s.failure
	if s.fatal != nil {
		e = s.fatal
	}
	s.failure, s.fatal = nil, nil
	return e
}

// guard calls its first argument with the others. Unlike gopher-lua's PCall, which
// stands outside of it and clears the stack, it looks at the failed stack itself:
// PCall's traceback has one line for every tail call ever made.
func (s *State) guard(L *lua.LState) int {
	defer s.rescue(L)
	L.Call(L.GetTop()-1, lua.MultRet)
	return L.GetTop()
}

// rescue makes an error of a panic that ends an entry.
func (s *State) rescue(L *lua.LState) {
	r := recover()
	if r == nil {
		return
	}
	if s.fatal != nil {
		return
	}
	f := currentFrame(L)
	if e, ok := r.(*lua.ApiError); ok && e.Type != lua.ApiErrorPanic {
		v := e.Object
		if text, ok := v.(lua.LString); ok {
			v = lua.LString(s.translate(string(text), f, L))
		}
		s.failure = s.makeError(v, f, L)
		return
	}
	text := fmt.Sprint(r)
	if isOverflow(text) {
		s.failure = s.makeError(lua.LString(s.whereFrame(f)+"stack overflow"), f, L)
		s.closeVariables(L)
		return
	}
	s.broken = true
	s.failure = &Error{Reason: Panic, Message: clip("a Go function panicked: " + text)}
	if err, ok := r.(error); ok {
		s.failure.Cause = err
	}
	s.locate(s.failure, f, L)
	s.failure.Traceback = append(s.failure.Traceback, panicOrigin(debug.Stack())...)
}

// closeVariables gives the closures made in L's frames their variables for keeps,
// as an error raised by the VM does. Panics that the VM did not raise have not.
func (s *State) closeVariables(L *lua.LState) {
	defer func() { _ = recover() }()
	L.RaiseError("closing")
}

// panicOrigin is where in Go a panic came from: the two frames above panic itself.
func panicOrigin(stack []byte) []string {
	_, after, ok := strings.Cut(string(stack), "\npanic(")
	if !ok {
		return nil
	}
	var out []string
	for i, l := range strings.Split(after, "\n") {
		if i >= 2 && i < 6 && !strings.HasPrefix(l, "runtime.") {
			out = append(out, "go: "+strings.TrimSpace(l))
		}
	}
	return out
}

// enterAgain is an entry inside an entry: a binding calls back into Lua.
func (s *State) enterAgain(fn *lua.LFunction, args []lua.LValue) ([]lua.LValue, error) {
	L := s.l.G.CurrentThread
	base := L.GetTop()
	L.Push(s.fnPcall)
	L.Push(fn)
	for _, a := range args {
		L.Push(a)
	}
	if err := L.PCall(len(args)+1, lua.MultRet, nil); err != nil {
		// Only what no pcall catches comes here. Whoever called us goes on for
		// the moment; the VM raises it again at its next instruction.
		L.SetTop(base)
		if s.fatal != nil {
			return nil, s.fatal
		}
		return nil, &Error{Reason: Runtime, Message: clip(err.Error())}
	}
	n := L.GetTop()
	if L.Get(base+1) != lua.LTrue {
		v := L.Get(base + 2)
		L.SetTop(base)
		return nil, s.makeError(v, frame{}, nil)
	}
	out := make([]lua.LValue, 0, n-base-1)
	for i := base + 2; i <= n; i++ {
		out = append(out, L.Get(i))
	}
	L.SetTop(base)
	return out, nil
}
