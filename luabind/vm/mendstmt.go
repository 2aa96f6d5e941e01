package vm

import (
	"strconv"

	"github.com/yuin/gopher-lua/ast"
)

// block walks statements in a scope of their own.
func (m *mender) block(ss []ast.Stmt, n ast.PositionHolder) []ast.Stmt {
	m.open(n)
	ss = m.stmts(ss)
	m.shut()
	return ss
}

func (m *mender) stmts(ss []ast.Stmt) []ast.Stmt {
	for i, s := range ss {
		ss[i] = m.stmt(s)
	}
	return ss
}

func (m *mender) stmt(s ast.Stmt) ast.Stmt {
	m.deeper(s)
	defer func() { m.depth-- }()
	switch x := s.(type) {
	case *ast.AssignStmt:
		if b := m.assignment(x); b != nil {
			return m.stmt(b)
		}
		m.exprs(x.Lhs)
		m.exprs(x.Rhs)
	case *ast.LocalAssignStmt:
		m.local(x)
	case *ast.FuncCallStmt:
		x.Expr = m.expr(x.Expr)
	case *ast.DoBlockStmt:
		x.Stmts = m.block(x.Stmts, x)
	case *ast.WhileStmt:
		x.Condition = m.condition(x.Condition)
		x.Stmts = m.block(x.Stmts, x)
	case *ast.RepeatStmt:
		m.open(x)
		x.Stmts = m.stmts(x.Stmts)
		x.Condition = m.condition(x.Condition)
		m.shut()
	case *ast.IfStmt:
		x.Condition = m.condition(x.Condition)
		x.Then = m.block(x.Then, x)
		x.Else = m.block(x.Else, x)
	case *ast.NumberForStmt:
		m.numberFor(x)
	case *ast.GenericForStmt:
		m.genericFor(x)
	case *ast.FuncDefStmt:
		if x.Name.Func == nil {
			x.Name.Receiver = m.expr(x.Name.Receiver)
			m.constant("s"+x.Name.Method, x)
			m.function(x.Func, true)
		} else {
			x.Name.Func = m.expr(x.Name.Func)
			m.function(x.Func, false)
		}
	case *ast.ReturnStmt:
		m.exprs(x.Exprs)
	}
	return s
}

// numberFor walks "for i = 1, 10 do", of which the compiler makes three variables of its
// own, each declared before the next is computed.
func (m *mender) numberFor(x *ast.NumberForStmt) {
	m.open(x)
	m.declare("(for index)", x)
	x.Init = m.expr(x.Init)
	m.declare("(for limit)", x)
	x.Limit = m.expr(x.Limit)
	m.declare("(for step)", x)
	if x.Step != nil {
		x.Step = m.expr(x.Step)
	}
	m.declare(x.Name, x)
	x.Stmts = m.stmts(x.Stmts)
	m.shut()
}

// genericFor walks "for k, v in pairs(t) do", which has three of its own, too.
func (m *mender) genericFor(x *ast.GenericForStmt) {
	m.open(x)
	m.declare("(for generator)", x)
	m.declare("(for state)", x)
	m.declare("(for control)", x)
	m.exprs(x.Exprs)
	for _, n := range x.Names {
		m.declare(n, x)
	}
	x.Stmts = m.stmts(x.Stmts)
	m.shut()
}

// local walks "local names = exprs" and "local function name", which the parser
// tells apart only by the last line.
func (m *mender) local(x *ast.LocalAssignStmt) {
	if fn, ok := single(x); ok {
		if x.LastLine() != 0 {
			m.declare(x.Names[0], x)
			m.exprs(x.Exprs)
			return
		}
		m.exprs(x.Exprs)
		kids := m.fn.children
		if kids[len(kids)-1].free[x.Names[0]] {
			// With a second expression the compiler does not take it for a
			// local function; the value is dropped.
			x.Exprs = append(x.Exprs, at(&ast.NilExpr{}, fn))
			m.declare(x.Names[0], x)
			return
		}
		m.declare(x.Names[0], x)
		return
	}
	m.exprs(x.Exprs)
	for _, n := range x.Names {
		m.declare(n, x)
	}
}

// single is the function of a declaration of one name by one function expression.
func single(x *ast.LocalAssignStmt) (*ast.FunctionExpr, bool) {
	if len(x.Names) != 1 || len(x.Exprs) != 1 {
		return nil, false
	}
	fn, ok := x.Exprs[0].(*ast.FunctionExpr)
	return fn, ok
}

// at gives a made node the position of the one it stands for.
func at[T ast.PositionHolder](n T, o ast.PositionHolder) T {
	n.SetLine(o.Line())
	n.SetLastLine(o.LastLine())
	return n
}

// assignment is what to compile in place of x, or nil if x is well as it is. The
// targets' tables and keys are evaluated first, as PUC Lua does, then the values,
// all into temporaries; then the targets are set, the last one first.
func (m *mender) assignment(x *ast.AssignStmt) ast.Stmt {
	if len(x.Lhs) == 1 && len(x.Rhs) == 1 && !shaky(x.Rhs[0]) {
		return nil
	}
	b := at(&ast.DoBlockStmt{}, x)
	temp := func(n string) *ast.IdentExpr { return at(&ast.IdentExpr{Value: n}, x) }
	targets := map[string]bool{}
	for _, l := range x.Lhs {
		if id, ok := l.(*ast.IdentExpr); ok {
			targets[id.Value] = true
		}
	}
	// A constant, or a local variable that this statement does not set, needs no
	// temporary: PUC Lua reads its register when the target is set, too.
	steady := func(e ast.Expr) bool {
		switch e := e.(type) {
		case *ast.StringExpr, *ast.NumberExpr:
			return true
		case *ast.IdentExpr:
			return m.fn.isLocal(e.Value) && !targets[e.Value]
		}
		return false
	}
	pre := at(&ast.LocalAssignStmt{}, x)
	hold := func(e ast.Expr, name string) ast.Expr {
		if steady(e) {
			return e
		}
		pre.Names = append(pre.Names, name)
		pre.Exprs = append(pre.Exprs, one(e))
		return temp(name)
	}
	lhs := make([]ast.Expr, len(x.Lhs))
	vals := at(&ast.LocalAssignStmt{Exprs: x.Rhs}, x)
	for i, l := range x.Lhs {
		n := strconv.Itoa(i)
		if g, ok := l.(*ast.AttrGetExpr); ok {
			l = at(&ast.AttrGetExpr{Object: hold(g.Object, "(o"+n+")"), Key: hold(g.Key, "(k"+n+")")}, g)
		}
		lhs[i] = l
		vals.Names = append(vals.Names, "(t"+n+")")
	}
	if len(pre.Names) > 0 {
		b.Stmts = append(b.Stmts, pre)
	}
	b.Stmts = append(b.Stmts, vals)
	for i := len(lhs) - 1; i >= 0; i-- {
		b.Stmts = append(b.Stmts, at(&ast.AssignStmt{Lhs: lhs[i : i+1], Rhs: []ast.Expr{temp(vals.Names[i])}}, x))
	}
	// A local named by at carries no last line, which would make a function of it.
	pre.SetLastLine(0)
	vals.SetLastLine(0)
	return b
}

// shaky reports whether the compiler may get an assignment of e wrong.
func shaky(e ast.Expr) bool {
	_, ok := e.(*ast.LogicalOpExpr)
	return ok
}
