package vm

import (
	"math"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"
)

func (m *mender) exprs(es []ast.Expr) {
	for i, e := range es {
		es[i] = m.exprAt(e, i)
	}
}

// expr walks an expression and is what to compile in its place.
func (m *mender) expr(e ast.Expr) ast.Expr { return m.exprAt(e, 0) }

// exprAt walks an expression evaluated with n values held in registers below it.
func (m *mender) exprAt(e ast.Expr, n int) ast.Expr {
	m.deeper(e)
	m.fn.active += n
	if m.fn.active+2 > maxNeed {
		m.fail(e, "function or expression too complex: too many values at once")
	}
	e = m.walk(e)
	m.fn.active -= n
	m.depth--
	return e
}

func (m *mender) walk(e ast.Expr) ast.Expr {
	switch x := e.(type) {
	case *ast.NumberExpr:
		return m.number(x)
	case *ast.StringExpr:
		m.constant("s"+x.Value, x)
	case *ast.IdentExpr:
		m.use(x.Value, x)
	case *ast.Comma3Expr:
		m.fn.dots = true
	case *ast.FunctionExpr:
		m.function(x, false)
	case *ast.LogicalOpExpr:
		if side, ok := foldLogical(x); ok {
			return m.expr(one(side))
		}
		x.Lhs, x.Rhs = m.expr(x.Lhs), m.expr(x.Rhs)
		if side, ok := foldLogical(x); ok { // the left side has become a constant
			return side
		}
	case *ast.RelationalOpExpr:
		x.Lhs, x.Rhs = m.inexact(x.Lhs, 0), m.inexact(x.Rhs, 1)
	case *ast.ArithmeticOpExpr:
		return m.arithmetic(x)
	case *ast.StringConcatOpExpr:
		return m.concat(x)
	case *ast.UnaryMinusOpExpr:
		x.Expr = m.expr(x.Expr)
	case *ast.UnaryNotOpExpr:
		x.Expr = m.expr(x.Expr)
		if truth, ok := constantTruth(x.Expr); ok {
			if truth {
				return at(&ast.FalseExpr{}, x)
			}
			return at(&ast.TrueExpr{}, x)
		}
	case *ast.UnaryLenOpExpr:
		if s, ok := x.Expr.(*ast.StringExpr); ok {
			return m.number(at(&ast.NumberExpr{Value: strconv.Itoa(len(s.Value))}, x))
		}
		return m.walk(m.help(helperLen, x, x.Expr))
	case *ast.AttrGetExpr:
		x.Object, x.Key = m.expr(x.Object), m.inexact(x.Key, 1)
	case *ast.TableExpr:
		m.table(x)
	case *ast.FuncCallExpr:
		m.call(x)
	}
	return e
}

func (m *mender) arithmetic(x *ast.ArithmeticOpExpr) ast.Expr {
	switch x.Operator {
	case "%":
		if m.native != x {
			return m.walk(m.help(helperMod, x, x.Lhs, x.Rhs))
		}
		x.Lhs, x.Rhs = m.expr(x.Lhs), m.exprAt(x.Rhs, 1)
	case "+", "-":
		x.Lhs, x.Rhs = m.inexact(x.Lhs, 0), m.inexact(x.Rhs, 1)
	default:
		x.Lhs, x.Rhs = m.expr(x.Lhs), m.exprAt(x.Rhs, 1)
	}
	return x
}

// call walks f(args) and receiver:method(args), where the receiver is an argument, too.
func (m *mender) call(x *ast.FuncCallExpr) {
	n := 1
	if x.Func != nil {
		x.Func = m.expr(x.Func)
	} else {
		m.constant("s"+x.Method, x)
		x.Receiver = m.expr(x.Receiver)
		n = 2
	}
	for i, a := range x.Args {
		x.Args[i] = m.exprAt(a, n+i)
	}
}

// inexact walks an operand for which -0 is as good as 0. There the VM's own % of an
// integer constant will do, which is what nearly every % in a hot loop is.
func (m *mender) inexact(e ast.Expr, n int) ast.Expr {
	if x, ok := e.(*ast.ArithmeticOpExpr); ok && x.Operator == "%" {
		if c, ok := x.Rhs.(*ast.NumberExpr); ok && !strings.ContainsAny(c.Value, ".eE") {
			m.native = x
		}
	}
	return m.exprAt(e, n)
}

func (m *mender) table(x *ast.TableExpr) {
	held := 1
	for _, f := range x.Fields {
		if f.Key != nil {
			f.Key = m.exprAt(f.Key, held)
			// The compiler takes a call in the last field for a list of values,
			// though it has a key.
			f.Value = m.exprAt(one(f.Value), held+1)
			continue
		}
		f.Value = m.exprAt(f.Value, held)
		if held++; held > lua.FieldsPerFlush {
			held = 1
		}
	}
}

// number spells a number so that the compiler reads what PUC Lua does. It has no
// way to write infinity but an operation that it folds.
func (m *mender) number(x *ast.NumberExpr) ast.Expr {
	f, ok := parseNumber(x.Value)
	if !ok {
		m.fail(x, "malformed number near '%s'", x.Value)
	}
	m.constant("n"+x.Value, x)
	if math.IsInf(f, 0) {
		big := func() ast.Expr { return at(&ast.NumberExpr{Value: "1e308"}, x) }
		return at(&ast.ArithmeticOpExpr{Operator: "*", Lhs: big(), Rhs: big()}, x)
	}
	x.Value = strconv.FormatFloat(f, 'g', -1, 64)
	return x
}

// help is a call of a helper.
func (m *mender) help(name string, pos ast.PositionHolder, args ...ast.Expr) *ast.FuncCallExpr {
	call := at(&ast.FuncCallExpr{Func: at(&ast.IdentExpr{Value: name}, pos), AdjustRet: true}, pos)
	for _, a := range args {
		call.Args = append(call.Args, one(a))
	}
	return call
}

// one makes e yield exactly one value where a list of values could go on.
func one(e ast.Expr) ast.Expr {
	switch e := e.(type) {
	case *ast.FuncCallExpr:
		e.AdjustRet = true
	case *ast.Comma3Expr:
		e.AdjustRet = true
	}
	return e
}

// concatWidth is how many operands one call of the helper takes at most.
const concatWidth = 48

// concat makes one call of a .. b .. c, literals that stand side by side joined.
func (m *mender) concat(x *ast.StringConcatOpExpr) ast.Expr {
	var parts []ast.Expr
	var e ast.Expr = x
	for {
		c, ok := e.(*ast.StringConcatOpExpr)
		if !ok {
			parts = append(parts, e)
			break
		}
		parts = append(parts, c.Lhs)
		e = c.Rhs
	}
	parts = joinLiterals(parts)
	if len(parts) == 1 {
		return m.walk(parts[0])
	}
	// From the right, as the operator associates.
	for len(parts) > concatWidth {
		cut := len(parts) - concatWidth
		tail := m.help(helperConcat, x, parts[cut:]...)
		parts = append(parts[:cut:cut], tail)
	}
	return m.walk(m.help(helperConcat, x, parts...))
}

// joinLiterals joins string literals that follow each other. Joining is safe even
// next to operands with metamethods only at the right end, where the operator
// begins.
func joinLiterals(parts []ast.Expr) []ast.Expr {
	for len(parts) > 1 {
		a, ok := parts[len(parts)-2].(*ast.StringExpr)
		b, ok2 := parts[len(parts)-1].(*ast.StringExpr)
		if !ok || !ok2 {
			break
		}
		parts = append(parts[:len(parts)-2], at(&ast.StringExpr{Value: a.Value + b.Value}, a))
	}
	return parts
}

// foldLogical is what an and or or with a constant on the left comes to. The
// compiler makes a bare jump of such a constant, and where a loop begins with a
// jump, takes the distance in it for a label when it shortens the jump back.
func foldLogical(x *ast.LogicalOpExpr) (ast.Expr, bool) {
	truth, ok := constantTruth(x.Lhs)
	switch {
	case !ok:
		return nil, false
	case truth == (x.Operator == "or"):
		return x.Lhs, true
	}
	return x.Rhs, true
}

// constantTruth reports whether e is a constant, and if so whether it counts as
// true.
func constantTruth(e ast.Expr) (truth, ok bool) {
	switch e.(type) {
	case *ast.TrueExpr, *ast.NumberExpr, *ast.StringExpr:
		return true, true
	case *ast.FalseExpr, *ast.NilExpr:
		return false, true
	}
	return false, false
}

// condition walks the condition of an if or a loop. A constant false one would be a
// bare jump, too, so it becomes "not 1", which is computed.
func (m *mender) condition(e ast.Expr) ast.Expr {
	e = m.expr(e)
	if truth, ok := constantTruth(e); ok && !truth {
		m.constant("n1", e)
		return at(&ast.UnaryNotOpExpr{Expr: at(&ast.NumberExpr{Value: "1"}, e)}, e)
	}
	return e
}
