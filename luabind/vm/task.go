package vm

import (
	"errors"

	lua "github.com/yuin/gopher-lua"
)

// Task is a coroutine that Go drives: it runs to a call of a waiting binding, and
// goes on when Go resumes it with that binding's results.
type Task struct {
	// Data is the owner's.
	Data any

	t    *thread
	err  *Error
	done bool
}

// NewTask makes a task that will run fn, a function written in Lua. It does not
// start it, and it does not count against Limits.Coroutines.
func (s *State) NewTask(fn *lua.LFunction) (*Task, error) {
	if fn.IsG {
		return nil, &Error{Reason: Runtime, Message: "a task runs a Lua function, not one of the library: wrap it, function() ... end"}
	}
	t := s.newThread(s.l.G.CurrentThread, fn, kindTask)
	t.task = &Task{t: t}
	return t.task, nil
}

// Done reports whether the task has returned, failed or been killed.
func (t *Task) Done() bool { return t.done }

// Running reports whether the task is being resumed right now.
func (t *Task) Running() bool { return t.t.running }

// Resume starts the task with args as its arguments, or goes on with args as the
// results of the binding it waits in. It returns when the task waits again (values
// are what the binding passed to [State.Wait]) or is done (values are its results,
// or err why it failed). The slice is good until the next entry.
//
// Resume has the budget of an entry of its own; called while an entry is running,
// as by a binding that spawns, it shares that one's.
func (s *State) Resume(t *Task, args ...lua.LValue) (values []lua.LValue, err error) {
	if t.done || t.t.running {
		return nil, &Error{Reason: Runtime, Message: "the task is not waiting"}
	}
	prev := s.resuming
	s.resuming = t
	ret, err := s.enter(s.lim.Instructions, s.fnResume, args)
	s.resuming = prev
	if t.t.th.Dead || s.threads[t.t.th] != t.t {
		t.done = true
	}
	if err != nil {
		t.done = true
		return nil, err
	}
	if len(ret) > 0 && ret[0] == lua.LFalse {
		e := t.err
		t.err = nil
		if e == nil {
			e = &Error{Reason: Runtime, Message: ret[1].String()}
		}
		return nil, e
	}
	return ret[1:], nil
}

// resumeTask is the Go function that Resume enters; arguments are the task's.
func (s *State) resumeTask(L *lua.LState) int {
	t := s.resuming
	L.Insert(lua.LNil, 1)
	s.resume(L, t.t)
	s.event = evEnd
	return L.GetTop() - 1
}

// Throw goes on like Resume, but the binding that the task waits in raises err, as
// by [State.Raise].
func (s *State) Throw(t *Task, err error) ([]lua.LValue, error) {
	if t.done || t.t.running {
		return nil, &Error{Reason: Runtime, Message: "the task is not waiting"}
	}
	in := t.t
	for in.inner != nil {
		in = in.inner
	}
	if in.returned || !currentFrame(in.th).ok() {
		// It waits in its last act, or has not begun: there is no line to raise at.
		s.Kill(t)
		return nil, &Error{Reason: Runtime, Message: clip(err.Error()), Cause: err}
	}
	s.throwing = s.errorValue(s.whereFrame(currentFrame(in.th)), err)
	s.threw = s.throwing
	ret, rerr := s.Resume(t)
	s.throwing, s.threw = nil, nil
	return ret, rerr
}

// Kill ends a task that waits: it will not be resumed again.
func (s *State) Kill(t *Task) {
	if !t.done && !t.t.running {
		t.done = true
		t.t.th.Dead = true
		s.forget(t.t)
	}
}

// Current is the task that L runs in, or nil where nothing can wait: in a handler,
// at load, in a coroutine of the script's own, or where a Go function or a
// metamethod stands between the task and the call. A pcall inside a task is no
// obstacle.
func (s *State) Current(L *lua.LState) *Task {
	if k, ok := s.canYield(L); k != kindTask || !ok {
		return nil
	}
	return s.threads[s.own(L)].task
}

// ErrNotTask is the Cause of the error that [State.Wait] raises outside of a task.
var ErrNotTask = errors.New("only a task can wait: use spawn")

// Wait makes the binding that calls it wait: "return s.Wait(L, v...)" as its last
// act. Resume returns v, and the values of the next Resume become the binding's
// results. Where [State.Current] is nil it raises [ErrNotTask].
func (s *State) Wait(L *lua.LState, values ...lua.LValue) int {
	if s.Current(L) == nil {
		return s.Raise(L, ErrNotTask)
	}
	L.SetTop(0)
	for _, v := range values {
		L.Push(v)
	}
	s.threads[L].wants = currentFrame(L).nret()
	s.event = evYield
	return -1
}
