package vm

import lua "github.com/yuin/gopher-lua"

// Task is a coroutine that Go drives: it runs to a call of a waiting binding, and
// goes on when Go resumes it with that binding's results.
type Task struct {
	// Data is the owner's.
	Data any

	th   *lua.LState
	fn   *lua.LFunction
	done bool
}

// NewTask makes a task that will run fn. It does not start it, and it does not
// count against Limits.Coroutines.
func (s *State) NewTask(fn *lua.LFunction) *Task {
	th, _ := s.l.NewThread()
	return &Task{th: th, fn: fn}
}

// Done reports whether the task has returned or failed.
func (t *Task) Done() bool { return t.done }

// Resume starts the task with args as its arguments, or goes on with args as the
// results of the binding it waits in. It returns when the task waits again (the
// values are what the binding passed to [State.Wait]) or is done (the values are
// its results, or err why it failed). The slice is good until the next entry.
//
// Resume has the budget of an entry of its own; called while an entry is running,
// as by a binding that spawns, it shares that one's.
func (s *State) Resume(t *Task, args ...lua.LValue) (values []lua.LValue, err error) {
	st, err, values := s.l.Resume(t.th, t.fn, args...)
	t.done = st != lua.ResumeYield
	if err != nil {
		return nil, &Error{Reason: Runtime, Message: err.Error()}
	}
	return values, nil
}

// Throw goes on like Resume, but the binding that the task waits in raises err, as
// by [State.Raise].
func (s *State) Throw(t *Task, err error) ([]lua.LValue, error) {
	return s.Resume(t)
}

// Kill ends a task that waits: it will not be resumed again.
func (s *State) Kill(t *Task) { t.done = true }

// Current is the task that L runs in, or nil where nothing can wait: in a handler,
// at load, in a coroutine of the script's own, or where a Go function or a
// metamethod stands between the task and the call. A pcall inside a task is no
// obstacle.
func (s *State) Current(L *lua.LState) *Task { return nil }

// Wait makes the binding that calls it wait: "return s.Wait(L, v...)" as its last
// act. Resume returns v, and the values of the next Resume become the binding's
// results. Where [State.Current] is nil it raises "only a task can wait: use
// spawn".
func (s *State) Wait(L *lua.LState, values ...lua.LValue) int {
	return L.Yield(values...)
}
