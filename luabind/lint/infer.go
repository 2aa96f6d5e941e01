package lint

import (
	"github.com/yuin/gopher-lua/ast"

	"github.com/tunscript/tunscript/luabind"
)

// typeOf is what an expression is whenever it is not nil.
func (f *file) typeOf(e ast.Expr) typ {
	if t, ok := f.types[e]; ok {
		return t
	}
	t := f.infer(e)
	f.types[e] = t
	return t
}

func (f *file) infer(e ast.Expr) typ {
	switch e := e.(type) {
	case *ast.StringExpr, *ast.StringConcatOpExpr:
		return typ{name: "string"}
	case *ast.NumberExpr, *ast.UnaryMinusOpExpr, *ast.UnaryLenOpExpr:
		return typ{name: "number"}
	case *ast.TrueExpr, *ast.FalseExpr, *ast.RelationalOpExpr, *ast.UnaryNotOpExpr:
		return typ{name: "boolean"}
	case *ast.NilExpr:
		return typ{name: "nil"}
	case *ast.TableExpr:
		return typ{name: "table"}
	case *ast.FunctionExpr:
		return typ{name: "function"}
	case *ast.IdentExpr:
		return f.typeOfName(e)
	case *ast.AttrGetExpr:
		if key, ok := e.Key.(*ast.StringExpr); ok {
			return f.member(f.typeOf(e.Object), key.Value)
		}
		return typ{}
	case *ast.FuncCallExpr:
		return f.result(e, 0)
	case *ast.ArithmeticOpExpr:
		if e.Operator == "/" && (f.typeOf(e.Lhs).name == "packet" || f.typeOf(e.Rhs).name == "packet") {
			return typ{name: "packet"}
		}
		return typ{}
	case *ast.LogicalOpExpr:
		right := f.typeOf(e.Rhs)
		if e.Operator == "and" {
			return right
		}
		return join(f.typeOf(e.Lhs), right)
	}
	return typ{}
}

func (f *file) typeOfName(e *ast.IdentExpr) typ {
	v := f.vars[e]
	if v == nil {
		return typ{}
	}
	if f.globals[e.Value] == v && len(v.values) == 0 {
		return f.apiGlobal(e.Value)
	}
	return f.typeOfVariable(v)
}

// apiGlobal is the type of a global of the reference.
func (f *file) apiGlobal(name string) typ {
	if f.c.assigned[name] {
		return typ{}
	}
	if n, ok := f.c.api.globals[name]; ok {
		if n.Trusted && !f.c.opt.Trusted {
			return typ{}
		}
		return f.c.api.typeOfEntry(&n)
	}
	if f.c.api.tables[name] != nil {
		return typ{name: "table", lib: name}
	}
	return typ{}
}

func (a *api) typeOfEntry(n *luabind.Name) typ {
	if n.Forms != nil {
		return typ{name: "function", fn: n}
	}
	return a.parse(n.Type)
}

// States of inference: a variable that is given itself is what else it is given.
const (
	unknown uint8 = iota
	busy
	known
)

func (f *file) typeOfVariable(v *variable) typ {
	switch v.state {
	case known:
		return v.typ
	case busy:
		return typ{}
	}
	v.state = busy
	t, first := typ{}, true
	add := func(o typ) {
		if first {
			t, first = o, false
		} else {
			t = join(t, o)
		}
	}
	if v.opaque {
		add(typ{})
	}
	if v.fn != nil {
		add(f.typeOfParam(v))
	}
	for _, g := range v.values {
		if call, ok := g.expr.(*ast.FuncCallExpr); ok {
			add(f.result(call, g.n))
		} else if g.n == 0 {
			add(f.typeOf(g.expr))
		} else {
			add(typ{})
		}
		if t.name == "" && t.fn == nil {
			break
		}
	}
	v.state, v.typ = known, t
	return t
}

// typeOfParam is what a function is called with, as far as every use of it is seen.
func (f *file) typeOfParam(v *variable) typ {
	if len(v.fn.uses) == 0 {
		return typ{}
	}
	var t typ
	for i, u := range v.fn.uses {
		o := f.givenBy(u, v.param)
		if i == 0 {
			t = o
		} else {
			t = join(t, o)
		}
		if t.name == "" {
			return typ{}
		}
	}
	return t
}

// givenBy is the type of parameter i of a function that is used so.
func (f *file) givenBy(u use, i int) typ {
	switch u.kind {
	case called:
		if i < len(u.call.Args) {
			return f.typeOf(u.call.Args[i])
		}
		return typ{}
	case tested:
		return typ{name: "nil"} // says nothing
	case argument, inTable:
		params := funParams(f.c.api, f.expected(u))
		if i < len(params) {
			return f.c.api.parse(params[i])
		}
	}
	return typ{}
}

// expected is the type that a function of the API says of an argument, or of a field
// of the table that is an argument; "" if none.
func (f *file) expected(u use) string {
	fn := f.callee(u.call)
	if fn == nil {
		return ""
	}
	form := f.form(fn, u.call.Args)
	if form == nil {
		return ""
	}
	p, ok := param(form, u.arg)
	if !ok || u.kind == argument {
		return p.Type
	}
	if c := f.c.api.tableClass(p.Type); c != nil {
		return c.fields[u.key].Type
	}
	return ""
}

// callee is the function of the API that a call calls, or nil.
func (f *file) callee(e *ast.FuncCallExpr) *luabind.Name {
	if e.Func != nil {
		return f.typeOf(e.Func).fn
	}
	return f.member(f.typeOf(e.Receiver), e.Method).fn
}

// result is the nth result of a call.
func (f *file) result(e *ast.FuncCallExpr, n int) typ {
	fn := f.callee(e)
	if fn == nil {
		return typ{}
	}
	if fn.Name == "require" && n == 0 {
		return f.module(e)
	}
	var t typ
	for i, form := range fn.Forms {
		o := typ{}
		if n < len(form.Returns) {
			o = f.c.api.parse(form.Returns[n].Type)
		}
		if i == 0 {
			t = o
		} else {
			t = join(t, o)
		}
	}
	return t
}

// module is what require returns, if it is a module that ships: a file of the user's
// goes before it.
func (f *file) module(e *ast.FuncCallExpr) typ {
	if len(e.Args) != 1 {
		return typ{}
	}
	name, ok := e.Args[0].(*ast.StringExpr)
	if !ok || f.c.api.modules[name.Value] == nil || f.c.own[name.Value] {
		return typ{}
	}
	return typ{name: "table", lib: name.Value, module: true, fn: f.c.api.calls[name.Value]}
}

// member is t.name.
func (f *file) member(t typ, name string) typ {
	a := f.c.api
	switch {
	case t.lib != "":
		if n, ok := a.library(t)[name]; ok && !f.fields[t.lib+"."+name] {
			return a.typeOfEntry(&n)
		}
	case t.name == "string":
		if n, ok := a.tables["string"][name]; ok && !f.fields["string."+name] {
			return a.typeOfEntry(&n)
		}
	case t.elem != "":
		return a.parse(t.elem)
	case a.classes[t.name] != nil:
		c := a.classes[t.name]
		if field, ok := c.fields[name]; ok {
			return a.parse(field.Type)
		}
		if m, ok := c.methods[name]; ok {
			return typ{name: "function", fn: &m}
		}
	}
	return typ{}
}
