package luabind

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine/flow"
)

// flowClass is the names in a flow's table that are the engine's; all others are the
// script's.
func flowClass() class {
	return class{
		name: "flow", open: true, doc: "a table of the script's own for all packets of a flow, both directions, as long as it lives",
		fields: map[string]classField{
			"dir": {`"forward"|"back"?`, "where the packet goes that the flow was read of: forward as the first one seen; nil when the flow has ended"},
		},
		methods: map[string]classMethod{
			"bypass": {`(what: "pass"|"drop"): boolean?, string?`,
				"from the next packet on this script is done with the flow, or its packets end; nil and why when it has ended", (*instance).bypassFlow},
			"rewrite": {"(to: flow.rewrite): boolean?, string?",
				"from this packet on the flow leaves with these, and its answers are changed back; nil and why where they are taken", (*instance).rewriteFlow},
		},
	}
}

// rewriteOptions are what flow:rewrite takes.
var rewriteOptions = map[string]struct {
	typ string
	doc string
	set func(in *instance, v lua.LValue, to *flow.Rewrite) error
}{
	"src": {"address", "source address", func(in *instance, v lua.LValue, to *flow.Rewrite) (err error) {
		to.Src, err = in.parseAddr(v)
		return err
	}},
	"dst": {"address", "destination address", func(in *instance, v lua.LValue, to *flow.Rewrite) (err error) {
		to.Dst, err = in.parseAddr(v)
		return err
	}},
	"sport": {`integer|"free"`, `source port, or the id of an echo; "free" finds one`, func(in *instance, v lua.LValue, to *flow.Rewrite) (err error) {
		if v == lua.LString("free") {
			to.FreeSport = true
			return nil
		}
		to.Sport, err = portNumber(v, `, or "free"`)
		return err
	}},
	"dport": {"integer", "destination port", func(in *instance, v lua.LValue, to *flow.Rewrite) (err error) {
		to.Dport, err = portNumber(v, "")
		return err
	}},
}

func portNumber(v lua.LValue, or string) (uint16, error) {
	n, ok := v.(lua.LNumber)
	if !ok {
		return 0, fmt.Errorf("want a port 1..65535%s, got %s", or, describe(v))
	}
	if n < 1 || n > math.MaxUint16 || float64(n) != math.Trunc(float64(n)) {
		return 0, fmt.Errorf("is %v, want a port 1..65535%s", n, or)
	}
	return uint16(n), nil
}

// checkFlow is argument 1 of a method of flows; false if it has ended.
func (in *instance) checkFlow(L *lua.LState) (*flowRef, bool) {
	t, ok := L.Get(1).(*lua.LTable)
	if !ok || !in.isFlow(t) {
		in.state.Raise(L, errNoFlow)
	}
	r := in.flows[t]
	return r, r != nil
}

func (in *instance) bypassFlow(L *lua.LState) int {
	r, ok := in.checkFlow(L)
	in.checkMost(L, 2, "bypass")
	what, _ := L.Get(2).(lua.LString)
	action, known := map[string]flow.Action{"pass": flow.Pass, "drop": flow.Drop}[string(what)]
	if !known {
		return in.state.Raise(L, fmt.Errorf(`bypass: want "pass" or "drop", got %s`, describe(L.Get(2))))
	}
	if !ok {
		return in.pushOutcome(L, flow.ErrEnded)
	}
	return in.pushOutcome(L, r.flow.Bypass(action))
}

func (in *instance) rewriteFlow(L *lua.LState) int {
	r, ok := in.checkFlow(L)
	in.checkMost(L, 2, "rewrite")
	t, isTable := L.Get(2).(*lua.LTable)
	if !isTable {
		return in.state.Raise(L, fmt.Errorf("rewrite: want a table, as in p.flow:rewrite{ dport = 80 }, got %s", describe(L.Get(2))))
	}
	to, err := in.rewriteOf(t)
	if err != nil {
		return in.state.Raise(L, err)
	}
	if !ok {
		return in.pushOutcome(L, flow.ErrEnded)
	}
	return in.pushOutcome(L, r.flow.Rewrite(to))
}

func (in *instance) rewriteOf(t *lua.LTable) (to flow.Rewrite, err error) {
	for _, key := range sortedKeys(t) {
		name, _ := key.(lua.LString)
		option, ok := rewriteOptions[string(name)]
		if !ok {
			return to, fmt.Errorf("rewrite: there is no %v%s (there are %s)", optionName(key), didYouMean(string(name), rewriteOptions),
				strings.Join(slices.Sorted(maps.Keys(rewriteOptions)), ", "))
		}
		if err := option.set(in, t.RawGet(key), &to); err != nil {
			return to, about("rewrite: "+string(name), err)
		}
	}
	if to == (flow.Rewrite{}) {
		return to, errors.New("rewrite: there is nothing to rewrite: give src, dst, sport or dport")
	}
	return to, nil
}

// pushOutcome is true, or nil and why not.
func (in *instance) pushOutcome(L *lua.LState, err error) int {
	if err != nil {
		L.Push(lua.LNil)
		L.Push(lua.LString(err.Error()))
		return 2
	}
	L.Push(lua.LTrue)
	return 1
}
