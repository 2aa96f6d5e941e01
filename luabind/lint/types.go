package lint

import (
	"strings"

	"github.com/tunscript/tunscript/luabind"
)

// A typ is what is known of a value.
type typ struct {
	// name is a class of the reference, or "string", "number", "boolean", "nil",
	// "table", "function"; "" if nothing is known.
	name string
	fn   *luabind.Name // a function of the API
	lib  string        // a table of functions: "log", "string"
	elem string        // a table with names of the user's: the type of what is in it

	module bool // lib is a module that ships
}

func (t typ) same(o typ) bool {
	return t.name == o.name && t.lib == o.lib && t.fn == o.fn && t.module == o.module
}

// join is what a value is that is a or b: nil aside, both must be the same.
func join(a, b typ) typ {
	switch {
	case a.name == "nil":
		return b
	case b.name == "nil" || a.same(b):
		return a
	}
	return typ{}
}

// parse is the type that a type of LuaLS says, as far as it says one.
func (a *api) parse(t string) typ {
	t = strings.TrimSuffix(t, "?")
	parts := union(t)
	if len(parts) != 1 {
		out := a.parse(parts[0])
		for _, p := range parts[1:] {
			out = join(out, a.parse(p))
		}
		return out
	}
	switch {
	case strings.HasPrefix(t, `"`) || t == "string":
		return typ{name: "string"}
	case t == "integer" || t == "number":
		return typ{name: "number"}
	case t == "boolean" || t == "true" || t == "false":
		return typ{name: "boolean"}
	case t == "nil":
		return typ{name: "nil"}
	case strings.HasPrefix(t, "fun(") || t == "function":
		return typ{name: "function"}
	case strings.HasPrefix(t, "table<string, "):
		return typ{name: "table", elem: strings.TrimSuffix(strings.TrimPrefix(t, "table<string, "), ">")}
	case t == "table" || strings.HasSuffix(t, "[]") || strings.HasPrefix(t, "table<") || strings.HasPrefix(t, "{"):
		return typ{name: "table"}
	case a.aliases[t] != "":
		return a.parse(a.aliases[t])
	case a.classes[t] != nil:
		if a.classes[t].Kind == luabind.Table {
			return typ{name: "table"}
		}
		return typ{name: t}
	}
	return typ{}
}

// union splits a type at its outermost bars.
func union(t string) (parts []string) {
	deep, quoted, start := 0, false, 0
	for i := range len(t) {
		switch c := t[i]; {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '(' || c == '<' || c == '{' || c == '[':
			deep++
		case c == ')' || c == '>' || c == '}' || c == ']':
			deep--
		case c == '|' && deep == 0:
			parts = append(parts, t[start:i])
			start = i + 1
		}
	}
	return append(parts, t[start:])
}

// funParams are the types of the parameters of "fun(p: packet, ...)", or of an alias
// of it.
func funParams(a *api, t string) (types []string) {
	t = strings.TrimSuffix(t, "?")
	for range 4 {
		if alias, ok := a.aliases[t]; ok {
			t = alias
		}
	}
	for _, part := range union(t) {
		sig, ok := strings.CutPrefix(part, "fun")
		if !ok {
			continue
		}
		forms, err := luabind.ParseForms(sig)
		if err != nil || len(forms) != 1 {
			continue
		}
		for _, p := range forms[0].Params {
			types = append(types, p.Type)
		}
		return types
	}
	return nil
}
