package lint

import (
	"github.com/yuin/gopher-lua/ast"
)

// A variable is a local, a parameter, or a global of the script.
type variable struct {
	name   string
	values []given // all it is ever given
	opaque bool    // or something that cannot be seen
	uses   []use   // where its value goes
	fn     *function
	param  int // of fn, from 0

	state uint8 // of inference
	typ   typ
}

// given is the nth value, from 0, of an expression.
type given struct {
	expr ast.Expr
	n    int
}

// A function is one function expression.
type function struct {
	expr   *ast.FunctionExpr
	params []*variable
	uses   []use
}

// A use is where a value goes.
type use struct {
	kind useKind
	call *ast.FuncCallExpr // what it is called by, or is an argument of
	arg  int               // from 0
	key  string            // in the table that is the argument
}

type useKind uint8

const (
	elsewhere useKind = iota // it may come back from anywhere
	tested                   // only looked at
	indexed
	called
	argument
	inTable // of an argument
	stored  // in a variable, which has uses of its own
	written // not a use: the name is assigned
)

// A scope is a block with its locals.
type scope struct {
	parent *scope
	vars   map[string]*variable
}

func (s *scope) find(name string) *variable {
	for ; s != nil; s = s.parent {
		if v := s.vars[name]; v != nil {
			return v
		}
	}
	return nil
}
