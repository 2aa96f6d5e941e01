package luabind

import (
	"net/netip"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/luabind/vm"
)

// An instance is a script in one scope: a Lua state and what it has registered.
// It is used on the scope's worker only.
type instance struct {
	script *Script
	scope  *engine.Scope
	state  *vm.State
	loaded bool // the top level has run
	kinds  kinds
	held   map[any]*lua.LFunction // functions that the engine will call, for the walk of memory

	onStop, onReload *lua.LFunction
	handleMeta       *lua.LTable // of what on, after and every return

	hand  *packetRef   // the packet in hand, of handlers that keep nothing
	lent  []*packetRef // answers that such a handler has made of it
	spare []*packetRef // of earlier ones

	drops     map[lua.LString]engine.Verdict
	addrs     texts[netip.Addr]
	macs      texts[packet.MAC]
	flagTexts texts[packet.Flags]
	ports     texts[*packet.Port]
	parsed    map[lua.LString]netip.Addr
	numbers   numbers
}

func newInstance(s *Script, scope *engine.Scope) (*instance, error) {
	in := &instance{script: s, scope: scope, held: map[any]*lua.LFunction{}, drops: map[lua.LString]engine.Verdict{}}
	state, err := vm.New(vm.Options{
		Limits: s.opt.Limits, Trusted: s.opt.Trusted,
		Print: func(line string) { in.log(Info, line) },
		Now:   scope.Now, Rand: scope.Rand(),
		Roots: in.roots,
	})
	if err != nil {
		return nil, err
	}
	in.state = state
	in.openKinds()
	in.openGlobals()
	in.hand = in.newPooledRef()
	in.hand.owned, in.hand.gone = false, errReturned
	return in, nil
}

// roots shows the functions that only Go holds.
func (in *instance) roots(visit func(lua.LValue)) {
	for _, fn := range in.held {
		visit(fn)
	}
	for _, fn := range []*lua.LFunction{in.onStop, in.onReload} {
		if fn != nil {
			visit(fn)
		}
	}
}

func (in *instance) close() { in.state.Close() }

func (in *instance) log(level Level, text string) {
	if in.script.opt.Log != nil {
		in.script.opt.Log(level, in.script.name, text)
	}
}

// handle is a handler's Run: it shows p to fn and reads its verdict.
func (in *instance) handle(h *handler, p *packet.Packet) engine.Verdict {
	ref := in.borrow(h, p)
	values, err := in.state.Call(h.fn, ref.ud)
	var v engine.Verdict
	if err != nil {
		v = engine.Fail(err)
	} else {
		v = in.locate(in.verdict(values), h)
	}
	ref.p = nil
	in.recycle()
	return v
}

// locate gives an error about a verdict the line of its handler.
func (in *instance) locate(v engine.Verdict, h *handler) engine.Verdict {
	err := v.Err()
	if err == nil {
		return v
	}
	return engine.Fail(&vm.Error{Reason: vm.Runtime, Script: in.script.name, Line: h.line, Message: err.Error(), Cause: err})
}

// call runs fn for a timer or the like, and reports what it raises.
func (in *instance) call(fn *lua.LFunction, args ...lua.LValue) []lua.LValue {
	values, err := in.state.Call(fn, args...)
	if err != nil {
		in.scope.Fail(err)
		return nil
	}
	return values
}

// join is the text of a log line: the arguments with blanks between.
func (in *instance) join(L *lua.LState, from int) string {
	var b strings.Builder
	for i := from; i <= L.GetTop(); i++ {
		if i > from {
			b.WriteByte(' ')
		}
		b.WriteString(in.state.Tostring(L, L.Get(i)))
	}
	return b.String()
}
