package luabind

import (
	"cmp"
	"errors"
	"fmt"
	"path"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
)

// Test is what a runner gives a script that is a file of tests; it makes the module
// "test" work. The runner starts the script once to hear what tests there are, and then
// once for each, with Only. The test is a task on the far ends of the devices of the
// script that it loads: it is the host. Everything here is called on the worker.
type Test struct {
	// Only is the test to run. "" runs none.
	Only string
	// Found is told of every test of the file, in its order.
	Found func(name string, line int)
	// Began is told that the test Only begins. s is its scope.
	Began func(s *engine.Scope)
	// Load brings the script under test in, by the path that the test names, and calls
	// then when it takes part.
	Load func(s *engine.Scope, path string, opt TestLoad, then func()) error
	// Wire is the far end of a device of the script under test; of "" the first's.
	Wire func(device string) (string, error)
	// Ended is told how the test ended: nil, or why it failed.
	Ended func(s *engine.Scope, err error)
}

// TestLoad says what a script is loaded on.
type TestLoad struct {
	Pair    bool           // two devices, forwarding to each other
	TAP     bool           // Ethernet
	Options map[string]any // float64, string or bool
}

var errNoRunner = errors.New(`a test is run by: tunscript test FILE`)

func testModule() module {
	return module{name: "test", doc: "tests of scripts, on a virtual clock",
		call: global{name: "test", sig: "(name: string, fn: fun(t: test))", doc: "a test: fn is a task on the host's side of the devices", fn: (*instance).test},
		opens: func(in *instance) error {
			if in.script.opt.Test == nil {
				return errNoRunner
			}
			return nil
		}}
}

// A testRun is the test that runs: what is t in it.
type testRun struct {
	t       *task
	box     *inbox
	options map[string]any
}

// maxTestBox is how many packets may leave before a test looks at them.
const maxTestBox = 100_000

func testClass() class {
	return class{name: "test", doc: "what a test can do", methods: map[string]classMethod{
		"load": {"(path: string, options?: test.load)", "loads the script under test, a file beside the test, on tun0", (*instance).testLoad},
		"option": {"(name: string, value: number|string|boolean)", "sets an option of the scripts that are loaded from now on",
			func(in *instance, L *lua.LState) int {
				run, name := in.checkTest(L, "option"), ""
				err := text(L.Get(2), &name)
				if err == nil {
					run.options[name], err = plain(L.Get(3))
				}
				if err != nil {
					return in.state.Raise(L, fmt.Errorf("t:option: %w", err))
				}
				return 0
			}},
		"inject":         {"(packet: packet, device?: device.name)", "the host sends a packet into a device, the first if none is named", (*instance).testInject},
		"expect":         {"(pattern: pattern, within?: number): packet", "the first packet that left, was not taken and matches, letting up to within seconds go by; raises if there is none", (*instance).testExpect},
		"expect_nothing": {"()", "raises if a packet has left that was not taken", (*instance).testNothing},
		"advance":        {"(seconds: number)", "lets time go by, with everything that is due until then", (*instance).testAdvance},
	}}
}

// testLoads are the keys of t:load's second argument.
var testLoads = map[string]tableKey[TestLoad]{
	"pair": {"boolean", "two devices, tun0 and tun1, with the script between them", func(o *TestLoad, v lua.LValue) error { return flag(v, &o.Pair) }},
	"tap":  {"boolean", "TAP devices: tap0, and tap1 of a pair", func(o *TestLoad, v lua.LValue) error { return flag(v, &o.TAP) }},
	"options": {"table", "values of the script's options", func(o *TestLoad, v lua.LValue) (err error) {
		t, ok := v.(*lua.LTable)
		if !ok {
			return fmt.Errorf("want a table, got %s", describe(v))
		}
		t.ForEach(func(k, v lua.LValue) {
			name, e := "", text(k, new(string))
			if e == nil {
				name = string(k.(lua.LString))
				o.Options[name], e = plain(v)
			}
			if err == nil && e != nil {
				err = e
			}
		})
		return err
	}},
}

func flag(v lua.LValue, to *bool) error {
	b, ok := v.(lua.LBool)
	if !ok {
		return fmt.Errorf("want true or false, got %s", describe(v))
	}
	*to = bool(b)
	return nil
}

// test is test(name, fn).
func (in *instance) test(L *lua.LState) int {
	var name string
	if err := text(L.Get(1), &name); err != nil {
		return in.state.Raise(L, fmt.Errorf("test: %w", err))
	}
	fn := in.checkFunction(L, 2, "test")
	if !in.loading {
		return in.state.Raise(L, errors.New("test: a test stands at the top of its file, not in a function that runs later"))
	}
	run := in.script.opt.Test
	run.Found(name, in.line(L))
	if name == run.Only {
		co, err := in.state.NewTask(fn)
		if err != nil {
			return in.state.Raise(L, fmt.Errorf("test: %w", err))
		}
		in.held[co] = heldCall{fn: fn}
		t := &task{in: in, co: co, after: func(err error) { run.Ended(in.scope, err) }}
		co.Data = t
		in.scope.Started(func() { in.runTest(t) })
	}
	return 0
}

// runTest starts the one test of this run. Its inbox is there before the first packet.
func (in *instance) runTest(t *task) {
	in.script.opt.Test.Began(in.scope)
	r := &testRun{t: t, options: map[string]any{}}
	r.box = &inbox{in: in, most: maxTestBox}
	var err error
	r.box.waiting, err = in.scope.Await(engine.Await{Name: "test", Stay: true, Run: r.box.put})
	if err == nil {
		in.tasks.alive++
		t.boxes = append(t.boxes, r.box)
		t.begin = []lua.LValue{&lua.LUserData{Value: r, Metatable: in.newClass(testClass())}}
		in.held[r] = heldCall{args: t.begin}
		err = t.start()
	}
	if err != nil {
		in.script.opt.Test.Ended(in.scope, err)
	}
}

func (in *instance) checkTest(L *lua.LState, name string) *testRun {
	if ud, ok := L.Get(1).(*lua.LUserData); ok {
		if r, ok := ud.Value.(*testRun); ok {
			return r
		}
	}
	in.state.Raise(L, fmt.Errorf("%s: call it with a colon, as in t:%s()", name, name))
	return nil
}

func (in *instance) testLoad(L *lua.LState) int {
	r := in.checkTest(L, "load")
	t := in.current(L)
	var file string
	opt := TestLoad{Options: map[string]any{}}
	for name, v := range r.options {
		opt.Options[name] = v
	}
	err := text(L.Get(2), &file)
	switch v := L.Get(3).(type) {
	case *lua.LNilType:
	case *lua.LTable:
		err = cmp.Or(err, readKeys(v, testLoads, &opt))
	default:
		err = cmp.Or(err, fmt.Errorf("want a table such as { pair = true }, got %s", describe(v)))
	}
	loaded := false
	if err == nil {
		err = in.script.opt.Test.Load(in.scope, path.Clean(file), opt, func() {
			if loaded = true; t.release != nil {
				t.resume()
			}
		})
	}
	if err != nil {
		return in.state.Raise(L, fmt.Errorf("t:load: %w", err))
	}
	if loaded {
		return 0
	}
	return t.wait(L, func() {})
}

// testInject sends from the far end, where the host is.
func (in *instance) testInject(L *lua.LState) int {
	in.checkTest(L, "inject")
	device := ""
	if v := L.Get(3); v != lua.LNil {
		if err := text(v, &device); err != nil {
			return in.state.Raise(L, fmt.Errorf("t:inject: %w", err))
		}
	}
	if _, ok := L.Get(2).(*lua.LUserData); !ok {
		return in.state.Raise(L, fmt.Errorf("t:inject: want a packet, got %s", describe(L.Get(2))))
	}
	ref, k := in.look(L, L.Get(2))
	if k != in.kinds.packet {
		return in.state.Raise(L, fmt.Errorf("t:inject: a layer is no packet: give it the packet whose %s it is", k.name))
	}
	p := ref.p.Clone()
	wire, err := in.script.opt.Test.Wire(device)
	if err == nil {
		err = in.scope.SetOut(p, wire)
	}
	if err == nil {
		err = in.scope.Send(p)
	}
	if err != nil {
		return in.state.Raise(L, fmt.Errorf("t:inject: %w", err))
	}
	return 0
}

func (in *instance) testExpect(L *lua.LState) int {
	r := in.checkTest(L, "expect")
	t := in.current(L)
	pt, err := in.patternOf(L.Get(2))
	if err != nil {
		return in.state.Raise(L, fmt.Errorf("t:expect: %w", err))
	}
	within := in.timeout(L, 3, "t:expect")
	if within == 0 {
		within = -1 // the packets of this instant, and then no more
	}
	if p, err := r.box.first(pt, L); p != nil || err != nil {
		if err != nil {
			return in.state.Raise(L, err)
		}
		L.Push(in.newRef(p).ud)
		return 1
	}
	return r.box.read(L, &reader{t: t, pt: pt, box: r.box}, "t:expect", true, within)
}

// testNothing lets the packets of this instant come before it looks.
func (in *instance) testNothing(L *lua.LState) int {
	r := in.checkTest(L, "expect_nothing")
	t := in.current(L)
	timer, err := in.scope.AfterLast(0, func() {
		if n := len(r.box.kept); n > 0 {
			t.throw(fmt.Errorf("t:expect_nothing: %s", leftOver(r.box.kept)))
			return
		}
		t.resume()
	})
	if err != nil {
		return in.state.Raise(L, fmt.Errorf("t:expect_nothing: %w", err))
	}
	return t.wait(L, timer.Cancel)
}

func leftOver(kept []*packet.Packet) string {
	if len(kept) == 1 {
		return fmt.Sprintf("a packet has left: %v", kept[0])
	}
	return fmt.Sprintf("%d packets have left, the first is %v", len(kept), kept[0])
}

// testAdvance wakes last at its instant: what is due then has happened.
func (in *instance) testAdvance(L *lua.LState) int {
	in.checkTest(L, "advance")
	t := in.current(L)
	timer, err := in.scope.AfterLast(in.seconds(L, 2, "t:advance"), func() { t.resume() })
	if err != nil {
		return in.state.Raise(L, fmt.Errorf("t:advance: %w", err))
	}
	return t.wait(L, timer.Cancel)
}
