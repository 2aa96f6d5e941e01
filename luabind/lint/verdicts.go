package lint

import (
	"strings"

	"github.com/yuin/gopher-lua/ast"

	"github.com/tunscript/tunscript/luabind"
)

// verdicts are the words of the type verdict.
func (a *api) verdicts() map[string]bool {
	words := map[string]bool{}
	for _, part := range union(a.aliases["verdict"]) {
		if word, ok := strings.CutPrefix(part, `"`); ok {
			words[strings.TrimSuffix(word, `"`)] = true
		}
	}
	return words
}

const allowed = `return nothing, "pass", "accept", "drop" [, reason], a packet or a list of packets`

// checkHandler looks at what a function returns that on calls.
func (f *file) checkHandler(fn *function) {
	for _, u := range fn.uses {
		if (u.kind == argument || u.kind == inTable) && f.expected(u) == "handler" {
			f.checkReturns(fn.expr)
			return
		}
	}
}

// checkReturns looks at the returns of a handler, and of a function that it returns
// the result of.
func (f *file) checkReturns(fe *ast.FunctionExpr) {
	if f.returned[fe] {
		return
	}
	f.returned[fe] = true
	f.returns(fe.Stmts)
}

// returns walks the statements of one function, not those within.
func (f *file) returns(stmts []ast.Stmt) {
	for _, s := range stmts {
		switch s := s.(type) {
		case *ast.ReturnStmt:
			f.checkReturn(s)
		case *ast.DoBlockStmt:
			f.returns(s.Stmts)
		case *ast.WhileStmt:
			f.returns(s.Stmts)
		case *ast.RepeatStmt:
			f.returns(s.Stmts)
		case *ast.IfStmt:
			f.returns(s.Then)
			f.returns(s.Else)
		case *ast.NumberForStmt:
			f.returns(s.Stmts)
		case *ast.GenericForStmt:
			f.returns(s.Stmts)
		}
	}
}

func (f *file) checkReturn(s *ast.ReturnStmt) {
	if len(s.Exprs) == 0 {
		return
	}
	drop := false
	for _, e := range f.mayBe(s.Exprs[0]) {
		if word, ok := f.text(e); ok && word == "drop" {
			drop = true
		}
		f.checkVerdict(e)
	}
	if len(s.Exprs) > 1 && !drop {
		if word, ok := f.text(s.Exprs[0]); ok && f.c.api.verdicts()[word] && f.typeOf(s.Exprs[1]).name != "" && f.typeOf(s.Exprs[1]).name != "nil" {
			f.report(f.at(s.Exprs[1]), Error, "", "", "verdict: only \"drop\" takes a reason: %s", allowed)
		}
	}
}

// checkVerdict looks at one value that a handler may return.
func (f *file) checkVerdict(e ast.Expr) {
	if word, ok := f.text(e); ok {
		if words := f.c.api.verdicts(); !words[word] {
			f.report(f.at(e), Error, word, similar(word, words), "verdict: there is no %q: %s", clip(word), allowed)
		}
		return
	}
	t := f.typeOf(e)
	switch c := f.c.api.classes[t.name]; {
	case t.name == "number" || t.name == "function":
		if _, arithmetic := e.(*ast.ArithmeticOpExpr); !arithmetic {
			f.report(f.at(e), Error, f.word(e), "", "verdict: a %s means nothing: %s", t.name, allowed)
		}
	case c != nil && c.Kind == luabind.Layer && t.name != "packet":
		f.report(f.at(e), Error, "", "", "verdict: a layer (%s) is no packet: return the packet whose it is", t.name)
	case c != nil && c.Kind == luabind.Object:
		f.report(f.at(e), Error, "", "", "verdict: a %s means nothing: %s", t.name, allowed)
	}
	switch e := e.(type) {
	case *ast.TrueExpr:
		f.report(f.at(e), Error, "true", "", "verdict: true means nothing: %s", allowed)
	case *ast.FuncCallExpr:
		id, ok := e.Func.(*ast.IdentExpr)
		if !ok {
			return
		}
		if v := f.vars[id]; v != nil && f.only(v) != nil {
			f.checkReturns(f.only(v).expr)
		}
	}
}
