package vm

import (
	"context"

	lua "github.com/yuin/gopher-lua"
)

// thread is what a state knows of a coroutine besides its lua.LState. The main
// coroutine has none.
type thread struct {
	th   *lua.LState
	kind kind

	// of kindCall
	owner   *lua.LState    // who called pcall
	up      *thread        // the same, once the body has yielded
	handler *lua.LFunction // of xpcall

	inner    *thread // the pcall coroutine it was in when it yielded: resume that one first
	wants    int     // results that the pending yield must return, -1: any number
	returned bool    // the pending yield was its last act: see step
	started  bool
	running  bool  // resumed and not back yet
	task     *Task // of kindTask
}

type kind uint8

const (
	kindCall kind = iota // runs the body of a pcall; pooled
	kindCoro             // made by coroutine.create or wrap
	kindTask             // made by NewTask
)

// event says how the coroutine that was running last gave back control.
type event uint8

const (
	evEnd   event = iota // returned or failed
	evDone               // a pooled one has finished its body
	evYield              // yielded or waits
)

// coCreate and coResume are gopher-lua's own coroutine.create and resume, the only
// door to its threads that allocates nothing on each pass.
var coCreate, coResume = coroutineFunctions()

func coroutineFunctions() (create, resume lua.LGFunction) {
	l := lua.NewState(lua.Options{SkipOpenLibs: true, RegistrySize: 128})
	defer l.Close()
	l.Push(l.NewFunction(lua.OpenCoroutine))
	l.Call(0, 1)
	mod := l.Get(-1).(*lua.LTable)
	return mod.RawGetString("create").(*lua.LFunction).GFunction, mod.RawGetString("resume").(*lua.LFunction).GFunction
}

// newThread makes a coroutine around fn, a Lua function. L is the running one.
func (s *State) newThread(L *lua.LState, fn *lua.LFunction, k kind) *thread {
	// Under a context NewThread would hang a context.WithCancel on the thread.
	var ctx context.Context = L.RemoveContext()
	L.Push(s.fnCreate)
	L.Push(fn)
	L.Call(1, 1)
	th := L.Get(-1).(*lua.LState)
	L.Pop(1)
	if ctx != nil {
		L.SetContext(ctx)
	}
	th.SetContext(&s.m)
	t := &thread{th: th, kind: k, wants: -1}
	s.threads[th] = t
	return t
}

// forget drops what is known of a coroutine that is not coming back.
func (s *State) forget(t *thread) {
	for ; t != nil; t = t.inner {
		if t.kind == kindCoro {
			s.coros--
		}
		t.running = false
		delete(s.threads, t.th)
	}
}

// died charges for the registers that go with a coroutine: growing them is work
// that no instruction shows, and a script that runs deep, fails and starts again
// would do it for free.
func (s *State) died(L *lua.LState, t *thread) {
	if n := registerCap(t.th); n > threadRegs {
		s.Charge(L, n/registerGrow*n/8)
	}
	s.forget(t)
}

// resume gives control to t. In L's frame are a slot to use and the arguments; when
// it returns, the same slot, true or false, and the results or the error.
//
// If t yielded from inside a pcall, the body of that pcall goes on first; when it
// ends, its results become those of the pcall in the coroutine that called it.
func (s *State) resume(L *lua.LState, t *thread) {
	s.enterNested(L)
	t.running = true
	cur := t
	for cur.inner != nil {
		cur = cur.inner
	}
	for {
		s.step(L, cur)
		up := cur.up
		switch {
		case L.Get(2) == lua.LFalse:
			s.failed(L, t, cur)
		case cur.th.Dead:
			s.died(L, cur)
		case s.event == evDone:
			s.park(cur)
		default: // it waits again
			up = nil
		}
		if up == nil {
			break
		}
		up.inner = nil
		cur = up
	}
	t.running = false
	s.nest--
}

// enterNested counts one more coroutine resumed inside another, as PUC Lua counts
// calls of C functions; each takes room on the stack of the goroutine.
func (s *State) enterNested(L *lua.LState) {
	if s.nest >= maxNesting {
		raise(L, "C stack overflow")
	}
	s.nest++
}

// failed replaces what coResume left in L's frame for a coroutine that failed,
// false and the error, by false and the error as Lua code is to see it. If nobody
// may catch the error, everything from t on is dead and the error goes on.
func (s *State) failed(L *lua.LState, t, cur *thread) {
	v := s.caught(L, cur, L.Get(3))
	if s.fatal != nil {
		for d := t; d != nil; d = d.inner {
			d.th.Dead = true
		}
		s.forget(t)
		s.raiseFatal(L)
	}
	s.died(L, cur)
	if cur.handler != nil {
		v = s.handle(L, cur.handler, v)
	}
	L.SetTop(1)
	L.Push(lua.LFalse)
	L.Push(v)
}

// step resumes exactly one coroutine, with exactly as many results as the call it
// waits in asks for: the VM would leave holes in its registers otherwise.
func (s *State) step(L *lua.LState, t *thread) {
	if t.wants >= 0 {
		for L.GetTop()-1 < t.wants {
			L.Push(lua.LNil)
		}
		L.SetTop(t.wants + 1)
	}
	t.wants = -1
	s.event = evEnd
	if t.returned {
		// It yielded in a tail call from its first function: what it is resumed
		// with are its results, and nothing is left to run.
		t.returned = false
		t.th.Dead = true
		L.Insert(lua.LTrue, 2)
		return
	}
	if s.throwing != nil {
		// The checkpoint before its next instruction raises it.
		s.thrown, s.throwing = s.throwing, nil
		s.m.left += s.m.tick
		s.m.tick = 0
	}
	L.Replace(1, t.th)
	s.launch(t)
	coResume(L)
	if s.event == evYield && !currentFrame(t.th).ok() {
		t.returned = true
	}
}

// launch sees to it that the first checkpoint of a new coroutine comes at once and
// gives it onPanic: resume itself gives it another function first.
func (s *State) launch(t *thread) {
	if t.started {
		return
	}
	t.started = true
	s.fresh = t.th
	s.m.left += s.m.tick
	s.m.tick = 0
}
