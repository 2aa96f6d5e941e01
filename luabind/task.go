package luabind

import (
	"errors"
	"fmt"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/luabind/vm"
)

func taskGlobals() []global {
	return []global{
		{name: "spawn", sig: "(fn: function, ...: any): handle",
			doc: "starts a task, which runs at once to its first wait; at load, when the devices are open", fn: (*instance).spawn},
		{name: "sleep", sig: "(seconds: number)",
			doc: "the task waits that long; 0 lets the packets that wait now come first", fn: (*instance).sleep},
		{name: "recv", sig: "(pattern: pattern, timeout?: number): packet?",
			doc: "the task waits for a packet that matches, and takes it; nil when the time is over", fn: (*instance).recv},
		{name: "expect", sig: "(pattern: pattern, timeout?: number): packet",
			doc: "recv that raises when the time is over, and shows the nearest packet", fn: (*instance).expect},
		{name: "sr", sig: "(packet: packet, timeout?: number, tries?: integer): packet?",
			doc: "sends a packet and waits for what answers it, resets and ICMP errors too; sends it again when a try's time is over", fn: (*instance).sr},
		{name: "inbox", sig: "(pattern: pattern): inbox",
			doc: "keeps all packets that match from now on, for box:recv and box:expect, until the task ends", fn: (*instance).inbox},
	}
}

// A task is one spawn(...): a Lua coroutine that the engine's timers and packets
// drive. It waits for one thing at a time.
type task struct {
	in    *instance
	co    *vm.Task // nil until it has begun
	begin []lua.LValue
	// release takes back what the task waits for; nil while it runs.
	release   func()
	boxes     []*inbox
	after     func(error) // told how a test ended, in place of the scope
	cancelled bool
	done      bool
}

// tasks is what an instance knows of its tasks.
type tasks struct {
	alive   int
	running int     // steps, one inside the other
	early   []*task // spawned at load, to run when the devices are open
	timers  int     // of after and every
	kept    int     // packets in all inboxes
	inboxes int
	recent  *recent // what expect shows; nil while nobody expects
	class   struct{ inbox *lua.LTable }
}

// errWithin is about a wait in a function that Lua calls for a task: Lua 5.1 cannot leave
// such a call in the middle.
var errWithin = errors.New("a task cannot wait in a function that Lua calls for it: the iterator of a for, what sort and gsub call, a metamethod, a coroutine of the script's own; wait outside, in a while for an iterator")

// A limitError says that a script has as much of something as it may. A handler that
// meets it is not switched off: it is the traffic's fault, mostly.
type limitError struct{ class, text string }

func (e *limitError) Error() string { return e.text }
func (e *limitError) Class() string { return e.class }
func (e *limitError) Unwrap() error { return engine.ErrBusy }

func (in *instance) spawn(L *lua.LState) int {
	fn := in.checkFunction(L, 1, "spawn")
	if most := in.script.opt.tasks(); in.tasks.alive >= most {
		return in.state.Raise(L, &limitError{"tasks", fmt.Sprintf("spawn: %d tasks are alive, and more may not be (limits: tasks): let some end", most)})
	}
	in.state.Charge(L, spawnCost)
	co, err := in.state.NewTask(fn)
	if err != nil {
		return in.state.Raise(L, fmt.Errorf("spawn: %w", err))
	}
	t := &task{in: in, co: co}
	co.Data = t
	for i := 2; i <= L.GetTop(); i++ {
		t.begin = append(t.begin, L.Get(i))
	}
	in.tasks.alive++
	if in.scope.Attached() {
		if err := t.start(); err != nil {
			return in.state.Raise(L, err)
		}
	} else {
		in.held[t] = heldCall{args: t.begin}
		in.tasks.early = append(in.tasks.early, t)
	}
	return in.pushHandle(L, t.cancel)
}

// spawnCost is what a task costs of the budget besides what it does: 3 us and 4 KB.
const spawnCost = 100

// startEarly runs what was spawned at load, after on_start.
func (in *instance) startEarly() {
	early := in.tasks.early
	in.tasks.early = nil
	for _, t := range early {
		delete(in.held, t)
		if t.done {
			continue
		}
		if err := t.start(); err != nil {
			in.scope.Fail(err)
		}
	}
}

// start runs the task to its first wait. Its error is one that ends whoever spawns
// it, too: the budget is theirs together.
func (t *task) start() error {
	args := t.begin
	t.begin = nil
	err := t.step(func() ([]lua.LValue, error) { return t.in.state.Resume(t.co, args...) })
	if e, ok := errors.AsType[*vm.Error](err); ok && e.Reason == vm.Runtime {
		t.in.scope.Fail(err)
		return nil
	}
	return err
}

// resume goes on with what the task has waited for.
func (t *task) resume(values ...lua.LValue) {
	if err := t.step(func() ([]lua.LValue, error) { return t.in.state.Resume(t.co, values...) }); err != nil {
		t.in.scope.Fail(err)
	}
}

// throw goes on by raising err where the task waits.
func (t *task) throw(err error) {
	if err := t.step(func() ([]lua.LValue, error) { return t.in.state.Throw(t.co, err) }); err != nil {
		t.in.scope.Fail(err)
	}
}

// step lets the task run until it waits again or ends.
func (t *task) step(run func() ([]lua.LValue, error)) error {
	t.release = nil
	in := t.in
	if in.broken != nil {
		t.end()
		return in.broken
	}
	in.tasks.running++
	_, err := run()
	in.tasks.running--
	if err != nil {
		in.noteBroken(err)
	}
	if err != nil || t.co.Done() || t.cancelled {
		t.end()
		if t.after != nil {
			t.after(err)
			return nil
		}
	}
	return err
}

// throwSoon raises err in the task as the next thing: who calls is in the middle of
// something.
func (t *task) throwSoon(err error) {
	if t.done || t.release == nil {
		return
	}
	t.release()
	t.release = nil
	timer, terr := t.in.scope.After(0, func() { t.throw(err) })
	if terr == nil {
		t.release = timer.Cancel
	}
}

// cancel is handle:cancel(): the task ends where it waits. One that runs, because it
// is its own handle or spawns who cancels it, ends at its next wait.
func (t *task) cancel() {
	t.cancelled = true
	if !t.done && !t.co.Running() {
		t.end()
	}
}

// end takes back everything that the task has.
func (t *task) end() {
	if t.done {
		return
	}
	t.done = true
	in := t.in
	in.tasks.alive--
	delete(in.held, t)
	in.state.Kill(t.co)
	if t.release != nil {
		t.release()
		t.release = nil
	}
	for _, b := range t.boxes {
		b.close()
	}
}

// current is the task that calls the running Go function; it raises where none can
// wait.
func (in *instance) current(L *lua.LState) *task {
	co := in.state.Current(L)
	if co == nil && in.tasks.running > 0 {
		in.state.Raise(L, errWithin)
	}
	if co == nil {
		in.state.Raise(L, vm.ErrNotTask)
	}
	return co.Data.(*task)
}

// wait lets the task wait, until resume or throw, for something that release takes
// back. It is the last act of a binding.
func (t *task) wait(L *lua.LState, release func()) int {
	t.release = release
	return t.in.state.Wait(L)
}

func (in *instance) sleep(L *lua.LState) int {
	t := in.current(L)
	in.checkMost(L, 1, "sleep")
	timer, err := in.scope.After(in.seconds(L, 1, "sleep"), func() { t.resume() })
	if err != nil {
		return in.state.Raise(L, fmt.Errorf("sleep: %w", err))
	}
	return t.wait(L, timer.Cancel)
}
