package luabind

import (
	"errors"
	"fmt"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/flow"
	"github.com/tunscript/tunscript/engine/packet"
)

// A flowRef is what this script keeps with a flow: the table that p.flow is for every
// packet of it. Its metatable is shared, so what a method is called on is found by the
// table, in instance.flows.
type flowRef struct {
	of    *flowMetas // whose it is
	table *lua.LTable
	flow  engine.Flow // as the packet saw it whose flow was read last
}

// FlowEnded forgets a flow that has ended. Its table is the script's, if it has kept
// it, and remains what the script has written there.
func (r *flowRef) FlowEnded() {
	if r.of.in != nil {
		delete(r.of.in.flows, r.table)
	}
	r.table.Metatable = r.of.ended
}

// flowField is p.flow.
func flowField() *field {
	return &field{typ: "flow?", doc: "a table of your own for all packets of its flow; nil for what has none, such as ARP",
		get: func(in *instance, p *packet.Packet) lua.LValue { return in.flowOf(p) }}
}

// flowOf is the table of p's flow, nil for a packet that has none.
func (in *instance) flowOf(p *packet.Packet) lua.LValue {
	f, ok := in.scope.Flow(p)
	if !ok {
		return lua.LNil
	}
	old, _ := f.Value().(*flowRef)
	if old != nil && old.of == in.flowMetas {
		old.flow, old.table.Metatable = f, in.flowMetas.dirs[f.Dir()]
		return old.table
	}
	if in.flows == nil {
		in.flows, in.flowMetas = map[*lua.LTable]*flowRef{}, in.newFlowMetas()
	}
	r := &flowRef{of: in.flowMetas, table: in.state.L().CreateTable(0, 0), flow: f}
	if old != nil {
		in.inherit(r.table, old)
	}
	if err := f.SetValue(r); err != nil {
		return lua.LNil
	}
	r.table.Metatable = in.flowMetas.dirs[f.Dir()]
	in.flows[r.table] = r
	return r.table
}

// inherit copies what the script before this one has written in the table of a flow,
// as far as it is data, when this one first asks.
func (in *instance) inherit(t *lua.LTable, old *flowRef) {
	old.FlowEnded()
	c := copier{done: map[*lua.LTable]map[any]any{}, open: map[*lua.LTable]bool{}}
	made := map[string]*lua.LTable{}
	for _, key := range sortedKeys(old.table) {
		if _, isTable := key.(*lua.LTable); isTable {
			continue
		}
		k, err := c.value(key, "a key of p.flow", 0)
		if err != nil {
			continue
		}
		v, err := c.value(old.table.RawGet(key), fmt.Sprintf("p.flow[%v]", quoteKey(k)), 0)
		if err != nil {
			in.log(Warn, "it is lost in the reload: "+err.Error())
			continue
		}
		name, err1 := in.restore(k, made)
		value, err2 := in.restore(v, made)
		if err1 == nil && err2 == nil {
			t.RawSet(name, value)
		}
	}
}

// flowMetas are the metatables of flows. The engine's names stand in their __index,
// and dir with them: reading p.flow gives its table the metatable of p's direction,
// for to ask a function on every read would cost more than all the rest.
type flowMetas struct {
	in    *instance      // nil when it has ended
	dirs  [2]*lua.LTable // by flow.Dir
	ended *lua.LTable    // of one that has ended: no dir
}

func (in *instance) newFlowMetas() *flowMetas {
	L := in.state.L()
	write := L.NewFunction(in.setFlowName)
	methods := map[string]*lua.LFunction{}
	for name, m := range flowClass().methods {
		methods[name] = L.NewFunction(func(L *lua.LState) int { return m.fn(in, L) })
	}
	meta := func(dir lua.LValue) *lua.LTable {
		names := L.CreateTable(0, 3)
		names.RawSetString("dir", dir)
		for name, fn := range methods {
			names.RawSetString(name, fn)
		}
		t := L.CreateTable(0, 3)
		t.RawSetString("__index", names)
		t.RawSetString("__newindex", write)
		t.RawSetString("__metatable", lua.LFalse)
		return t
	}
	m := &flowMetas{in: in, ended: meta(lua.LNil)}
	for d := range m.dirs {
		m.dirs[d] = meta(lua.LString(flow.Dir(d).String()))
	}
	return m
}

// letGo cuts the flows' tables off from a script that ends. They stay with the flows, for
// the script that follows to read, and would hold all the rest of this one: its state
// hangs on the functions of the metatables.
func (m *flowMetas) letGo() {
	m.in = nil
	for _, t := range []*lua.LTable{m.dirs[0], m.dirs[1], m.ended} {
		t.RawSetString("__index", lua.LNil)
		t.RawSetString("__newindex", lua.LNil)
	}
}

// isFlow reports a table that p.flow is or was.
func (in *instance) isFlow(t *lua.LTable) bool {
	m, ok := t.Metatable.(*lua.LTable)
	return ok && in.flowMetas != nil && (m == in.flowMetas.dirs[flow.Forward] || m == in.flowMetas.dirs[flow.Back] || m == in.flowMetas.ended)
}

// setFlowName writes a name that is new in the table.
func (in *instance) setFlowName(L *lua.LState) int {
	t, ok := L.Get(1).(*lua.LTable)
	if !ok {
		return in.state.Raise(L, errNoFlow)
	}
	switch key := L.Get(2).(type) {
	case lua.LString:
		c := flowClass()
		_, method := c.methods[string(key)]
		if _, field := c.fields[string(key)]; field || method {
			return in.state.Raise(L, fmt.Errorf("flow.%s is the engine's: keep your own under another name", string(key)))
		}
	case *lua.LNilType:
		return in.state.Raise(L, errors.New("the key is nil: a table has none of that"))
	case lua.LNumber:
		if key != key {
			return in.state.Raise(L, errors.New("the key is NaN: a table has none of that"))
		}
	}
	t.RawSet(L.Get(2), L.Get(3))
	return 0
}

var errNoFlow = errors.New("want a flow: call it with a colon, as in p.flow:bypass(\"pass\")")
