package luabind

import (
	"cmp"
	"fmt"
	"slices"

	lua "github.com/yuin/gopher-lua"
)

// Data is what can go from one Lua state to another: nil, booleans, numbers, strings,
// and tables of these. In Go it is nil, bool, float64, string and map[any]any.

// maxDataDepth bounds tables within tables.
const maxDataDepth = 100

// toData copies v out of its state. A table that stands in two places is one in the
// copy, too.
func toData(v lua.LValue) (any, error) {
	c := copier{done: map[*lua.LTable]map[any]any{}, open: map[*lua.LTable]bool{}}
	return c.value(v, "what is returned", 0)
}

type copier struct {
	done map[*lua.LTable]map[any]any
	open map[*lua.LTable]bool
}

func (c *copier) value(v lua.LValue, where string, depth int) (any, error) {
	switch v := v.(type) {
	case *lua.LNilType:
		return nil, nil
	case lua.LBool:
		return bool(v), nil
	case lua.LNumber:
		return float64(v), nil
	case lua.LString:
		return string(v), nil
	case *lua.LTable:
		return c.table(v, where, depth)
	}
	return nil, fmt.Errorf("%s is %s: only nil, booleans, numbers, strings and tables of these can be handed on", where, describe(v))
}

func (c *copier) table(t *lua.LTable, where string, depth int) (any, error) {
	if m, ok := c.done[t]; ok {
		return m, nil
	}
	switch {
	case c.open[t]:
		return nil, fmt.Errorf("%s is a table that contains itself: such a table cannot be handed on", where)
	case depth > maxDataDepth:
		return nil, fmt.Errorf("%s is nested more than %d tables deep", where, maxDataDepth)
	case t.Metatable != lua.LNil:
		return nil, fmt.Errorf("%s is a table with a metatable: only plain tables can be handed on", where)
	}
	c.open[t] = true
	m := map[any]any{}
	var err error
	t.ForEach(func(key, v lua.LValue) {
		if err != nil {
			return
		}
		if _, isTable := key.(*lua.LTable); isTable {
			err = fmt.Errorf("%s has a table for a key: keys are booleans, numbers and strings", where)
			return
		}
		var k any
		if k, err = c.value(key, "a key of "+where, depth); err != nil {
			return
		}
		m[k], err = c.value(v, fmt.Sprintf("%s[%v]", where, quoteKey(k)), depth+1)
	})
	delete(c.open, t)
	c.done[t] = m
	return m, err
}

func quoteKey(k any) any {
	if s, ok := k.(string); ok {
		return fmt.Sprintf("%q", clip(s))
	}
	return k
}

// fromData makes Lua values of data; a Go program may have left maps with string keys
// and slices.
func (in *instance) fromData(data any) (lua.LValue, error) {
	return in.restore(data, map[string]*lua.LTable{})
}

func (in *instance) restore(data any, done map[string]*lua.LTable) (lua.LValue, error) {
	switch v := data.(type) {
	case nil:
		return lua.LNil, nil
	case bool:
		return lua.LBool(v), nil
	case float64:
		return lua.LNumber(v), nil
	case int:
		return lua.LNumber(v), nil
	case string:
		return lua.LString(v), nil
	case []any:
		m := make(map[any]any, len(v))
		for i, item := range v {
			m[float64(i+1)] = item
		}
		return in.restore(m, done)
	case map[string]any:
		m := make(map[any]any, len(v))
		for k, item := range v {
			m[k] = item
		}
		return in.restore(m, done)
	case map[any]any:
		return in.restoreTable(v, done)
	}
	return nil, fmt.Errorf("the program before left a %T, of which Lua can make nothing", data)
}

// restoreTable fills a table in a fixed order, so that pairs shows the same in every
// run.
func (in *instance) restoreTable(m map[any]any, done map[string]*lua.LTable) (lua.LValue, error) {
	id := fmt.Sprintf("%p", m)
	if t, ok := done[id]; ok {
		return t, nil
	}
	t := in.state.L().CreateTable(0, len(m))
	done[id] = t
	keys := make([]any, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, compareKeys)
	for _, k := range keys {
		key, err := in.restore(k, done)
		if err != nil {
			return nil, err
		}
		v, err := in.restore(m[k], done)
		if err != nil {
			return nil, err
		}
		t.RawSet(key, v)
	}
	return t, nil
}

// compareKeys orders numbers, then strings, then the rest.
func compareKeys(a, b any) int {
	an, aNumber := a.(float64)
	bn, bNumber := b.(float64)
	as, aString := a.(string)
	bs, bString := b.(string)
	switch {
	case aNumber && bNumber:
		return cmp.Compare(an, bn)
	case aString && bString:
		return cmp.Compare(as, bs)
	case aNumber || bNumber:
		return cmp.Compare(truthRank(bNumber), truthRank(aNumber))
	case aString || bString:
		return cmp.Compare(truthRank(bString), truthRank(aString))
	}
	return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b))
}

func truthRank(b bool) int {
	if b {
		return 1
	}
	return 0
}
