package vm

import (
	"fmt"
	"strings"
)

// grammar reads tokens as Lua 5.1 (with goto) and notes the first one that does not
// fit, in PUC Lua's words. Where the two parsers disagree gopher-lua's counts: this one
// is asked after it has refused. After a failure only the end of the source is left, so
// every loop here ends.
type grammar struct {
	tokens  []token
	i       int // the token in hand
	problem string
	at      int // the token that it is about

	brackets []token       // open ones
	loose    *token        // opened the first block whose `end` stands further left
	elseIf   map[int]token // of the `if` that is token n: an `else if`
	last     token         // a return or break that ended a block
	lastEnd  int           // the token after it
}

func (g *grammar) tok() token          { return g.tokens[g.i] }
func (g *grammar) is(text string) bool { return g.tok().kind == tokSymbol && g.tok().text == text }

func (g *grammar) next() token {
	t := g.tok()
	if t.kind != tokEnd {
		g.i++
	}
	return t
}

func (g *grammar) accept(text string) bool {
	if !g.is(text) {
		return false
	}
	g.next()
	return true
}

// fail notes what is wrong with the token in hand.
func (g *grammar) fail(format string, args ...any) {
	if g.problem == "" {
		g.problem, g.at = fmt.Sprintf(format, args...), g.i
	}
	g.i = len(g.tokens) - 1
}

// near is the token in hand, as messages name it.
func (g *grammar) near() string {
	t := g.tok()
	if t.kind == tokEnd {
		return "near the end of the source"
	}
	text := t.text
	if i := strings.IndexAny(text, "\r\n"); i >= 0 {
		text = text[:i] + "..."
	}
	if len(text) > 60 {
		text = strings.ToValidUTF8(text[:60], "") + "..."
	}
	return "near '" + text + "'"
}

func (g *grammar) unexpected() { g.fail("unexpected symbol %s%s", g.near(), g.advice()) }

func (g *grammar) expect(text string) {
	if !g.accept(text) {
		g.fail("'%s' expected %s%s", text, g.near(), g.advice())
	}
}

func (g *grammar) name() {
	if g.tok().kind != tokName {
		g.fail("'<name>' expected %s%s", g.near(), g.advice())
	}
	g.next()
}

// shut takes what ends the block or bracket that token number opened has opened.
func (g *grammar) shut(text string, opened int) {
	from, t := g.tokens[opened], g.tok()
	if g.is(text) {
		if text == "end" && t.line > from.line && t.indent < from.indent && g.loose == nil {
			g.loose = &from
		}
		g.next()
		return
	}
	to := ""
	if from.line != t.line || t.kind == tokEnd {
		to = fmt.Sprintf(" (to close '%s' at line %d)", from.text, from.line)
	}
	g.fail("'%s' expected%s %s%s", text, to, g.near(), g.missing(text, opened))
}

func (g *grammar) chunk() {
	g.block()
	if g.tok().kind == tokEnd || g.problem != "" {
		return
	}
	switch what := g.tok().text; what {
	case "end", "until":
		g.fail("unexpected '%s': no block is open here", what)
	case "else", "elseif":
		g.fail("unexpected '%s': no 'if' is open here", what)
	default:
		g.fail("unexpected symbol %s%s", g.near(), g.missing("", 0))
	}
}

// block reads statements to what ends one.
func (g *grammar) block() {
	for !g.ended() {
		first := g.tok()
		last := g.is("return") || g.is("break")
		g.statement()
		g.accept(";")
		if last {
			g.last, g.lastEnd = first, g.i
			return
		}
	}
}

// ended says whether no further statement can begin here. A bracket counts as an end if
// what it closes was opened around the block: then it is `end` that is missing.
func (g *grammar) ended() bool {
	t := g.tok()
	if t.kind == tokEnd {
		return true
	}
	if t.kind != tokSymbol {
		return false
	}
	switch t.text {
	case "end", "else", "elseif", "until":
		return true
	case ")", "}", "]":
		n := len(g.brackets)
		return n > 0 && shuts[g.brackets[n-1].text] == t.text &&
			(g.tokens[g.i-1].text == "end" || g.brackets[n-1].line == t.line)
	}
	return false
}

var shuts = map[string]string{"(": ")", "{": "}", "[": "]"}

func (g *grammar) statement() {
	at := g.i
	if g.tok().kind != tokSymbol {
		g.exprStatement()
		return
	}
	switch g.tok().text {
	case ";":
	case "if":
		g.conditional()
	case "while":
		g.next()
		g.expr()
		g.do(at)
	case "do":
		g.do(at)
	case "for":
		g.loop()
	case "repeat":
		g.next()
		g.block()
		g.shut("until", at)
		g.expr()
	case "function":
		g.next()
		g.name()
		for g.accept(".") {
			g.name()
		}
		if g.accept(":") {
			g.name()
		}
		g.body(at)
	case "local":
		g.local()
	case "return":
		g.next()
		if !g.ended() && !g.is(";") {
			g.exprs()
		}
	case "break":
		g.next()
	case "goto":
		g.next()
		g.name()
	case "::":
		g.next()
		g.name()
		g.expect("::")
	default:
		g.exprStatement()
	}
}

func (g *grammar) conditional() {
	at := g.i
	g.next()
	g.expr()
	g.expect("then")
	g.block()
	for g.accept("elseif") {
		g.expr()
		g.expect("then")
		g.block()
	}
	if e := g.tok(); g.accept("else") {
		if inner := g.tok(); g.is("if") && inner.line == e.line {
			if g.elseIf == nil {
				g.elseIf = map[int]token{}
			}
			g.elseIf[at] = inner
		}
		g.block()
	}
	g.shut("end", at)
}

// do is the body of a loop that token number opened has begun.
func (g *grammar) do(opened int) {
	g.expect("do")
	g.block()
	g.shut("end", opened)
}

func (g *grammar) loop() {
	at := g.i
	g.next()
	g.name()
	if g.accept("=") {
		g.expr()
		g.expect(",")
		g.exprs()
	} else {
		if !g.is(",") && !g.is("in") {
			g.fail("'=' or 'in' expected %s%s", g.near(), g.advice())
		}
		for g.accept(",") {
			g.name()
		}
		g.expect("in")
		g.exprs()
	}
	g.do(at)
}

func (g *grammar) local() {
	g.next()
	if at := g.i; g.accept("function") {
		g.name()
		g.body(at)
		return
	}
	g.name()
	for g.accept(",") {
		g.name()
	}
	if g.accept("=") {
		g.exprs()
	}
}

// body is a function from its parameters on.
func (g *grammar) body(opened int) {
	g.expect("(")
	for more := !g.is(")"); more; more = g.accept(",") {
		if g.accept("...") {
			break
		}
		if g.tok().kind != tokName {
			g.fail("<name> or '...' expected %s%s", g.near(), g.advice())
		}
		g.next()
	}
	g.expect(")")
	g.block()
	g.shut("end", opened)
}

// exprStatement is a statement that begins as an expression does: a call or an assignment.
func (g *grammar) exprStatement() {
	what := g.suffixed()
	if what == aCall && !g.is("=") {
		return
	}
	for what == aVariable && g.accept(",") {
		what = g.suffixed()
	}
	if what != aVariable {
		if g.is("=") {
			g.fail("syntax error %s; a call is no variable", g.near())
		}
		g.fail("syntax error %s%s", g.near(), g.advice())
		return
	}
	g.expect("=")
	g.exprs()
}
