package luabind

import (
	"errors"
	"fmt"
	"iter"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/filter"
	"github.com/tunscript/tunscript/engine/packet"
)

// A pattern says which packets a task waits for: a filter, a function, or a table of
// what the fields are. As much as can be is a filter, which many waiting tasks share
// an index with; the rest is asked about the packets that the filter lets through,
// Lua last.
type pattern struct {
	match     *filter.Filter // nil: every packet
	terms     []term         // of a table, for what expect shows
	flow      engine.Flow    // zero: any
	ask       []asked        // what match and flow leave open
	functions []lua.LValue   // in ask
	peek      bool
}

// A term is one thing that a table asks for.
type term struct {
	name  string // "tcp.flags"
	want  string // "SA", or "to be there"
	holds func(p *packet.Packet) bool
	got   func(p *packet.Packet) string
}

// asked is a question to a packet. L is nil, or the caller who pays for it.
type asked func(p *packet.Packet, L *lua.LState) (bool, error)

// anyPacket is the pattern of every packet.
var anyPacket = &pattern{}

// asker is the pattern's Ask for the engine; nil where the filter says it all. fail
// is told of an error; such a packet does not match.
func (pt *pattern) asker(fail func(error)) func(*packet.Packet) bool {
	if len(pt.ask) == 0 {
		return nil
	}
	return func(p *packet.Packet) bool {
		ok, err := pt.askAll(p, nil)
		if err != nil {
			fail(err)
		}
		return ok
	}
}

func (pt *pattern) askAll(p *packet.Packet, L *lua.LState) (bool, error) {
	for _, ask := range pt.ask {
		if ok, err := ask(p, L); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

// holds asks everything.
func (pt *pattern) holds(in *instance, p *packet.Packet, L *lua.LState) (bool, error) {
	if !pt.match.Match(p) {
		return false, nil
	}
	if pt.flow != (engine.Flow{}) {
		if f, ok := in.scope.Flow(p); !ok || !f.Same(pt.flow) {
			return false, nil
		}
	}
	return pt.askAll(p, L)
}

// patternOf reads a pattern that a script wrote.
func (in *instance) patternOf(v lua.LValue) (*pattern, error) {
	switch v := v.(type) {
	case lua.LString:
		f, err := in.filterOf(string(v))
		return &pattern{match: f, terms: []term{filterTerm(f)}}, err
	case *lua.LFunction:
		pt := &pattern{functions: []lua.LValue{v}}
		pt.ask = []asked{func(p *packet.Packet, _ *lua.LState) (bool, error) { return in.askAbout(v, p) }}
		return pt, nil
	case *lua.LTable:
		r := patternReader{in: in, pt: &pattern{}}
		return r.pt, r.table(v)
	}
	return nil, fmt.Errorf(`want a pattern: a filter, a function or a table such as {tcp = {flags = "S"}}, got %s`, describe(v))
}

// maxFilters bounds the filters that are kept compiled.
const maxFilters = 256

// filterOf compiles a filter; a task waits for the same again and again.
func (in *instance) filterOf(text string) (*filter.Filter, error) {
	if f, ok := in.filters[text]; ok {
		return f, nil
	}
	f, err := filter.Compile(text)
	if err != nil {
		return nil, err
	}
	if in.filters == nil || len(in.filters) >= maxFilters {
		in.filters = map[string]*filter.Filter{}
	}
	in.filters[text] = f
	return f, nil
}

// askAbout calls a pattern's function with a packet, which is borrowed.
func (in *instance) askAbout(fn *lua.LFunction, p *packet.Packet) (bool, error) {
	ref := in.newRef(p)
	ref.owned, ref.gone = false, errAsked
	ok, err := in.askLua(fn, ref.ud)
	ref.p = nil
	return ok, err
}

func (in *instance) askLua(fn *lua.LFunction, v lua.LValue) (bool, error) {
	values, err := in.enter(fn, v)
	if err != nil {
		return false, fmt.Errorf("the pattern's function failed: %w", err)
	}
	return len(values) > 0 && lua.LVAsBool(values[0]), nil
}

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

// quote is bytes as a message shows them, not too many of them.
func quote(s string) string {
	const most = 60
	if len(s) > most {
		return fmt.Sprintf("%q and %d bytes more", s[:most], len(s)-most)
	}
	return fmt.Sprintf("%q", s)
}

// seconds is a time as a message shows it.
func inSeconds(d float64) string {
	return strings.TrimSuffix(fmt.Sprintf("%.9g", d), ".") + " s"
}
