package luabind

import (
	"fmt"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
)

func (in *instance) recv(L *lua.LState) int { return in.receive(L, "recv", false) }

func (in *instance) expect(L *lua.LState) int { return in.receive(L, "expect", true) }

// receive is recv, and expect, which must get a packet.
func (in *instance) receive(L *lua.LState, name string, must bool) int {
	t := in.current(L)
	in.checkMost(L, 2, name)
	pt, err := in.patternOf(L.Get(1))
	if err != nil {
		return in.state.Raise(L, fmt.Errorf("%s: %w", name, err))
	}
	timeout := in.timeout(L, 2, name)
	var seen *watch
	if must && timeout != 0 {
		seen = in.watch()
	}
	var w *engine.Waiting
	over := func() {
		delete(in.held, w)
		seen.end()
	}
	w, err = in.scope.Await(engine.Await{
		Name: in.place(L), Match: pt.match, Flow: pt.flow, Ask: pt.asker(t.throwSoon), Peek: pt.peek, Timeout: timeout,
		Run: func(p *packet.Packet) {
			over()
			switch {
			case p != nil:
				t.resume(in.newRef(p).ud)
			case must:
				t.throw(seen.missed(name, pt, timeout))
			default:
				t.resume(lua.LNil)
			}
		},
	})
	if err != nil {
		seen.end()
		return in.state.Raise(L, fmt.Errorf("%s: %w", name, err))
	}
	if len(pt.functions) > 0 {
		in.held[w] = heldCall{args: pt.functions}
	}
	return t.wait(L, func() {
		w.Cancel()
		over()
	})
}

// timeout is argument n, which may be left out, as Await takes it: 0 is none.
func (in *instance) timeout(L *lua.LState, n int, name string) time.Duration {
	if L.Get(n) == lua.LNil {
		return 0
	}
	if d := in.seconds(L, n, name); d > 0 {
		return d
	}
	return -1
}

// place is the line of the script that waits, as captures show it.
func (in *instance) place(L *lua.LState) string {
	return fmt.Sprintf("%s:%d", in.script.name, in.line(L))
}
