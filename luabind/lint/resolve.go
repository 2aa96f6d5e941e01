package lint

import (
	"github.com/yuin/gopher-lua/ast"
)

// A resolver walks the tree and gives every name its variable.
type resolver struct {
	*file
	scope *scope
	level int
}

func (f *file) resolve() {
	r := &resolver{file: f}
	r.block(f.stmts)
	// What a variable's uses are, the one function in it has; but other files may use a
	// global in ways of their own.
	alone := len(f.c.files) == 0 && len(f.requires) == 0
	for _, fn := range f.funcs {
		for i := range fn.uses {
			if fn.uses[i].kind == stored {
				fn.uses[i].kind = elsewhere
			}
		}
	}
	for _, v := range f.allVariables() {
		if fn := f.only(v); fn != nil && (f.globals[v.name] != v || alone) {
			fn.uses = v.uses
		}
	}
}

// only is the function that v always holds, or nil.
func (f *file) only(v *variable) *function {
	if v.opaque || len(v.values) != 1 || v.fn != nil {
		return nil
	}
	fe, _ := v.values[0].expr.(*ast.FunctionExpr)
	return f.funcs[fe]
}

func (f *file) allVariables() (all []*variable) {
	seen := map[*variable]bool{}
	for _, v := range f.vars {
		if !seen[v] {
			seen[v] = true
			all = append(all, v)
		}
	}
	return all
}

func (r *resolver) push() { r.scope = &scope{parent: r.scope, vars: map[string]*variable{}} }
func (r *resolver) pop()  { r.scope = r.scope.parent }

func (r *resolver) declare(name string) *variable {
	v := &variable{name: name}
	r.scope.vars[name] = v
	return v
}

func (r *resolver) block(stmts []ast.Stmt) {
	r.push()
	r.stmts(stmts)
	r.pop()
}

func (r *resolver) stmts(stmts []ast.Stmt) {
	for _, s := range stmts {
		r.stmt(s)
	}
}

func (r *resolver) stmt(s ast.Stmt) {
	switch s := s.(type) {
	case *ast.LocalAssignStmt:
		r.local(s)
	case *ast.AssignStmt:
		for i, e := range s.Rhs {
			r.expr(e, use{kind: storedIf(i < len(s.Lhs) && isIdent(s.Lhs[i]))})
		}
		for i, e := range s.Lhs {
			r.assign(e, valueAt(s.Rhs, i))
		}
	case *ast.FuncCallStmt:
		r.expr(s.Expr, use{kind: tested})
	case *ast.DoBlockStmt:
		r.block(s.Stmts)
	case *ast.WhileStmt:
		r.expr(s.Condition, use{kind: tested})
		r.block(s.Stmts)
	case *ast.RepeatStmt:
		r.push()
		r.stmts(s.Stmts)
		r.expr(s.Condition, use{kind: tested})
		r.pop()
	case *ast.IfStmt:
		r.expr(s.Condition, use{kind: tested})
		r.block(s.Then)
		r.block(s.Else)
	case *ast.NumberForStmt:
		for _, e := range []ast.Expr{s.Init, s.Limit, s.Step} {
			if e != nil {
				r.expr(e, use{kind: tested})
			}
		}
		r.push()
		r.declare(s.Name).opaque = true
		r.stmts(s.Stmts)
		r.pop()
	case *ast.GenericForStmt:
		for _, e := range s.Exprs {
			r.expr(e, use{})
		}
		r.push()
		for _, name := range s.Names {
			r.declare(name).opaque = true
		}
		r.stmts(s.Stmts)
		r.pop()
	case *ast.FuncDefStmt:
		r.define(s)
	case *ast.ReturnStmt:
		for _, e := range s.Exprs {
			r.expr(e, use{})
		}
	}
}

func isIdent(e ast.Expr) bool { _, ok := e.(*ast.IdentExpr); return ok }

func storedIf(yes bool) useKind {
	if yes {
		return stored
	}
	return elsewhere
}

// valueAt is what the ith of several variables is given.
func valueAt(exprs []ast.Expr, i int) given {
	switch {
	case i < len(exprs):
		return given{exprs[i], 0}
	case len(exprs) == 0:
		return given{&ast.NilExpr{}, 0}
	}
	last := exprs[len(exprs)-1]
	switch last.(type) {
	case *ast.FuncCallExpr, *ast.Comma3Expr:
		return given{last, i - len(exprs) + 1}
	}
	return given{&ast.NilExpr{}, 0}
}

// local is local a, b = ..., and local function f, which sees itself.
func (r *resolver) local(s *ast.LocalAssignStmt) {
	at := r.at(s)
	recursive := at+1 < len(r.tokens.text) && r.tokens.text[at] == "local" && r.tokens.text[at+1] == "function"
	if recursive {
		v := r.declare(s.Names[0])
		v.values = []given{{s.Exprs[0], 0}}
		r.expr(s.Exprs[0], use{kind: stored})
		r.bind(v)
		return
	}
	for i, e := range s.Exprs {
		r.expr(e, use{kind: storedIf(i < len(s.Names))})
	}
	for i, name := range s.Names {
		v := r.declare(name)
		v.values = []given{valueAt(s.Exprs, i)}
		r.bind(v)
	}
}

// bind makes a local known that may never be named again.
func (r *resolver) bind(v *variable) { r.vars[&ast.IdentExpr{Value: v.name}] = v }

// assign is the left side of an assignment.
func (r *resolver) assign(e ast.Expr, v given) {
	switch e := e.(type) {
	case *ast.IdentExpr:
		r.ident(e, use{kind: written}).values = append(r.vars[e].values, v)
	case *ast.AttrGetExpr:
		if object, ok := e.Object.(*ast.IdentExpr); ok {
			if key, ok := e.Key.(*ast.StringExpr); ok {
				r.fields[object.Value+"."+key.Value] = true
				if object.Value == "_G" && r.scope.find("_G") == nil {
					r.c.assigned[key.Value] = true
				}
			} else if object.Value == "_G" {
				r.c.dynamic = true
			}
		}
		r.expr(e.Object, use{kind: indexed})
		r.expr(e.Key, use{kind: tested})
	}
}

// define is function a.b.c:d() ... end.
func (r *resolver) define(s *ast.FuncDefStmt) {
	name := s.Name.Func
	if s.Name.Method != "" {
		r.expr(s.Name.Receiver, use{kind: indexed})
		r.function(s.Func, use{}, "self")
		return
	}
	r.assign(name, given{s.Func, 0})
	r.function(s.Func, use{kind: storedIf(isIdent(name))})
}

func (r *resolver) function(fe *ast.FunctionExpr, u use, before ...string) {
	fn := &function{expr: fe, uses: []use{u}}
	r.funcs[fe] = fn
	r.push()
	r.level++
	for _, name := range before {
		r.declare(name).opaque = true
	}
	for i, name := range fe.ParList.Names {
		v := r.declare(name)
		v.fn, v.param = fn, i
		fn.params = append(fn.params, v)
		r.bind(v)
	}
	if fe.ParList.HasVargs {
		r.declare("arg").opaque = true
	}
	r.stmts(fe.Stmts)
	r.level--
	r.pop()
}

// ident is one name.
func (r *resolver) ident(e *ast.IdentExpr, u use) *variable {
	v := r.scope.find(e.Value)
	if v == nil {
		v = r.globals[e.Value]
		if v == nil {
			v = &variable{name: e.Value}
			r.globals[e.Value] = v
		}
		r.unbound = append(r.unbound, unbound{e, r.scope, u.kind, r.level})
		if u.kind == tested {
			r.tested[e.Value] = true
		}
	}
	r.vars[e] = v
	if u.kind != written {
		v.uses = append(v.uses, u)
	}
	return v
}

// expr walks an expression whose value goes to u.
func (r *resolver) expr(e ast.Expr, u use) {
	switch e := e.(type) {
	case *ast.IdentExpr:
		r.ident(e, u)
	case *ast.AttrGetExpr:
		r.expr(e.Object, use{kind: indexed})
		r.expr(e.Key, use{kind: tested})
	case *ast.TableExpr:
		for _, field := range e.Fields {
			fu := use{}
			if key, ok := field.Key.(*ast.StringExpr); ok && u.kind == argument {
				fu = use{kind: inTable, call: u.call, arg: u.arg, key: key.Value}
			}
			if field.Key != nil {
				r.expr(field.Key, use{kind: tested})
			}
			r.expr(field.Value, fu)
		}
	case *ast.FuncCallExpr:
		r.call(e)
	case *ast.LogicalOpExpr:
		if e.Operator == "and" {
			r.expr(e.Lhs, use{kind: tested})
		} else {
			r.expr(e.Lhs, use{kind: onlyTested(u)})
			if id, ok := e.Lhs.(*ast.IdentExpr); ok {
				r.tested[id.Value] = true
			}
		}
		r.expr(e.Rhs, use{kind: onlyTested(u)})
	case *ast.RelationalOpExpr:
		r.expr(e.Lhs, use{kind: tested})
		r.expr(e.Rhs, use{kind: tested})
	case *ast.StringConcatOpExpr:
		r.expr(e.Lhs, use{})
		r.expr(e.Rhs, use{})
	case *ast.ArithmeticOpExpr:
		r.expr(e.Lhs, use{})
		r.expr(e.Rhs, use{})
	case *ast.UnaryMinusOpExpr:
		r.expr(e.Expr, use{})
	case *ast.UnaryNotOpExpr:
		r.expr(e.Expr, use{kind: tested})
	case *ast.UnaryLenOpExpr:
		r.expr(e.Expr, use{kind: indexed})
	case *ast.FunctionExpr:
		r.function(e, u)
	}
}

func onlyTested(u use) useKind {
	if u.kind == tested {
		return tested
	}
	return elsewhere
}

// call walks a call, and notes what it says about globals and modules.
func (r *resolver) call(e *ast.FuncCallExpr) {
	if e.Func != nil {
		r.expr(e.Func, use{kind: called, call: e})
	} else {
		r.expr(e.Receiver, use{kind: indexed})
	}
	name := ""
	if id, ok := e.Func.(*ast.IdentExpr); ok && r.scope.find(id.Value) == nil {
		name = id.Value
	}
	switch name {
	case "load", "loadstring", "loadfile", "dofile", "module", "setfenv", "getfenv", "rawset", "setmetatable":
		if name != "rawset" && name != "setmetatable" || len(e.Args) > 0 && isGlobalTable(e.Args[0]) {
			r.c.dynamic = true
		}
	case "require":
		if len(e.Args) == 1 {
			if module, ok := e.Args[0].(*ast.StringExpr); ok {
				r.requires = append(r.requires, module.Value)
			} else {
				r.c.dynamic = true
			}
		}
	}
	for i, a := range e.Args {
		u := use{kind: argument, call: e, arg: i}
		if name == "type" {
			u.kind = tested
		}
		r.expr(a, u)
	}
}

func isGlobalTable(e ast.Expr) bool {
	id, ok := e.(*ast.IdentExpr)
	return ok && id.Value == "_G"
}
