package luabind

import (
	"errors"
	"fmt"
	"slices"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
)

// An inbox keeps the packets that match its pattern until they are asked for: what
// comes while its task waits for something else is not lost.
type inbox struct {
	in      *instance
	most    int              // packets that it keeps
	waiting *engine.Waiting  // nil when it has ended
	kept    []*packet.Packet // the oldest first
	readers []*reader        // tasks that wait, the longest first
}

// A reader is a task in box:recv or box:expect.
type reader struct {
	t     *task
	pt    *pattern
	timer *engine.Timer
	box   *inbox
}

// maxInbox is how many packets an inbox keeps; for one more the oldest goes.
const maxInbox = 256

// maxInboxes bounds those of a script: each may want a copy of every packet.
const maxInboxes = 1000

var errInboxEnded = errors.New("the inbox has ended, as the task that made it has: make one in the task that reads it")

func (in *instance) inbox(L *lua.LState) int {
	t := in.current(L)
	in.checkMost(L, 1, "inbox")
	pt, err := in.patternOf(L.Get(1))
	if err != nil {
		return in.state.Raise(L, fmt.Errorf("inbox: %w", err))
	}
	if in.tasks.inboxes >= maxInboxes {
		return in.state.Raise(L, &limitError{"inboxes", fmt.Sprintf("inbox: %d inboxes stand, and more may not: an inbox ends with its task", maxInboxes)})
	}
	b := &inbox{in: in, most: maxInbox}
	b.waiting, err = in.scope.Await(engine.Await{
		Name: in.place(L), Match: pt.match, Flow: pt.flow, Ask: pt.asker(in.scope.Fail), Peek: pt.peek, Stay: true, Run: b.put,
	})
	if err != nil {
		return in.state.Raise(L, fmt.Errorf("inbox: %w", err))
	}
	in.held[b] = heldCall{args: pt.functions}
	in.tasks.inboxes++
	t.boxes = append(t.boxes, b)
	if in.tasks.class.inbox == nil {
		in.tasks.class.inbox = in.newClass(inboxClass())
	}
	L.Push(&lua.LUserData{Value: b, Metatable: in.tasks.class.inbox})
	return 1
}

// inboxClass is what an inbox can do.
func inboxClass() class {
	const sig = "(pattern?: pattern, timeout?: number)"
	return class{name: "inbox", doc: "packets that a task keeps until it wants them", methods: map[string]classMethod{
		"recv": {sig + ": packet? | (timeout: number): packet?", "the first packet kept that matches, else the task waits for one; nil when the time is over",
			func(in *instance, L *lua.LState) int { return in.readBox(L, "recv", false) }},
		"expect": {sig + ": packet | (timeout: number): packet", "recv that raises when the time is over, and shows the nearest packet",
			func(in *instance, L *lua.LState) int { return in.readBox(L, "expect", true) }},
	}}
}

// put keeps a packet, or gives it to who waits for it.
func (b *inbox) put(p *packet.Packet) {
	for _, r := range slices.Clone(b.readers) {
		ok, err := r.pt.holds(b.in, p, nil)
		if err != nil {
			r.t.throwSoon(err)
		} else if ok {
			r.leave()
			r.t.resume(b.in.newRef(p).ud)
			return
		}
	}
	if len(b.kept) > 0 && (len(b.kept) >= b.most || b.in.tasks.kept >= b.in.script.opt.held()) {
		b.drop(0)
		b.in.scope.Count(engine.ReasonInboxFull)
	} else if b.in.tasks.kept >= b.in.script.opt.held() {
		b.in.scope.Count(engine.ReasonInboxFull)
		return
	}
	b.kept = append(b.kept, p)
	b.in.tasks.kept++
}

func (b *inbox) drop(i int) {
	b.kept = slices.Delete(b.kept, i, i+1)
	b.in.tasks.kept--
}

// readBox is box:recv and box:expect.
func (in *instance) readBox(L *lua.LState, name string, must bool) int {
	t := in.current(L)
	what := "box:" + name
	ud, _ := L.Get(1).(*lua.LUserData)
	if ud == nil {
		ud = &lua.LUserData{}
	}
	b, ok := ud.Value.(*inbox)
	if !ok {
		return in.state.Raise(L, fmt.Errorf("%s: call it with a colon, as in box:%s()", name, name))
	}
	in.checkMost(L, 3, what)
	pt, at := anyPacket, 2
	if _, number := L.Get(2).(lua.LNumber); number {
		in.checkMost(L, 2, what)
	} else if at = 3; L.Get(2) != lua.LNil {
		var err error
		if pt, err = in.patternOf(L.Get(2)); err != nil {
			return in.state.Raise(L, fmt.Errorf("%s: %w", what, err))
		}
	}
	timeout := in.timeout(L, at, what)
	if pt.peek {
		return in.state.Raise(L, fmt.Errorf("%s: peek belongs to the inbox itself: inbox{..., peek = true}", what))
	}
	p, err := b.first(pt, L)
	if err != nil {
		return in.state.Raise(L, err)
	}
	if p != nil {
		L.Push(in.newRef(p).ud)
		return 1
	}
	if b.waiting == nil {
		return in.state.Raise(L, fmt.Errorf("%s: %w", what, errInboxEnded))
	}
	return b.read(L, &reader{t: t, pt: pt, box: b}, what, must, timeout)
}

// first takes the first packet kept that matches; nil if none does.
func (b *inbox) first(pt *pattern, L *lua.LState) (*packet.Packet, error) {
	for i, p := range b.kept {
		ok, err := pt.holds(b.in, p, L)
		if err != nil {
			return nil, err
		}
		if ok {
			b.drop(i)
			return p, nil
		}
	}
	return nil, nil
}

// read waits for a packet that is not there yet.
func (b *inbox) read(L *lua.LState, r *reader, what string, must bool, timeout time.Duration) int {
	if timeout != 0 {
		var err error
		r.timer, err = b.in.scope.After(timeout, func() {
			r.leave()
			if must {
				r.t.throw(missed(what, r.pt, timeout, b.kept, len(b.kept)))
			} else {
				r.t.resume(lua.LNil)
			}
		})
		if err != nil {
			return b.in.state.Raise(L, fmt.Errorf("%s: %w", what, err))
		}
	}
	b.readers = append(b.readers, r)
	return r.t.wait(L, r.leave)
}

// leave ends the wait of r.
func (r *reader) leave() {
	r.timer.Cancel()
	r.box.readers = slices.DeleteFunc(r.box.readers, func(o *reader) bool { return o == r })
}

// close ends the inbox, with its task.
func (b *inbox) close() {
	b.waiting.Cancel()
	b.waiting = nil
	delete(b.in.held, b)
	b.in.tasks.inboxes--
	b.in.tasks.kept -= len(b.kept)
	b.kept = nil
	for _, r := range slices.Clone(b.readers) {
		r.t.throwSoon(errInboxEnded)
	}
}
