package filter

import "fmt"

// group reads parentheses: around conditions, values or arithmetic. What is in them
// is only known from what is found.
func (p *parser) group(q qual, values bool) (node, qual, bool) {
	e, n, isValue := p.inGroup(q, values)
	if e != nil {
		return p.afterNumber(e, q, values)
	}
	return n, q, isValue
}

// inGroup reads one pair of parentheses: e is set if they hold arithmetic.
func (p *parser) inGroup(q qual, values bool) (e *arith, n node, isValue bool) {
	open := p.skip()
	n = bad
	p.enter()
	defer p.leave()
	switch t := p.tok(); {
	case t.kind == tNum:
		p.skip()
		e = p.numberAt(t)
	case p.is("("):
		e, n, isValue = p.inGroup(q, false)
		if e == nil {
			n, _ = p.expr(n, q, false)
		}
	case p.is("len"), p.is("-"), t.kind == tKey && isProto(t.text) && p.toks[1].kind == tKey && p.toks[1].text == "[":
		e = p.unary()
	default:
		n, q, isValue = p.term(q, values)
		n = p.restOfGroup(n, q, isValue)
	}
	if e != nil {
		switch {
		case p.isOperator(), p.isRelop():
			if e = p.rest(e, 0, false); p.isRelop() {
				n, _ = p.expr(p.relation(e), qual{}, false)
				e = nil
			}
		case values && e.plain && (p.is("and") || p.is("or")):
			p.live--
			n, isValue, e = p.restOfGroup(p.numberValue(e.tok, e.num, q), q, true), true, nil
		}
	}
	if !p.take(")") {
		p.unexpected(fmt.Sprintf("%q for the one in column %d", ")", open.at+1))
	}
	return e, n, isValue
}

// restOfGroup reads what follows the first condition in parentheses. Values may
// only be joined with values there.
func (p *parser) restOfGroup(n node, q qual, isValue bool) node {
	if !isValue {
		n, _ = p.expr(n, q, false)
		return n
	}
	for {
		switch {
		case p.take("and"):
			n = n.and(p.value(q))
		case p.take("or"):
			n = n.or(p.value(q))
		default:
			return n
		}
	}
}
