package filter

import (
	"fmt"

	"github.com/tunscript/tunscript/engine/packet"
)

// Limits of a filter text. They are far above what anybody writes and keep what
// compiling and matching cost in bounds.
const (
	MaxText  = 16 << 10 // bytes
	maxDepth = 200      // parentheses, "not" and minus signs inside one another
	maxTags  = 8        // "vlan" in one text
)

// A node is one condition for both link types.
type node struct {
	ip, eth *cond
}

// bad stands for what could not be read.
var bad = node{never, never}

// A parser reads tokens by recursive descent. The grammar is libpcap's, as odd as
// it is: "and" and "or" bind equally, an address without a qualifier is none, and
// what can be carried over depends on the parentheses.
//
// The first error is kept and all tokens are dropped, so that every loop ends.
type parser struct {
	text  string
	toks  []token
	tags  uint32 // "vlan" seen so far
	last  token  // the one before
	depth int
	live  int // numbers that libpcap would hold in its registers
	err   *SyntaxError
}

func (p *parser) tok() token { return p.toks[0] }

func (p *parser) skip() token {
	t := p.toks[0]
	if t.kind != tEnd {
		p.last = t
		p.toks = p.toks[1:]
	}
	return t
}

// is reports whether the next token is this keyword or sign.
func (p *parser) is(text string) bool { return p.toks[0].kind == tKey && p.toks[0].text == text }

func (p *parser) take(text string) bool {
	if p.is(text) {
		p.skip()
		return true
	}
	return false
}

func (p *parser) fail(t token, suggestion, format string, args ...any) {
	if p.err == nil {
		p.err = &SyntaxError{Text: p.text, Column: t.at + 1, Message: fmt.Sprintf(format, args...), Suggestion: suggestion}
	}
	p.toks = p.toks[len(p.toks)-1:]
}

// enter counts nesting; leave is called in any case.
func (p *parser) enter() {
	if p.depth++; p.depth > maxDepth {
		p.fail(p.tok(), "", "nested deeper than %d: use fewer parentheses", maxDepth)
	}
}

func (p *parser) leave() { p.depth-- }

// parse reads the whole text.
func parse(text string) (node, *SyntaxError) {
	p := &parser{text: text}
	if len(text) > MaxText {
		p.toks = []token{{kind: tEnd, at: MaxText}}
		p.fail(p.tok(), "", "a filter has at most %d bytes: make several of it", MaxText)
		return node{}, p.err
	}
	p.toks = lex(text)
	if p.tok().kind == tEnd {
		return node{always, always}, nil
	}
	n, _ := p.expr(p.term(qual{}, false))
	if p.err == nil && p.tok().kind != tEnd {
		p.unexpected(`"and", "or" or the end`)
	}
	return n, p.err
}

// both makes a node of what is made for one link type.
func (p *parser) both(f func(g gen) *cond) node {
	return node{f(gen{link: packet.IP}), f(gen{link: packet.Ethernet, tags: p.tags})}
}

// expr reads what follows a first term: terms, or values with its qualifiers.
func (p *parser) expr(left node, q qual, _ bool) (node, qual) {
	for {
		switch {
		case p.take("and"):
			right, rq, _ := p.term(q, true)
			left, q = left.and(right), rq
		case p.take("or"):
			right, rq, _ := p.term(q, true)
			left, q = left.or(right), rq
		default:
			return left, q
		}
	}
}

func (n node) and(m node) node { return n.with(m, and) }
func (n node) or(m node) node  { return n.with(m, or) }
func (n node) not() node       { return n.with(n, func(c ...*cond) *cond { return not(c[0]) }) }

// with joins two conditions. Where both are the same for all frames, as built ones
// are, so is what comes of them, and is compiled once.
func (n node) with(m node, f func(...*cond) *cond) node {
	c := f(n.ip, m.ip)
	if n.ip == n.eth && m.ip == m.eth {
		return node{c, c}
	}
	return node{c, f(n.eth, m.eth)}
}

// term reads one condition. values allows a mere value, to which q is carried over;
// isValue says that it was one.
func (p *parser) term(q qual, values bool) (n node, out qual, isValue bool) {
	t := p.tok()
	switch {
	case p.is("!"):
		p.skip()
		p.enter()
		defer p.leave()
		n, out, isValue = p.term(q, values)
		return n.not(), out, isValue
	case p.is("("):
		return p.group(q, values)
	case t.kind == tNum:
		p.skip()
		return p.afterNumber(p.numberAt(t), q, values)
	case p.is("len"), p.is("-"):
		return p.relation(p.unary()), qual{}, false
	case values && isValueToken(t):
		return p.value(q), q, true
	case t.kind == tKey && isProto(t.text):
		return p.afterProto(p.skip())
	}
	return p.primitive(token{kind: tEnd, at: t.at})
}

// afterNumber goes on behind a number: a value if one may stand here and nothing is
// computed with it, else arithmetic.
func (p *parser) afterNumber(e *arith, q qual, values bool) (node, qual, bool) {
	if values && e.plain && !p.isOperator() && !p.isRelop() {
		p.live--
		return p.numberValue(e.tok, e.num, q), q, true
	}
	return p.relation(e), qual{}, false
}
