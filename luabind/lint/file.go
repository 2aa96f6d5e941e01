package lint

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/yuin/gopher-lua/ast"
	"github.com/yuin/gopher-lua/parse"

	"github.com/tunscript/tunscript/luabind"
)

// A file is one source on its way through the steps.
type file struct {
	c        *checker
	name     string
	tokens   *tokens
	findings []Finding
	reported map[[2]int]bool

	stmts    []ast.Stmt
	vars     map[*ast.IdentExpr]*variable // of every name, what it is
	globals  map[string]*variable         // those that the file mentions
	funcs    map[*ast.FunctionExpr]*function
	unbound  []unbound       // names that are no local
	tested   map[string]bool // globals that the script asks for before it uses them
	fields   map[string]bool // "string.trim", where the script sets one
	missing  map[string]bool // globals that are not there, said already
	requires []string
	types    map[ast.Expr]typ // what has been inferred
	ends     map[ast.Expr]int // last token of an expression, as far as the tree knows
	returned map[*ast.FunctionExpr]bool
}

// An unbound is a name that is no local, where it stands.
type unbound struct {
	id    *ast.IdentExpr
	scope *scope
	use   useKind
	level int // functions around it
}

func newFile(c *checker, name, source string) *file {
	f := &file{
		c: c, name: name, tokens: &tokens{src: source, lines: []int{0}}, reported: map[[2]int]bool{},
		vars: map[*ast.IdentExpr]*variable{}, globals: map[string]*variable{}, funcs: map[*ast.FunctionExpr]*function{},
		tested: map[string]bool{}, missing: map[string]bool{}, fields: map[string]bool{}, types: map[ast.Expr]typ{}, ends: map[ast.Expr]int{}, returned: map[*ast.FunctionExpr]bool{},
	}
	if _, err := luabind.LoadString(name, source, luabind.Options{}); err != nil {
		f.syntax(err)
		return f
	}
	f.tokens = scan(source)
	stmts, err := parse.Parse(strings.NewReader(f.tokens.rewritten()), name)
	if err != nil {
		return f // it compiles as it stands: nothing to say
	}
	f.stmts = stmts
	f.resolve()
	return f
}

// syntax reports why the source does not compile.
func (f *file) syntax(err error) {
	finding := Finding{File: f.name, Message: err.Error(), Severity: Error}
	if se, ok := errors.AsType[*luabind.ScriptError](err); ok {
		finding.Line, finding.Column, finding.Message, finding.Source = se.Line, se.Column, se.Message, se.Source
	}
	f.findings = append(f.findings, finding)
}

// check applies the rules.
func (f *file) check() {
	f.checkGlobals()
	f.block(f.stmts)
	inOrder := func(a, b *function) int { return a.expr.Line() - b.expr.Line() }
	for _, fn := range slices.SortedFunc(maps.Values(f.funcs), inOrder) {
		f.checkHandler(fn)
	}
}

// at is the token of a node.
func (f *file) at(n ast.PositionHolder) int {
	at := f.tokens.token(n.Line())
	if _, minus := n.(*ast.UnaryMinusOpExpr); minus && at > 0 && f.tokens.text[at-1] == "-" {
		at-- // the tree has the line of what is negated
	}
	return at
}
