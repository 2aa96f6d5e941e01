package vm

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
)

// tasks is a state with a binding that waits, one that does not, and a log.
func tasks(t *testing.T, src string) (*State, *[]string) {
	t.Helper()
	var log []string
	s := newState(t, Options{Print: func(l string) { log = append(log, l) }})
	t.Cleanup(s.Close)
	L := s.L()
	L.SetGlobal("wait", L.NewFunction(func(L *lua.LState) int { return s.Wait(L, L.Get(1)) }))
	L.SetGlobal("canwait", L.NewFunction(func(L *lua.LState) int { L.Push(lua.LBool(s.Current(L) != nil)); return 1 }))
	L.SetGlobal("call", L.NewFunction(func(L *lua.LState) int {
		r, err := s.Call(L.CheckFunction(1), lua.LNumber(1))
		if err != nil {
			return s.Raise(L, err)
		}
		L.Push(r[0])
		return 1
	}))
	c, err := Compile("task.lua", src, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Run(c); err != nil {
		t.Fatal(err)
	}
	return s, &log
}

func task(t *testing.T, s *State, fn string) *Task {
	t.Helper()
	k, err := s.NewTask(s.global(fn))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestTask waits at the top, in a called function, and inside pcalls.
func TestTask(t *testing.T) {
	s, log := tasks(t, `
function run(a, b)
  print("start", a, b)
  local x, y, z = wait("one")
  print(x, y, z)
  local ok, v, w = pcall(function() local r = wait("two") return r, pcall(function() return wait("three") end) end)
  print(ok, v, w)
  print(pcall(function() wait("four") error("after") end))
  print(xpcall(function() wait("five") error("h") end, function(e) return "<" .. e .. ">" end))
  return "end", wait("six")
end`)
	k := task(t, s, "run")
	step := func(args ...lua.LValue) string {
		t.Helper()
		v, err := s.Resume(k, args...)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(v, k.Done())
	}
	for i, want := range []string{"[one] false", "[two] false", "[three] false", "[four] false", "[five] false", "[six] false", "[end r6] true"} {
		args := []lua.LValue{lua.LString(fmt.Sprint("r", i))}
		if i == 0 {
			args = append(args, lua.LNumber(2))
		}
		if got := step(args...); got != want {
			t.Errorf("step %d: %s, want %s", i, got, want)
		}
	}
	want := "start\tr0\t2\nr1\tnil\tnil\ntrue\tr2\ttrue\nfalse\ttask.lua:8: after\nfalse\t<task.lua:9: h>"
	if got := strings.Join(*log, "\n"); got != want {
		t.Errorf("printed\n%s\nwant\n%s", got, want)
	}
	if _, err := s.Resume(k); err == nil {
		t.Error("a task that is done was resumed")
	}
}

// TestThrow raises at the line that waits, where pcall can catch it.
func TestThrow(t *testing.T) {
	s, log := tasks(t, "function run()\n print(pcall(function()\n wait() end))\n wait()\nend")
	k := task(t, s, "run")
	if _, err := s.Resume(k); err != nil {
		t.Fatal(err)
	}
	cause := errors.New("nothing came")
	if _, err := s.Throw(k, cause); err != nil {
		t.Fatal(err)
	}
	if len(*log) != 1 || (*log)[0] != "false\ttask.lua:3: nothing came" {
		t.Errorf("printed %q", *log)
	}
	_, err := s.Throw(k, cause)
	var e *Error
	if !errors.As(err, &e) || !errors.Is(err, cause) || e.Line != 4 || e.Message != "nothing came" || !k.Done() {
		t.Errorf("%+v", err)
	}
	if len(e.Traceback) == 0 {
		t.Error("no traceback")
	}
}

// TestOnlyTasksWait says where waiting is possible and where not.
func TestOnlyTasksWait(t *testing.T) {
	s, log := tasks(t, `
function run()
  print(canwait(), pcall(canwait), pcall(pcall, canwait))
  print(coroutine.wrap(function() return canwait() end)())
  print(pcall(coroutine.wrap(function() wait() end)))
  table.sort({2, 1}, function() print(canwait()) return false end)
  print(call(canwait))
  print(setmetatable({}, {__index = function() return canwait() end}).x)
  print(pcall(coroutine.yield, 1))
end
function handler() print(canwait()) wait() end`)
	if _, err := s.Resume(task(t, s, "run")); err != nil {
		t.Fatal(err)
	}
	want := `true	true	true	true	true
false
false	task.lua:5: only a task can wait: use spawn
false
false
false
false	attempt to yield from outside a coroutine`
	if got := strings.Join(*log, "\n"); got != want {
		t.Errorf("printed\n%s\nwant\n%s", got, want)
	}
	_, err := s.Call(s.global("handler"))
	if !errors.Is(err, ErrNotTask) || !strings.Contains(err.Error(), "task.lua:11: only a task can wait: use spawn") {
		t.Errorf("in a handler: %v", err)
	}
}

// TestTaskBudget: each step has a budget of its own, in an entry it shares.
func TestTaskBudget(t *testing.T) {
	s, _ := tasks(t, `
function run() while true do for i = 1, 100000 do end wait() end end
function endless() wait() while true do end end
function idle() wait() end`)
	k := task(t, s, "run")
	for range 20 {
		if _, err := s.Resume(k); err != nil {
			t.Fatal(err)
		}
	}
	e := task(t, s, "endless")
	if _, err := s.Resume(e); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Resume(e); err == nil || err.(*Error).Reason != Instructions || !e.Done() {
		t.Errorf("an endless task: %v", err)
	}
	L := s.L()
	L.SetGlobal("spawn", L.NewFunction(func(L *lua.LState) int {
		k, err := s.NewTask(L.CheckFunction(1))
		if err != nil {
			return s.Raise(L, err)
		}
		if _, err := s.Resume(k); err != nil {
			return s.Raise(L, err)
		}
		return 0
	}))
	c, _ := Compile("t", `function h() for i = 1, 100 do spawn(function() for i = 1, 100000 do end end) end end`, Limits{})
	if _, err := s.Run(c); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Call(s.global("h")); err == nil || err.(*Error).Reason != Instructions {
		t.Errorf("tasks of an entry have budgets of their own: %v", err)
	}
	s.Kill(k)
	if _, err := s.Resume(k); err == nil {
		t.Error("a killed task was resumed")
	}
	for range 2000 { // tasks do not count as coroutines
		if _, err := s.Resume(task(t, s, "idle")); err != nil {
			t.Fatal(err)
		}
	}
}
