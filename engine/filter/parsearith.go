package filter

import (
	"fmt"
	"strings"
)

// maxLive is how many numbers an expression may hold at once: libpcap's machine has
// as many registers.
const maxLive = 16

// precedence of the arithmetic operators. That "%" and "^" have none in libpcap's
// grammar makes them take everything to their right: len % 3 + 1 is len % (3 + 1).
var precedence = map[string]int{
	"|": 1, "&": 2, "<<": 3, ">>": 3, "+": 4, "-": 4, "*": 5, "/": 5, "%": 0, "^": 0,
}

const minusSign = 6 // binds tighter than any operator

func (p *parser) isOperator() bool {
	t := p.tok()
	_, ok := precedence[t.text]
	return t.kind == tKey && ok
}

func (p *parser) isRelop() bool {
	t := p.tok()
	if t.kind != tKey {
		return false
	}
	switch t.text {
	case "=", "!=", "<", ">", "<=", ">=":
		return true
	}
	return false
}

// hold counts a number more to be kept.
func (p *parser) hold() {
	if p.live++; p.live > maxLive {
		p.fail(p.tok(), "", "arithmetic on more than %d numbers at once: use fewer parentheses", maxLive)
	}
}

func (p *parser) numberAt(t token) *arith {
	p.hold()
	return &arith{op: "num", num: t.num, plain: true, tok: t}
}

// relation reads a comparison, the left side of which has begun.
func (p *parser) relation(left *arith) node {
	left = p.rest(left, 0, false)
	if !p.isRelop() {
		p.unexpected(left.wants())
		return bad
	}
	op := p.skip().text
	right := p.rest(p.unary(), 0, false)
	p.live -= 2
	if p.err != nil {
		return bad
	}
	return p.both(func(g gen) *cond { return g.relation(op, left, right) })
}

// wants is what should follow e where nothing does.
func (e *arith) wants() string {
	if !e.plain {
		return "a comparison"
	}
	switch family, _, _ := strings.Cut(e.tok.text, "-"); family {
	case "icmp", "icmp6":
		return fmt.Sprintf("a comparison, as in %s[%stype] == %s,", family, family, e.tok.text)
	case "tcp":
		return fmt.Sprintf("a comparison, as in tcp[tcpflags] & %s != 0,", e.tok.text)
	}
	return "a comparison"
}

// rest reads the operators behind left that bind tighter than the one of precedence
// prec before it; there is none unless inside.
func (p *parser) rest(left *arith, prec int, inside bool) *arith {
	for p.isOperator() {
		op := p.tok().text
		mine := precedence[op]
		if inside && prec > 0 && mine > 0 && mine <= prec {
			break
		}
		t := p.skip()
		p.enter()
		right := p.rest(p.unary(), mine, true)
		p.leave()
		p.cannot(t, op, right)
		p.live--
		left = &arith{op: op, a: left, b: right, tok: t}
	}
	return left
}

// cannot refuses what libpcap refuses: a divisor of zero and a shift by more than
// 31, as far as the first number in it tells.
func (p *parser) cannot(t token, op string, right *arith) {
	for right.op != "num" {
		if right.op == "load" && right.proto == "len" || right.a == nil {
			return
		}
		right = right.a
	}
	switch {
	case (op == "/" || op == "%") && right.num == 0:
		p.fail(t, "", "division by zero, or by what begins with 0")
	case (op == "<<" || op == ">>") && right.num > 31:
		p.fail(t, "", "a shift by %d: at most 31", right.num)
	}
}

// unary reads one operand.
func (p *parser) unary() *arith {
	t := p.tok()
	switch {
	case t.kind == tNum:
		p.skip()
		return p.numberAt(t)
	case p.is("len"):
		p.skip()
		p.hold()
		return &arith{op: "load", proto: "len", tok: t}
	case p.is("-"):
		p.skip()
		p.enter()
		defer p.leave()
		return &arith{op: "neg", a: p.rest(p.unary(), minusSign, true), tok: t}
	case p.is("("):
		p.skip()
		p.enter()
		defer p.leave()
		e := p.rest(p.unary(), 0, false)
		if !p.take(")") {
			p.unexpected(`")"`)
		}
		return e
	case t.kind == tKey && isProto(t.text):
		p.skip()
		return p.loadOf(t)
	}
	p.unexpected(wantNumber)
	return &arith{op: "num", tok: t}
}

// loadOf reads "[offset]" or "[offset:size]" behind a protocol.
func (p *parser) loadOf(t token) *arith {
	e := &arith{op: "load", proto: t.text, load: load{size: 1}, tok: t}
	if !p.take("[") {
		if n := transports[t.text].num; n > 0 {
			p.fail(t, "", "%q is no number: write %d for the protocol, or its bytes, as in %s[0]", t.text, n, t.text)
		}
		p.unexpected(`"["`)
		return &arith{op: "num", tok: t}
	}
	p.enter()
	defer p.leave()
	e.a = p.rest(p.unary(), 0, false)
	if p.take(":") {
		n := p.tok()
		switch {
		case n.kind != tNum:
			p.unexpected("1, 2 or 4")
		case n.num != 1 && n.num != 2 && n.num != 4:
			p.fail(n, "", "a size of %d bytes: 1, 2 or 4", n.num)
		}
		p.skip()
		e.load.size = uint8(n.num)
	}
	if !p.take("]") {
		p.unexpected(`"]"`)
	}
	if tr, ok := transports[t.text]; ok && !tr.index {
		p.fail(t, "", "%s has no bytes of its own: use ip or ip6", t.text)
	}
	p.hold() // libpcap takes the result's register before it frees the offset's
	p.live--
	return e
}
