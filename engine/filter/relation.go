package filter

import "github.com/tunscript/tunscript/engine/packet"

// A relation compares two computed numbers, without sign.
type relation struct {
	op   string // "=", ">" or ">="; the others are made of these by "not"
	a, b *arith
}

func (r *relation) match(p *packet.Packet, b []byte) (holds, ok bool) {
	x, ok := r.a.eval(p, b)
	if !ok {
		return false, false
	}
	y, ok := r.b.eval(p, b)
	if !ok {
		return false, false
	}
	switch r.op {
	case "=":
		return x == y, true
	case ">":
		return x > y, true
	}
	return x >= y, true
}

// relation compares x and y once the checks of both hold. A "not equal" is false,
// too, where they do not: tcp[0] != 5 is about TCP packets.
func (g gen) relation(op string, x, y *arith) *cond {
	checks := and(g.checks(x), g.checks(y))
	r := &relation{op: op, a: g.resolve(x), b: g.resolve(y)}
	negate := true
	switch op {
	case "!=":
		r.op = "="
	case "<=":
		r.op = ">"
	case "<":
		r.op = ">="
	default:
		negate = false
	}
	c := r.test()
	if c == nil {
		c = &cond{op: cRel, rel: r}
	}
	if negate {
		c = not(c)
	}
	return and(checks, c)
}

// test is the relation as a plain test, for the common "load op number" and "load &
// mask op number", or nil.
func (r *relation) test() *cond {
	if r.b.op != "num" {
		return nil
	}
	l, mask := r.a, uint32(0xffffffff)
	if l.op == "&" {
		switch {
		case l.b.op == "num":
			l, mask = l.a, l.b.num
		case l.a.op == "num":
			l, mask = l.b, l.a.num
		}
	}
	if l.op != "load" || l.a != nil {
		return nil
	}
	c := &cond{op: cTest, load: l.load, mask: mask, hi: 0xffffffff}
	if l.load.place != frameLen {
		c.mask &= full(l.load.size)
	}
	switch n := r.b.num; {
	case r.op == "=":
		c.lo, c.hi = n, n
	case r.op == ">=":
		c.lo = n
	case n == 0xffffffff: // nothing is greater, but the load must still be inside
		return nil
	default:
		c.lo = n + 1
	}
	return c
}
