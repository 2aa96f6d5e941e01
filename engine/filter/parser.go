package filter

import (
	"fmt"
	"strings"

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

// wantNumber and wantCondition are what unexpected is mostly asked for.
const (
	wantNumber    = `a number, "len" or a protocol and its bytes, as in tcp[13]`
	wantCondition = "a condition"
)

// unexpected says that the next token cannot stand where it does, and what could.
func (p *parser) unexpected(want string) {
	t := p.tok()
	text := p.text[t.at:t.end]
	number := want == wantNumber
	switch {
	case t.kind == tEnd:
		p.fail(t, "", "the text ends where %s should follow", want)
	case t.kind == tBad:
		p.fail(t, "", "%s", t.text)
	case p.last.kind == tHID6 && p.last.end == t.at && t.kind != tKey:
		p.fail(p.last, "", "%q is no IPv6 address", p.text[p.last.at:t.end])
	case t.kind == tID && isForeign(t.text) && !number:
		near, why := refused(t.text)
		p.fail(t, near, "%q %s", t.text, why)
	case t.kind == tID && strings.HasPrefix(t.text, "len-"):
		p.fail(t, "", "%q is one word: put spaces around the minus sign", t.text)
	case want == wantCondition && (t.text == "any" || t.text == "all" || t.text == "*"):
		p.fail(t, "", "unexpected %q: every packet is meant where there is no filter", text)
	case t.kind == tID:
		p.fail(t, meant(t.text, number), "unexpected %q, expected %s", text, want)
	case want == wantCondition && (t.kind == tHID || t.kind == tHID6 || t.kind == tEID):
		p.fail(t, "", "nothing says what %q is: write host, net or ether host before it", text)
	case t.kind == tKey:
		p.misplaced(t, want)
	default:
		p.fail(t, "", "unexpected %q, expected %s", text, want)
	}
}

// misplaced is unexpected for a word or sign of the language, which often means
// something in another one.
func (p *parser) misplaced(t token, want string) {
	text := p.text[t.at:t.end]
	near := ""
	switch {
	case t.text == "/" && p.last.kind == tNum:
		p.fail(p.last, "", "%s is too short for a prefix length: write %s.0.0.0", p.last.text, p.last.text)
	case p.isRelop() && p.last.end == t.at && p.last.kind == tKey:
		near = saidForRelation[p.text[p.last.at:t.end]]
	case p.isRelop() && want != wantNumber && want != `"]"`:
		p.fail(t, "", "unexpected %q, expected %s: only numbers are compared, as in tcp[2:2] == 80", text, want)
	case t.text == ":" && p.last.kind == tHID:
		p.fail(t, "and port", "unexpected %q, expected %s: an address and a port are two conditions", text, want)
	case t.text == "[" && want == "an address":
		p.fail(t, "", "unexpected %q, expected %s without brackets", text, want)
	case t.text == "-" && p.last.kind == tNum, t.text == "-" && p.last.text == "portrange":
		p.fail(t, "", "unexpected %q, expected %s: a range has both ends and no spaces, as in 1-1024", text, want)
	case isProto(t.text) && (p.last.text == "src" || p.last.text == "dst"):
		near = t.text + " " + p.last.text
	case t.text == "&":
		near = "&&"
	case t.text == "|":
		near = "||"
	}
	p.fail(t, near, "unexpected %q, expected %s", text, want)
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

func (n node) and(m node) node { return node{and(n.ip, m.ip), and(n.eth, m.eth)} }
func (n node) or(m node) node  { return node{or(n.ip, m.ip), or(n.eth, m.eth)} }
func (n node) not() node       { return node{not(n.ip), not(n.eth)} }

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
