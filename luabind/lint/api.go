package lint

import (
	"maps"
	"strings"

	"github.com/tunscript/tunscript/luabind"
)

// api is the reference made ready for looking names up.
type api struct {
	globals map[string]luabind.Name
	tables  map[string]map[string]luabind.Name // "log" -> its names
	modules map[string]map[string]luabind.Name // that ship
	calls   map[string]*luabind.Name           // of modules that can be called
	classes map[string]*class
	aliases map[string]string
}

// A class is a luabind.Class by names.
type class struct {
	luabind.Class
	fields  map[string]luabind.Field
	methods map[string]luabind.Name
}

func newAPI(r *luabind.Reference) *api {
	a := &api{globals: map[string]luabind.Name{}, tables: map[string]map[string]luabind.Name{},
		modules: map[string]map[string]luabind.Name{}, calls: map[string]*luabind.Name{}, classes: map[string]*class{}, aliases: map[string]string{}}
	for _, n := range r.Globals {
		table, name, ok := strings.Cut(n.Name, ".")
		if !ok {
			a.globals[n.Name] = n
			continue
		}
		if a.tables[table] == nil {
			a.tables[table] = map[string]luabind.Name{}
		}
		a.tables[table][name] = n
	}
	for _, m := range r.Modules {
		names := map[string]luabind.Name{}
		for _, n := range m.Names {
			names[n.Name] = n
		}
		a.modules[m.Name] = names
		if m.Call.Forms != nil {
			a.calls[m.Name] = &m.Call
		}
	}
	for _, c := range r.Classes {
		cl := &class{Class: c, fields: map[string]luabind.Field{}, methods: map[string]luabind.Name{}}
		for _, f := range c.Fields {
			cl.fields[f.Name] = f
		}
		for _, m := range c.Methods {
			cl.methods[m.Name] = m
		}
		a.classes[c.Name] = cl
	}
	for _, al := range r.Aliases {
		a.aliases[al.Name] = al.Type
	}
	return a
}

// library are the names of a table of functions: a global, or a module.
func (a *api) library(t typ) map[string]luabind.Name {
	if t.module {
		return a.modules[t.lib]
	}
	return a.tables[t.lib]
}

// names are all names of a class, for a suggestion.
func (c *class) names(yield func(string) bool) {
	for name := range c.fields {
		if !yield(name) {
			return
		}
	}
	for name := range c.methods {
		if !yield(name) {
			return
		}
	}
}

// has says whether a global of that name is there.
func (a *api) has(name string, trusted bool) bool {
	if n, ok := a.globals[name]; ok {
		return !n.Trusted || trusted
	}
	return a.tables[name] != nil
}

// isOwn says whether name is one of tunscript's, which cannot be assigned.
func (a *api) isOwn(name string) bool {
	if n, ok := a.globals[name]; ok {
		return !n.Lua
	}
	for _, n := range a.tables[name] {
		return !n.Lua
	}
	return false
}

// isLua says whether a table is one of Lua's own.
func (a *api) isLua(table string) bool {
	for _, n := range a.tables[table] {
		return n.Lua
	}
	return false
}

// similar is the name of a map most like word, or "".
func similar[V any](word string, known map[string]V) string {
	return luabind.Nearest(word, maps.Keys(known))
}
