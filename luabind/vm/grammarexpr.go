package vm

import (
	"slices"
	"strings"
)

// What suffixed has read.
type suffixedKind uint8

const (
	aVariable suffixedKind = iota
	aCall
	aGroup // in parentheses
)

// suffixed is a name or an expression in parentheses, with what is called and indexed.
func (g *grammar) suffixed() (what suffixedKind) {
	switch {
	case g.tok().kind == tokName:
		g.next()
	case g.is("("):
		g.bracketed(func() { g.expr() })
		what = aGroup
	default:
		g.unexpected()
		return what
	}
	for {
		switch {
		case g.accept("."):
			g.name()
			what = aVariable
		case g.is("["):
			g.bracketed(func() { g.expr() })
			what = aVariable
		case g.accept(":"):
			g.name()
			if !g.is("(") && !g.is("{") && g.tok().kind != tokString {
				g.fail("function arguments expected %s%s", g.near(), g.advice())
			}
			g.arguments()
			what = aCall
		case g.is("("), g.is("{"), g.tok().kind == tokString:
			g.arguments()
			what = aCall
		default:
			return what
		}
	}
}

func (g *grammar) arguments() {
	switch {
	case g.is("("):
		g.bracketed(func() {
			if !g.is(")") {
				g.exprs()
			}
		})
	case g.is("{"):
		g.table()
	default:
		g.next()
	}
}

// bracketed is what stands between the bracket in hand and its other half.
func (g *grammar) bracketed(inner func()) {
	at, t := g.i, g.tok()
	g.next()
	g.brackets = append(g.brackets, t)
	inner()
	g.shut(shuts[t.text], at)
	g.brackets = g.brackets[:len(g.brackets)-1]
}

func (g *grammar) table() {
	g.bracketed(func() {
		for !g.is("}") && g.tok().kind != tokEnd {
			switch {
			case g.is("["):
				g.bracketed(func() { g.expr() })
				g.expect("=")
			case g.tok().kind == tokName && g.tokens[g.i+1].text == "=" && g.tokens[g.i+1].kind == tokSymbol:
				g.next()
				g.next()
			}
			g.expr()
			if !g.accept(",") && !g.accept(";") {
				return
			}
		}
	})
}

func (g *grammar) exprs() {
	g.expr()
	for g.accept(",") {
		g.expr()
	}
}

var (
	unaries  = []string{"not", "-", "#"}
	binaries = strings.Fields("+ - * / ^ % .. < <= > >= == ~= and or")
	operands = []string{"nil", "true", "false", "..."}
)

// expr is operands with operators between them; which bind closer is no matter here.
func (g *grammar) expr() {
	for {
		for g.tok().kind == tokSymbol && slices.Contains(unaries, g.tok().text) {
			g.next()
		}
		g.operand()
		if g.tok().kind != tokSymbol || !slices.Contains(binaries, g.tok().text) {
			return
		}
		g.next()
	}
}

func (g *grammar) operand() {
	switch t := g.tok(); {
	case t.kind == tokNumber, t.kind == tokString, t.kind == tokSymbol && slices.Contains(operands, t.text):
		g.next()
	case g.is("{"):
		g.table()
	case g.is("function"):
		at := g.i
		g.next()
		g.body(at)
	default:
		g.suffixed()
	}
}
