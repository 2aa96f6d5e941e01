package luabind

import (
	"errors"
	"fmt"
	"slices"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
)

var verdictWords = map[string]bool{"pass": true, "accept": true, "drop": true}

// allowed ends every message about a wrong verdict.
const allowed = `return nothing, "pass", "accept", "drop" [, reason], a packet or a list of packets`

// verdict reads what a handler returned.
func (in *instance) verdict(values []lua.LValue) (engine.Verdict, error) {
	if len(values) == 0 {
		return engine.Pass(), nil
	}
	if word, ok := values[0].(lua.LString); ok && word == "drop" {
		return in.dropVerdict(values[1:])
	}
	for i, v := range values[1:] {
		if v != lua.LNil {
			return engine.Pass(), fmt.Errorf("verdict: value %d, %s, is one too many: %s", i+2, describe(v), allowed)
		}
	}
	switch v := values[0].(type) {
	case *lua.LNilType:
		return engine.Pass(), nil
	case lua.LBool:
		if v {
			return engine.Pass(), errors.New("verdict: true means nothing: " + allowed)
		}
		return engine.Pass(), nil
	case lua.LString:
		switch v {
		case "pass":
			return engine.Pass(), nil
		case "accept":
			return engine.Accept(), nil
		}
		return engine.Pass(), fmt.Errorf("verdict: there is no %q%s: %s", string(v), didYouMean(string(v), verdictWords), allowed)
	case *lua.LUserData:
		ref, err := in.refOf(v)
		if err != nil {
			return engine.Pass(), fmt.Errorf("verdict: %w", err)
		}
		if !ref.owned { // the packet in hand itself
			return engine.Accept(), nil
		}
		return engine.Replace(in.give(ref)), nil
	case *lua.LTable:
		return in.listVerdict(v)
	}
	return engine.Pass(), fmt.Errorf("verdict: %s means nothing: %s", describe(values[0]), allowed)
}

func (in *instance) dropVerdict(rest []lua.LValue) (engine.Verdict, error) {
	if len(rest) == 0 || rest[0] == lua.LNil {
		return engine.Drop(""), nil
	}
	reason, ok := rest[0].(lua.LString)
	if !ok {
		return engine.Pass(), fmt.Errorf("verdict: the reason of a drop is a string, not %s", describe(rest[0]))
	}
	if len(rest) > 1 && rest[1] != lua.LNil {
		return engine.Pass(), errors.New("verdict: a third value is too many: " + allowed)
	}
	// A verdict with a reason costs an allocation to make: scripts use few.
	v, ok := in.drops[reason]
	if !ok {
		v = engine.Drop(engine.Reason(reason))
		if len(in.drops) < 256 {
			in.drops[reason] = v
		}
	}
	return v, nil
}

// listVerdict gives the packets of a list away, all or, where one cannot be, none.
func (in *instance) listVerdict(t *lua.LTable) (engine.Verdict, error) {
	n := t.MaxN()
	for t.RawGetInt(n+1) != lua.LNil { // what is beyond the table's array part
		n++
	}
	if key, ok := strayKey(t, n); ok {
		return engine.Pass(), fmt.Errorf("verdict: the table is no list of packets (it has %s): %s", describe(key), allowed)
	}
	refs := make([]*packetRef, n)
	for i := range refs {
		ref, err := in.refOf(t.RawGetInt(i + 1))
		if err != nil {
			return engine.Pass(), fmt.Errorf("verdict: item %d: %w", i+1, err)
		}
		if at := slices.Index(refs[:i], ref); at >= 0 {
			return engine.Pass(), fmt.Errorf("verdict: items %d and %d are one packet: use p:copy() to send it twice", at+1, i+1)
		}
		refs[i] = ref
	}
	ps := make([]*packet.Packet, n)
	for i, ref := range refs {
		ps[i] = in.give(ref)
	}
	return engine.Replace(ps...), nil
}

// strayKey is a key of t that is none of 1 to n.
func strayKey(t *lua.LTable, n int) (lua.LValue, bool) {
	for key, _ := t.Next(lua.LNil); key != lua.LNil; key, _ = t.Next(key) {
		if i, ok := key.(lua.LNumber); !ok || i < 1 || int(i) > n || i != lua.LNumber(int(i)) {
			return key, true
		}
	}
	return nil, false
}
