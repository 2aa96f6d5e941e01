package luabind

import (
	"errors"
	"fmt"
	"net/netip"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/filter"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/luabind/vm"
)

// An instance is a script in one scope: a Lua state and what it has registered.
// It is used on the scope's worker only.
type instance struct {
	script      *Script
	scope       *engine.Scope
	state       *vm.State
	broken      *vm.Error // why the script is out of service; nil while it is not
	kinds       kinds
	impairments int              // rules that stand
	handlers    int              // of on, that were not cancelled
	held        map[any]heldCall // what the engine will call, for the walk of memory

	loading     bool // the top level runs
	tasks       tasks
	options     map[string]bool // declared so far
	networkMeta *lua.LTable     // of what cidr returns
	eventMeta   *lua.LTable     // of what event returns
	json        jsonMarks
	handleMeta  *lua.LTable // of what on, after and every return
	flowMetas   *flowMetas  // nil until a script asks for a flow
	flows       map[*lua.LTable]*flowRef

	hand  *packetRef   // the packet in hand, of handlers that keep nothing
	lent  []*packetRef // answers that such a handler has made of it
	spare []*packetRef // of earlier ones

	drops     map[lua.LString]engine.Verdict
	addrs     addrTexts
	macs      texts[packet.MAC]
	flagTexts texts[packet.Flags]
	ports     texts[*packet.Port]
	parsed    map[lua.LString]netip.Addr
	filters   map[string]*filter.Filter // of patterns
	numbers   numbers
}

func newInstance(s *Script, scope *engine.Scope) (*instance, error) {
	in := &instance{script: s, scope: scope, held: map[any]heldCall{}, drops: map[lua.LString]engine.Verdict{}}
	state, err := vm.New(vm.Options{
		Limits: s.opt.Limits, Trusted: s.opt.Trusted,
		Print: func(line string) {
			in.state.Work(logSteps * bytesAStep)
			in.log(Info, line)
		},
		Now: scope.Now, Rand: scope.Rand(), Turn: scope.Turn,
		Roots: in.roots, Require: in.require,
	})
	if err != nil {
		return nil, err
	}
	in.state = state
	scope.SetValue(in)
	in.openKinds()
	in.openGlobals()
	in.hand = in.newPooledRef()
	in.hand.owned, in.hand.gone = false, errReturned
	return in, nil
}

// A heldCall is a function that only Go holds, with its arguments.
type heldCall struct {
	fn   *lua.LFunction
	args []lua.LValue
}

// roots shows what only Go holds.
func (in *instance) roots(visit func(lua.LValue)) {
	for _, c := range in.held {
		visit(c.fn)
		for _, v := range c.args {
			visit(v)
		}
	}
	for t := range in.flows {
		visit(t)
	}
}

func (in *instance) close() {
	if in.flowMetas != nil {
		in.flowMetas.letGo()
	}
	in.state.Close()
}

// enter calls fn. A script that has broken its state, by holding more memory than
// allowed or by a bug of ours, is started anew before the next packet, and what its
// variables knew is lost. One that breaks again and again is out of service: every
// handler and timer of it fails, with the reason, until it is loaded anew.
func (in *instance) enter(fn *lua.LFunction, args ...lua.LValue) ([]lua.LValue, error) {
	if in.broken != nil {
		return nil, in.broken
	}
	values, err := in.state.Call(fn, args...)
	if err != nil {
		in.noteBroken(err)
	}
	return values, err
}

// noteBroken looks whether err has left the state broken.
func (in *instance) noteBroken(err error) {
	if !in.state.Broken() {
		return
	}
	in.broken = &vm.Error{Reason: vm.Panic, Script: in.script.name, Cause: err}
	if e, ok := errors.AsType[*vm.Error](err); ok {
		in.broken.Reason, in.broken.Line = e.Reason, e.Line
	}
	in.broken.Message = fmt.Sprintf("out of service since it failed (%v): load it anew", err)
	in.scope.Restart()
}

// handle is a handler's Run: it shows p to fn and reads its verdict.
func (in *instance) handle(h *handler, p *packet.Packet) engine.Verdict {
	ref := in.borrow(h, p)
	values, err := in.enter(h.fn, ref.ud)
	var v engine.Verdict
	if err == nil {
		if v, err = in.verdict(values); err != nil {
			err = &vm.Error{Reason: vm.Runtime, Script: in.script.name, Line: h.line, Message: err.Error(), Cause: err}
		}
	}
	if err != nil {
		v = engine.Fail(err)
	}
	ref.p = nil
	if len(in.lent) > 0 {
		in.recycle()
	}
	return v
}

// call runs fn for a timer or the like, and reports what it raises.
func (in *instance) call(fn *lua.LFunction, args ...lua.LValue) (values []lua.LValue, ok bool) {
	values, err := in.enter(fn, args...)
	if err != nil {
		in.scope.Fail(err)
		return nil, false
	}
	return values, true
}
