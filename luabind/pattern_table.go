package luabind

import (
	"errors"
	"fmt"
	"iter"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine/filter"
	"github.com/tunscript/tunscript/engine/packet"
)

// A patternReader makes a pattern of a table.
type patternReader struct {
	in      *instance
	pt      *pattern
	filters []*filter.Filter
	lua     []asked // what costs most, and is asked last
}

// patternWords are the names of a pattern's table that are no fields of a packet.
var patternWords = map[string]string{"payload_is": "string", "peek": "boolean"}

func (r *patternReader) table(t *lua.LTable) error {
	for _, key := range sortedKeys(t) {
		if err := r.entry(key, t.RawGet(key)); err != nil {
			return err
		}
	}
	r.pt.ask = append(r.pt.ask, r.lua...)
	switch len(r.filters) {
	case 0:
	case 1:
		r.pt.match = r.filters[0]
	default:
		r.pt.match = filter.And(r.filters...)
	}
	return nil
}

func (r *patternReader) entry(key, v lua.LValue) error {
	k := r.in.kinds.packet
	if key == lua.LValue(lua.LNumber(1)) {
		text, ok := v.(lua.LString)
		if !ok {
			return fmt.Errorf("the filter is a string, got %s", describe(v))
		}
		f, err := r.in.filterOf(string(text))
		if err == nil {
			r.native(filterTerm(f), f)
		}
		return err
	}
	name, _ := key.(lua.LString)
	switch m := k.members.get(string(name)); {
	case name == "peek":
		on, ok := v.(lua.LBool)
		if !ok {
			return fmt.Errorf("peek: want true or false, got %s", describe(v))
		}
		r.pt.peek = bool(on)
	case name == "payload":
		return r.payload(v)
	case name == "payload_is":
		return r.payloadIs(v)
	case name == "flow":
		return r.flow(v)
	case m.layer != nil:
		return r.layer(m.layer, string(name), v)
	case m.field != nil:
		return r.field(k, string(name), string(name), m.field, v)
	default:
		return unknownIn("a pattern", key, func(yield func(string) bool) {
			for name := range k.members.names() {
				if m := k.members.get(name); (m.layer != nil || m.field != nil) && !yield(name) {
					return
				}
			}
			for name := range patternWords {
				if !yield(name) {
					return
				}
			}
		})
	}
	return nil
}

// unknownIn is the error about a key that a table of a pattern does not take.
func unknownIn(what string, key lua.LValue, known iter.Seq[string]) error {
	name, ok := key.(lua.LString)
	if !ok {
		return fmt.Errorf("%s has no %s", what, optionName(key))
	}
	return fmt.Errorf("%s has no %q%s", what, clip(string(name)), suggest(string(name), known))
}

// native is a term that the filter says.
func (r *patternReader) native(t term, f *filter.Filter) {
	r.pt.terms = append(r.pt.terms, t)
	r.filters = append(r.filters, f)
}

// asked is a term that is asked of what the filter lets through.
func (r *patternReader) asked(t term) {
	r.pt.terms = append(r.pt.terms, t)
	r.pt.ask = append(r.pt.ask, func(p *packet.Packet, _ *lua.LState) (bool, error) { return t.holds(p), nil })
}

func filterTerm(f *filter.Filter) term {
	return term{name: fmt.Sprintf("the filter %q", clip(f.String())), want: "to match", holds: f.Match,
		got: func(*packet.Packet) string { return "does not match" }}
}

// payload is a Lua pattern, or a function of the payload.
func (r *patternReader) payload(v lua.LValue) error {
	in := r.in
	got := func(p *packet.Packet) string { return fmt.Sprintf("is %s", quote(string(p.Payload()))) }
	switch v := v.(type) {
	case lua.LString:
		if _, err := in.state.Match(nil, "", string(v)); err != nil {
			return fmt.Errorf("payload: %w: for exactly these bytes use payload_is", err)
		}
		r.pt.terms = append(r.pt.terms, term{name: "payload", want: "to match " + quote(string(v)), got: got,
			holds: func(p *packet.Packet) bool { ok, _ := in.state.Match(nil, string(p.Payload()), string(v)); return ok }})
		r.lua = append(r.lua, func(p *packet.Packet, L *lua.LState) (bool, error) {
			return in.state.Match(L, string(p.Payload()), string(v))
		})
		return nil
	case *lua.LFunction:
		r.function("payload", v, func(p *packet.Packet) (lua.LValue, bool) { return lua.LString(p.Payload()), true })
		return nil
	}
	return fmt.Errorf("payload: want a Lua pattern or a function, got %s", describe(v))
}

// payloadIs is the payload, byte by byte.
func (r *patternReader) payloadIs(v lua.LValue) error {
	s, ok := v.(lua.LString)
	if !ok {
		return fmt.Errorf("payload_is: want a string, got %s", describe(v))
	}
	r.asked(term{name: "payload", want: quote(string(s)),
		holds: func(p *packet.Packet) bool { return string(p.Payload()) == string(s) },
		got:   func(p *packet.Packet) string { return fmt.Sprintf("is %s", quote(string(p.Payload()))) }})
	return nil
}

// flow is flow = p.flow: the packets of one flow, in both directions.
func (r *patternReader) flow(v lua.LValue) error {
	t, _ := v.(*lua.LTable)
	ref := r.in.flows[t]
	switch {
	case t == nil:
		return fmt.Errorf("flow: want a flow, as in flow = p.flow, got %s", describe(v))
	case ref == nil:
		return errors.New("flow: the table is no flow, or of one that has ended: use p.flow")
	}
	r.pt.flow = ref.flow
	return nil
}

// function is asked last, with a value of the packet; what is not there does not
// match.
func (r *patternReader) function(name string, fn *lua.LFunction, value func(p *packet.Packet) (lua.LValue, bool)) {
	r.pt.functions = append(r.pt.functions, fn)
	r.lua = append(r.lua, func(p *packet.Packet, _ *lua.LState) (bool, error) {
		v, ok := value(p)
		if !ok || v == lua.LNil {
			return false, nil
		}
		return r.in.askLua(fn, v)
	})
}
