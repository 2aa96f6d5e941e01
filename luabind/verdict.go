package luabind

import (
	"errors"
	"fmt"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
)

var verdictWords = map[string]bool{"pass": true, "accept": true, "drop": true}

// allowed ends every message about a wrong verdict.
const allowed = `return nothing, "pass", "accept", "drop" [, reason], a packet or a list of packets`

// verdict reads what a handler returned.
func (in *instance) verdict(values []lua.LValue) engine.Verdict {
	if len(values) == 0 {
		return engine.Pass()
	}
	v, err := in.oneVerdict(values)
	if err != nil {
		return engine.Fail(err)
	}
	return v
}

func (in *instance) oneVerdict(values []lua.LValue) (engine.Verdict, error) {
	if word, ok := values[0].(lua.LString); ok && word == "drop" {
		return in.dropVerdict(values[1:])
	}
	for i, v := range values[1:] {
		if v != lua.LNil {
			return engine.Pass(), fmt.Errorf("verdict: value %d is a %s too many: %s", i+2, v.Type(), allowed)
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
		p, err := in.give(v)
		if err != nil {
			return engine.Pass(), err
		}
		return engine.Replace(p), nil
	case *lua.LTable:
		return in.listVerdict(v)
	}
	return engine.Pass(), fmt.Errorf("verdict: a %s means nothing: %s", values[0].Type(), allowed)
}

func (in *instance) dropVerdict(rest []lua.LValue) (engine.Verdict, error) {
	if len(rest) == 0 || rest[0] == lua.LNil {
		return engine.Drop(""), nil
	}
	reason, ok := rest[0].(lua.LString)
	if !ok {
		return engine.Pass(), fmt.Errorf("verdict: the reason of a drop is a string, not a %s", rest[0].Type())
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

func (in *instance) listVerdict(t *lua.LTable) (engine.Verdict, error) {
	n := t.Len()
	ps := make([]*packet.Packet, 0, n)
	for i := 1; i <= n; i++ {
		ud, ok := t.RawGetInt(i).(*lua.LUserData)
		if !ok {
			return engine.Pass(), fmt.Errorf("verdict: item %d of the list is a %s, not a packet: %s", i, t.RawGetInt(i).Type(), allowed)
		}
		p, err := in.give(ud)
		if err != nil {
			return engine.Pass(), err
		}
		ps = append(ps, p)
	}
	if t.MaxN() == 0 {
		key, _ := t.Next(lua.LNil)
		if key != lua.LNil {
			return engine.Pass(), fmt.Errorf("verdict: the table is no list of packets (it has a %q): %s", key.String(), allowed)
		}
	}
	return engine.Replace(ps...), nil
}
