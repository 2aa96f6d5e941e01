package luabind

import (
	"fmt"
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
	in.state.Work(filterWork + len(text)*bytesAStep)
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

// quote is bytes as a message shows them, not too many of them.
func quote(s string) string {
	const most = 60
	if len(s) > most {
		return fmt.Sprintf("%q and %d bytes more", s[:most], len(s)-most)
	}
	return fmt.Sprintf("%q", s)
}

// inSeconds is a time as a message shows it.
func inSeconds(d float64) string {
	return strings.TrimSuffix(fmt.Sprintf("%.9g", d), ".") + " s"
}
