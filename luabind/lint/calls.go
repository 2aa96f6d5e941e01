package lint

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/yuin/gopher-lua/ast"

	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/luabind"
)

// checkCall looks at a call: whether there is such a method, and what it is given.
func (f *file) checkCall(e *ast.FuncCallExpr) {
	if e.Func == nil {
		f.checkMethod(e)
	} else {
		f.checkCallee(e)
	}
	fn := f.callee(e)
	if fn == nil || fn.Lua {
		return // Lua's own functions convert as they please
	}
	form := f.form(fn, e.Args)
	if form == nil {
		return
	}
	for i, a := range e.Args {
		p, ok := param(form, i)
		if !ok {
			break
		}
		what := fn.Name
		for _, v := range f.mayBe(a) {
			if _, isNil := v.(*ast.NilExpr); isNil && (p.Optional || p.Name == "...") {
				continue
			}
			if why := f.mismatch(p.Type, v); why != "" {
				f.report(f.at(v), Error, f.word(v), "", "%s: want %s, got %s", what, f.c.api.describe(p.Type), why)
				continue
			}
			f.checkContent(what, p.Type, v)
		}
	}
}

// checkMethod looks at receiver:name().
func (f *file) checkMethod(e *ast.FuncCallExpr) {
	t := f.typeOf(e.Receiver)
	if t.name == "string" && t.lib == "" {
		if _, ok := f.c.api.tables["string"][e.Method]; !ok && !f.fields["string."+e.Method] && !f.c.opt.Trusted {
			f.report(f.methodAt(e), Error, e.Method, similar(e.Method, f.c.api.tables["string"]), "a string has no method %q", e.Method)
		}
		return
	}
	c := f.c.api.classes[t.name]
	if c == nil || c.Kind == luabind.Table {
		return
	}
	if _, ok := c.methods[e.Method]; ok {
		return
	}
	if field, ok := c.fields[e.Method]; ok {
		if got := f.c.api.parse(field.Type); got.name != "" && got.name != "function" {
			f.report(f.methodAt(e), Error, e.Method, "", "%s.%s is a field, not a method: write it with a dot and without parentheses", c.Name, e.Method)
		}
		return
	}
	if c.Open {
		return // a function that the script keeps there
	}
	f.report(f.methodAt(e), Error, e.Method, luabind.Nearest(e.Method, c.names), "%s has no %q", c.Name, e.Method)
}

// checkCallee looks at name() and t.name().
func (f *file) checkCallee(e *ast.FuncCallExpr) {
	switch callee := e.Func.(type) {
	case *ast.IdentExpr:
		t := f.typeOf(callee)
		if t.lib != "" && !t.module && f.c.api.isOwn(callee.Value) {
			f.report(f.at(callee), Error, callee.Value, "", "%s is a table of functions: call one of them, such as %s.%s", t.lib, t.lib, example(f.c.api.tables[t.lib]))
			return
		}
		c := f.c.api.classes[t.name]
		if c == nil || c.Kind != luabind.Layer {
			return
		}
		if f.c.api.isOwn(callee.Value) && f.c.api.globals[callee.Value].Forms != nil {
			f.report(f.at(callee), Error, callee.Value, "",
				"%s is a local here, which hides tunscript's %s: give the local another name", callee.Value, callee.Value)
		} else {
			f.report(f.at(callee), Error, callee.Value, "", "%s is a %s, not a function", callee.Value, noun(t.name))
		}
	case *ast.AttrGetExpr:
		key, ok := callee.Key.(*ast.StringExpr)
		if !ok {
			return
		}
		t := f.typeOf(callee.Object)
		if t.lib != "" {
			f.checkLibrary(f.at(key), t, key.Value)
			return
		}
		c := f.c.api.classes[t.name]
		if c == nil || c.Kind != luabind.Layer || len(e.Args) > 0 {
			return
		}
		if _, ok := c.methods[key.Value]; ok {
			f.report(f.at(key), Error, key.Value, "", "%s is a method: call it with a colon, as in p:%s()", key.Value, key.Value)
		}
	}
}

// checkIterator looks at what for ... in calls.
func (f *file) checkIterator(s *ast.GenericForStmt) {
	e := s.Exprs[0]
	switch f.typeOf(e).name {
	case "number":
		f.report(f.at(e), Error, f.word(e), "", "for ... in calls what stands here, and a number cannot be called: to count, write for %s = 1, 10 do", s.Names[0])
	case "table":
		if !strings.Contains(f.tokens.src, "__call") {
			f.report(f.at(e), Error, "", "", "for ... in calls what stands here, and a table cannot be called: write pairs(...) or ipairs(...) around it")
		}
	}
}

// example is a name of a table of functions.
func example(table map[string]luabind.Name) string {
	if _, ok := table["info"]; ok {
		return "info"
	}
	return slices.Min(slices.Collect(maps.Keys(table)))
}

func noun(name string) string {
	if name == "packet" {
		return name
	}
	return name + " layer"
}

// checkLibrary looks at log.name() and string.name().
func (f *file) checkLibrary(at int, t typ, name string) {
	lib, known := t.lib, f.c.api.library(t)
	n, ok := known[name]
	switch {
	case ok && n.Trusted && !f.c.opt.Trusted:
		f.report(at, Error, name, "", "%s.%s is only there in a trusted script: --trusted, or trusted = true in the configuration", lib, name)
	case ok || f.fields[lib+"."+name] || f.c.opt.Trusted && !t.module && f.c.api.isLua(lib):
	default:
		f.report(at, Error, name, similar(name, known), "%s has no %q", lib, name)
	}
}

// form is how the function is called: the first that what it is given does not
// contradict, or else the one that goes longest without.
func (f *file) form(fn *luabind.Name, args []ast.Expr) *luabind.Form {
	best, longest := 0, -1
	for i := range fn.Forms {
		n := 0
		for j, a := range args {
			p, ok := param(&fn.Forms[i], j)
			if !ok || f.mismatch(p.Type, a) != "" {
				break
			}
			n++
		}
		if n == len(args) {
			return &fn.Forms[i]
		}
		if n > longest {
			best, longest = i, n
		}
	}
	if len(fn.Forms) == 0 {
		return nil
	}
	return &fn.Forms[best]
}

// param is the parameter that argument i is.
func param(form *luabind.Form, i int) (luabind.Param, bool) {
	if n := len(form.Params); n > 0 && i >= n-1 && form.Params[n-1].Name == "..." {
		return form.Params[n-1], true
	}
	if i < len(form.Params) {
		return form.Params[i], true
	}
	return luabind.Param{}, false
}

// tableClass is the class of tables in a type, or nil.
func (a *api) tableClass(t string) *class {
	for _, part := range a.parts(t) {
		if c := a.classes[part]; c != nil && c.Kind == luabind.Table {
			return c
		}
	}
	return nil
}

// parts are the types of a union, with aliases of unions taken apart, too.
func (a *api) parts(t string) (parts []string) {
	for _, part := range union(strings.TrimSuffix(t, "?")) {
		if alias := a.aliases[part]; len(union(alias)) > 1 {
			parts = append(parts, union(alias)...)
		} else {
			parts = append(parts, strings.TrimSuffix(part, "?"))
		}
	}
	return parts
}

// startWithFilter are the tables whose first value, without a name, is a filter.
var startWithFilter = []string{"on.options", "packet.pattern", "impair.options"}

// checkTable looks at a table whose keys are known.
func (f *file) checkTable(what string, c *class, t *ast.TableExpr) {
	owner, ofLayer := strings.CutSuffix(c.Name, ".fields")
	if !ofLayer {
		owner, ofLayer = strings.CutSuffix(c.Name, ".pattern")
	}
	unnamed := 0
	for _, field := range t.Fields {
		key, ok := field.Key.(*ast.StringExpr)
		if !ok {
			if field.Key == nil && slices.Contains(startWithFilter, c.Name) {
				unnamed++
				f.checkUnnamed(what, c, field.Value, unnamed)
			}
			continue
		}
		known, ok := c.fields[key.Value]
		switch {
		case ok && ofLayer:
			f.checkFieldValue(owner+"."+key.Value, known, field.Value)
		case ok:
			f.checkFieldValue(what+": "+key.Value, known, field.Value)
		case ofLayer && f.isReadOnly(owner, key.Value):
			f.report(f.at(key), Error, key.Value, "", "%s.%s can only be read", owner, key.Value)
		case ofLayer:
			f.report(f.at(key), Error, key.Value, similar(key.Value, c.fields), "%s has no %q", owner, key.Value)
		default:
			f.report(f.at(key), Error, key.Value, similar(key.Value, c.fields), "%s: there is no option %q", what, key.Value)
		}
	}
}

// checkUnnamed looks at value n of those without a name: the first is the filter.
func (f *file) checkUnnamed(what string, c *class, v ast.Expr, n int) {
	_, runs := c.fields["run"]
	switch {
	case runs && f.typeOf(v).name == "function":
		f.report(f.at(v), Error, "", "", "%s: a function in a table has a name: run = function(p) ... end", what)
	case n > 1:
		f.report(f.at(v), Error, f.word(v), "", "%s: only the filter, which comes first, has no name: write name = value", what)
	default:
		f.checkFieldValue(what, luabind.Field{Type: "filter"}, v)
	}
}

func (f *file) isReadOnly(owner, name string) bool {
	c := f.c.api.classes[owner]
	if c == nil {
		return false
	}
	_, ok := c.fields[name]
	return ok
}

func reason(err error) string {
	if fe, ok := errors.AsType[*packet.FieldError](err); ok {
		return fe.Why
	}
	return err.Error()
}
