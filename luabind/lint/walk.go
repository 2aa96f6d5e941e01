package lint

import (
	"github.com/yuin/gopher-lua/ast"
)

// block visits statements; every expression in them goes to the rules.
func (f *file) block(stmts []ast.Stmt) {
	for _, s := range stmts {
		f.stmt(s)
	}
}

func (f *file) stmt(s ast.Stmt) {
	switch s := s.(type) {
	case *ast.LocalAssignStmt:
		f.exprs(s.Exprs)
	case *ast.AssignStmt:
		f.exprs(s.Rhs)
		for i, e := range s.Lhs {
			if target, ok := e.(*ast.AttrGetExpr); ok {
				f.expr(target.Object)
				f.expr(target.Key)
				var v ast.Expr
				if i < len(s.Rhs) {
					v = s.Rhs[i]
				}
				f.checkAssign(target, v)
			}
		}
	case *ast.FuncCallStmt:
		f.expr(s.Expr)
	case *ast.DoBlockStmt:
		f.block(s.Stmts)
	case *ast.WhileStmt:
		f.expr(s.Condition)
		f.block(s.Stmts)
	case *ast.RepeatStmt:
		f.block(s.Stmts)
		f.expr(s.Condition)
	case *ast.IfStmt:
		f.expr(s.Condition)
		f.block(s.Then)
		f.block(s.Else)
	case *ast.NumberForStmt:
		f.exprs([]ast.Expr{s.Init, s.Limit, s.Step})
		f.block(s.Stmts)
	case *ast.GenericForStmt:
		f.exprs(s.Exprs)
		f.checkIterator(s)
		f.block(s.Stmts)
	case *ast.FuncDefStmt:
		f.block(s.Func.Stmts)
	case *ast.ReturnStmt:
		f.exprs(s.Exprs)
	}
}

func (f *file) exprs(list []ast.Expr) {
	for _, e := range list {
		f.expr(e)
	}
}

func (f *file) expr(e ast.Expr) {
	switch e := e.(type) {
	case *ast.AttrGetExpr:
		f.expr(e.Object)
		f.expr(e.Key)
		f.checkField(e)
	case *ast.TableExpr:
		for _, field := range e.Fields {
			if field.Key != nil {
				f.expr(field.Key)
			}
			f.expr(field.Value)
		}
	case *ast.FuncCallExpr:
		if e.Func != nil {
			f.expr(e.Func)
		} else {
			f.expr(e.Receiver)
		}
		f.exprs(e.Args)
		f.checkCall(e)
	case *ast.LogicalOpExpr:
		f.exprs([]ast.Expr{e.Lhs, e.Rhs})
	case *ast.RelationalOpExpr:
		f.exprs([]ast.Expr{e.Lhs, e.Rhs})
	case *ast.StringConcatOpExpr:
		f.exprs([]ast.Expr{e.Lhs, e.Rhs})
	case *ast.ArithmeticOpExpr:
		f.exprs([]ast.Expr{e.Lhs, e.Rhs})
	case *ast.UnaryMinusOpExpr:
		f.expr(e.Expr)
	case *ast.UnaryNotOpExpr:
		f.expr(e.Expr)
	case *ast.UnaryLenOpExpr:
		f.expr(e.Expr)
	case *ast.FunctionExpr:
		f.block(e.Stmts)
	}
}

// end is the last token of e that the tree knows of: what closes a call or table may
// come after it.
func (f *file) end(e ast.Expr) int {
	if n, ok := f.ends[e]; ok {
		return n
	}
	n := 0
	if e.Line() > 0 {
		n = f.at(e)
	}
	more := func(list ...ast.Expr) {
		for _, x := range list {
			if x != nil {
				n = max(n, f.end(x))
			}
		}
	}
	switch e := e.(type) {
	case *ast.AttrGetExpr:
		more(e.Object, e.Key)
	case *ast.FuncCallExpr:
		more(e.Func, e.Receiver)
		more(e.Args...)
	case *ast.TableExpr:
		for _, field := range e.Fields {
			more(field.Key, field.Value)
		}
	case *ast.LogicalOpExpr:
		more(e.Lhs, e.Rhs)
	case *ast.RelationalOpExpr:
		more(e.Lhs, e.Rhs)
	case *ast.StringConcatOpExpr:
		more(e.Lhs, e.Rhs)
	case *ast.ArithmeticOpExpr:
		more(e.Lhs, e.Rhs)
	case *ast.UnaryMinusOpExpr:
		more(e.Expr)
	case *ast.UnaryNotOpExpr:
		more(e.Expr)
	case *ast.UnaryLenOpExpr:
		more(e.Expr)
	case *ast.FunctionExpr:
		if e.LastLine() > 0 {
			n = max(n, f.tokens.token(e.LastLine()))
		}
	}
	f.ends[e] = n
	return n
}

// methodAt is the token of the name in receiver:name(...).
func (f *file) methodAt(e *ast.FuncCallExpr) int {
	for i := f.end(e.Receiver); i+1 < len(f.tokens.text); i++ {
		if f.tokens.text[i] == ":" && f.tokens.text[i+1] == e.Method {
			return i + 1
		}
	}
	return f.end(e.Receiver)
}
