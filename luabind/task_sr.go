package luabind

import (
	"errors"
	"fmt"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
)

// sr is sr(p, timeout, tries): send, receive.
func (in *instance) sr(L *lua.LState) int {
	t := in.current(L)
	in.checkMost(L, 3, "sr")
	if _, ok := L.Get(1).(*lua.LUserData); !ok {
		return in.state.Raise(L, fmt.Errorf("sr: want a packet, got %s", describe(L.Get(1))))
	}
	ref, k := in.look(L, L.Get(1))
	if k != in.kinds.packet {
		return in.state.Raise(L, fmt.Errorf("sr: a layer is no packet: send the packet whose %s it is", k.name))
	}
	timeout := in.timeout(L, 2, "sr")
	tries := 1
	if v := L.Get(3); v != lua.LNil {
		n, err := whole(v, 1000)
		if err == nil && (n == 0 || timeout == 0) {
			err = errors.New("want 1 or more, and a timeout for each")
		}
		if err != nil {
			return in.state.Raise(L, about("sr: tries", err))
		}
		tries = int(n)
	}
	question := ref.p.Clone() // what is sent again is what was sent first
	match, answers := answersTo(question)
	if match == nil {
		return in.state.Raise(L, errors.New("sr: nothing answers a packet without IP or ARP: use send and recv"))
	}
	if err := in.scope.Send(question.Clone()); err != nil {
		return in.state.Raise(L, fmt.Errorf("sr: %w", err))
	}
	var w *engine.Waiting
	var run func(*packet.Packet)
	place := in.place(L)
	wait := func() (err error) {
		w, err = in.scope.Await(engine.Await{Name: place, Match: match, Ask: answers, Timeout: timeout, Run: run})
		return err
	}
	run = func(p *packet.Packet) {
		if p != nil {
			t.resume(in.newRef(p).ud)
			return
		}
		if tries--; tries == 0 {
			t.resume(lua.LNil)
			return
		}
		err := in.scope.Send(question.Clone())
		if err == nil {
			err = wait()
		}
		if err != nil {
			t.throw(fmt.Errorf("sr: %w", err))
		}
	}
	if err := wait(); err != nil {
		return in.state.Raise(L, fmt.Errorf("sr: %w", err))
	}
	return t.wait(L, func() { w.Cancel() })
}
