package vm

import (
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

// Do runs a chunk as Call does a function: under Limits.Instructions, as if it were part
// of the script, whose globals it shares.
func (s *State) Do(c *Chunk, args ...lua.LValue) ([]lua.LValue, error) {
	return s.enter(s.lim.Instructions, s.instantiate(c), args)
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
		return nil, &Error{Reason: s.brokenBy, Message: "the state is broken: load a fresh one"}
	}
	if s.entries++; s.entries&(heapEntries-1) == 0 || s.lookNext {
		s.lookNext = false
		if s.overMemory() {
			return nil, s.takeError()
		}
	}
	if s.nextTurn() {
		s.m.reset(budget)
	} else {
		s.m.resume(budget)
	}
	s.depth, s.failure = 1, nil
	L := s.l
	s.fresh = L // PCall installs a Panic of its own: see launch
	L.Push(fn)
	for _, a := range args {
		L.Push(a)
	}
	err := L.PCall(len(args), lua.MultRet, nil)
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

// nextTurn reports that this entry has a budget of its own.
func (s *State) nextTurn() bool {
	if s.opt.Turn == nil {
		return true
	}
	was := s.turn
	s.turn = s.opt.Turn()
	return s.turn == 0 || s.turn != was
}

// leaveFailed cleans up after an entry that failed and is its error.
func (s *State) leaveFailed(err error) error {
	s.l.G.CurrentThread = s.l
	s.thrown, s.fresh = nil, nil
	ae, ok := err.(*lua.ApiError)
	switch {
	case s.fatal != nil:
	case ok && ae.Type == lua.ApiErrorPanic:
		s.broken, s.brokenBy = true, Panic
		s.failure = &Error{Reason: Panic, Message: clip("a Go function panicked: " + ae.Object.String()), Traceback: panicTrace(ae.StackTrace)}
		for _, l := range s.failure.Traceback {
			if script, line, _ := splitPosition(l); line > 0 && s.failure.Line == 0 && !strings.HasPrefix(l, "go: ") {
				s.failure.Script, s.failure.Line = script, line
			}
		}
	case s.failure == nil && ok:
		// Raised before the first instruction, so by a Go function.
		s.failure = s.makeError(ae.Object, frame{}, nil)
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

// panicTrace makes a traceback of what gopher-lua keeps of a Go panic: the Go stack,
// then the Lua stack.
func panicTrace(trace string) []string {
	goStack, luaStack, _ := strings.Cut(trace, "stack traceback:\n")
	var out []string
	if _, after, ok := strings.Cut(goStack, "\npanic("); ok {
		for i, l := range strings.Split(after, "\n") {
			if i >= 2 && i < 6 && !strings.HasPrefix(l, "runtime.") && !strings.HasPrefix(strings.TrimSpace(l), "/usr/") {
				out = append(out, "go: "+strings.TrimSpace(l))
			}
		}
	}
	for _, l := range strings.Split(luaStack, "\n") {
		if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "[G]") && len(out) < maxTrace {
			out = append(out, l)
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
