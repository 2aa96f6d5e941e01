package vm

import (
	"fmt"

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
