package vm

import (
	"fmt"
	"strconv"

	"github.com/yuin/gopher-lua/ast"
)

// mend rewrites a syntax tree where the compiler of gopher-lua gets it wrong:
//
//   - a, b = b, a and x = y and f() assign through temporaries. The compiler
//     writes into a variable that is still to be read, and leaves it unwritten on
//     some paths of and and or.
//   - local f = function() ... end is not local function f: f inside is another.
//   - a .. b, #t and most a % b call helpers.go.
//   - Constants on the left of and and or are folded, and constant conditions
//     computed: see foldLogical.
//   - Numbers are read as PUC Lua reads them (010 is ten, 1e999 infinite).
//
// It walks the tree in the order in which the compiler does, because it also counts
// what the compiler does not check, registers, upvalues and the cost of constants,
// and notes where the scopes of variables are, which the compiler notes wrongly.
type mender struct {
	fn     *function
	depth  int
	native *ast.ArithmeticOpExpr // a % to leave to the VM
}

// Limits of one function, PUC Lua's where it has one.
const (
	maxLocals    = 200
	maxUpvalues  = 60
	maxNeed      = 190 // registers; the compiler has 200
	maxTreeDepth = 1000
	maxConstCost = 200_000_000
)

// mendError is a source that cannot be compiled.
type mendError struct {
	line int
	msg  string
}

// function is what mend knows of a function being walked.
type function struct {
	parent   *function
	children []*function
	scopes   []scope
	active   int // variables in scope, each in a register
	dots     bool
	free     map[string]bool // names looked for outside of it
	upvalues map[string]bool // and found in an enclosing function
	locals   []localScope    // in the order of declaration
	consts   map[string]bool
	cost     int // of finding constants
	line     int
}

type scope struct {
	names   []string
	lastEnd int // last line of the block, 0 if unknown
}

// localScope is where a variable lives.
type localScope struct {
	register int
	lastLine int
}

func mend(chunk []ast.Stmt) (out []ast.Stmt, info *function, err *mendError) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *mendError:
			err = r
		default:
			panic(r)
		}
	}()
	m := &mender{}
	main := &ast.FunctionExpr{ParList: &ast.ParList{Names: []string{}}, Stmts: chunk}
	helpers := &ast.LocalAssignStmt{Names: helperNames}
	for range helperNames {
		helpers.Exprs = append(helpers.Exprs, &ast.NilExpr{})
	}
	outer := &function{free: map[string]bool{}, upvalues: map[string]bool{}, consts: map[string]bool{}}
	outer.scopes = []scope{{names: helperNames}}
	outer.active = len(helperNames)
	m.fn = outer
	m.function(main, false)
	info = outer.children[0]
	// Only a main chunk that uses "..." is a vararg function for the compiler: one
	// that is has a local variable "arg".
	main.ParList.HasVargs = info.dots
	if info.dots {
		for i := range info.locals {
			info.locals[i].register++
		}
		info.locals = append([]localScope{{}}, info.locals...)
	}
	return []ast.Stmt{helpers, &ast.ReturnStmt{Exprs: []ast.Expr{main}}}, info, nil
}

func (m *mender) fail(n ast.PositionHolder, format string, args ...any) {
	line := 0
	if n != nil {
		line = n.Line()
	}
	panic(&mendError{line, fmt.Sprintf(format, args...)})
}

// deeper counts one more level of recursion; the compiler's recursion is as deep.
func (m *mender) deeper(n ast.PositionHolder) {
	if m.depth++; m.depth > maxTreeDepth {
		m.fail(n, "function or expression too complex")
	}
}

// declare puts a variable into the innermost scope, in the next register.
func (m *mender) declare(name string, n ast.PositionHolder) {
	f := m.fn
	sc := &f.scopes[len(f.scopes)-1]
	sc.names = append(sc.names, name)
	f.locals = append(f.locals, localScope{f.active, sc.lastEnd})
	if f.active++; f.active > maxLocals-10 {
		m.fail(n, "function has more than %d local variables", maxLocals-10)
	}
}

func (m *mender) open(n ast.PositionHolder) {
	last := 0
	if n != nil {
		last = n.LastLine()
	}
	if last == 0 && len(m.fn.scopes) > 0 {
		last = m.fn.scopes[len(m.fn.scopes)-1].lastEnd
	}
	m.fn.scopes = append(m.fn.scopes, scope{lastEnd: last})
}

func (m *mender) shut() {
	f := m.fn
	f.active -= len(f.scopes[len(f.scopes)-1].names)
	f.scopes = f.scopes[:len(f.scopes)-1]
}

// isLocal reports whether name is a variable of the function itself.
func (f *function) isLocal(name string) bool {
	for i := len(f.scopes) - 1; i >= 0; i-- {
		for _, n := range f.scopes[i].names {
			if n == name {
				return true
			}
		}
	}
	return false
}

// use notes that the function reads or writes name.
func (m *mender) use(name string, n ast.PositionHolder) {
	for f := m.fn; f != nil && !f.isLocal(name); f = f.parent {
		f.free[name] = true
		outer := false
		for p := f.parent; p != nil; p = p.parent {
			if p.isLocal(name) {
				outer = true
				break
			}
		}
		if !outer {
			m.constant("s"+name, n)
			return
		}
		f.upvalues[name] = true
		if len(f.upvalues) > maxUpvalues+len(helperNames) {
			m.fail(n, "function at line %d has more than %d upvalues", f.line, maxUpvalues)
		}
	}
}

// constant notes a constant. The compiler compares each one with all before it.
func (m *mender) constant(key string, n ast.PositionHolder) {
	f := m.fn
	f.consts[key] = true
	if f.cost += len(f.consts); f.cost > maxConstCost {
		m.fail(n, "function at line %d has too many constants: read data from a string", f.line)
	}
}

// function walks a function expression; method says whether it has a self.
func (m *mender) function(x *ast.FunctionExpr, method bool) {
	f := &function{parent: m.fn, free: map[string]bool{}, upvalues: map[string]bool{}, consts: map[string]bool{}, line: x.Line()}
	m.fn.children = append(m.fn.children, f)
	m.fn = f
	m.open(x)
	if method {
		m.declare("self", x)
	}
	for _, p := range x.ParList.Names {
		m.declare(p, x)
	}
	if x.ParList.HasVargs {
		m.declare("arg", x)
	}
	x.Stmts = m.stmts(x.Stmts)
	m.shut()
	m.fn = f.parent
}

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
