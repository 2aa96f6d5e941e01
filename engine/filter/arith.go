package filter

import "github.com/tunscript/tunscript/engine/packet"

// An arith is an arithmetic expression: as parsed, where loads name a protocol, or
// resolved for one link type, where they know their place. All arithmetic is on 32
// bits without sign.
type arith struct {
	op   string // "num", "load", "neg", or the operator
	a, b *arith
	num  uint32

	proto string // of a load
	load  load   // of a resolved one, whose offset a (if not nil) is added to
	plain bool   // a number and nothing else, parentheses apart: may stand for an address

	tok token
}

// eval computes e; false if a load lies outside the frame, or on division by zero.
func (e *arith) eval(p *packet.Packet, b []byte) (uint32, bool) {
	switch e.op {
	case "num":
		return e.num, true
	case "load":
		return e.evalLoad(p, b)
	}
	x, ok := e.a.eval(p, b)
	if !ok {
		return 0, false
	}
	if e.op == "neg" {
		return -x, true
	}
	y, ok := e.b.eval(p, b)
	if !ok {
		return 0, false
	}
	return compute(e.op, x, y)
}

func (e *arith) evalLoad(p *packet.Packet, b []byte) (uint32, bool) {
	l := e.load
	if e.a == nil {
		return l.read(p, b)
	}
	x, ok := e.a.eval(p, b)
	if !ok {
		return 0, false
	}
	// As in libpcap's code the sum of offset and header length wraps, the one with
	// the header's own place does not.
	if l.place == fromIPv4End {
		if uint64(l.base) >= uint64(len(b)) {
			return 0, false
		}
		x += uint32(b[l.base]&15) * 4
		return fetch(p, b, uint64(l.base)+uint64(x), l.size, true)
	}
	return fetch(p, b, uint64(l.off)+uint64(x), l.size, true)
}

// compute is one operation; false on division by zero, which ends the filter.
func compute(op string, x, y uint32) (uint32, bool) {
	switch op {
	case "+":
		return x + y, true
	case "-":
		return x - y, true
	case "*":
		return x * y, true
	case "&":
		return x & y, true
	case "|":
		return x | y, true
	case "^":
		return x ^ y, true
	case "<<":
		return x << y, true // 0 from 32 on, as in libpcap
	case ">>":
		return x >> y, true
	}
	if y == 0 {
		return 0, false
	}
	if op == "/" {
		return x / y, true
	}
	return x % y, true
}

// checks are the conditions under which the loads of e mean something; libpcap
// asks only the left operand of an operator for them.
func (g gen) checks(e *arith) *cond {
	switch {
	case e == nil || e.op == "num":
		return always
	case e.op != "load":
		return g.checks(e.a)
	}
	inner := g.checks(e.a)
	if t, ok := networkProtos[e.proto]; ok {
		return and(inner, g.typ(t))
	}
	t, ok := transports[e.proto]
	switch {
	case !ok: // ether, or the length
		return inner
	case !t.v4:
		return and(inner, g.ip6(), g.byteIs(6, t.num))
	}
	return and(g.ip4(), inner, g.byteIs(9, t.num), g.first())
}

// resolve returns e with every load in its place, constants folded.
func (g gen) resolve(e *arith) *arith {
	if e == nil || e.op == "num" {
		return e
	}
	r := *e
	r.a, r.b = g.resolve(e.a), g.resolve(e.b)
	switch {
	case e.op == "load":
		g.place(&r)
	case r.a.op != "num":
	case e.op == "neg":
		return &arith{op: "num", num: -r.a.num}
	case r.b.op == "num":
		if v, ok := compute(e.op, r.a.num, r.b.num); ok {
			return &arith{op: "num", num: v}
		}
	}
	return &r
}

// place says where a load reads. A constant offset becomes part of it.
func (g gen) place(e *arith) {
	if e.proto == "len" {
		e.load = load{place: frameLen, size: 4}
		return
	}
	size, t := e.load.size, transports[e.proto]
	switch {
	case e.proto == "ether":
		e.load = load{size: size}
	case t.v4:
		e.load = g.trans4(0, size)
	case t.v6:
		e.load = g.net(40, size)
	default:
		e.load = g.net(0, size)
	}
	if e.a.op == "num" && e.a.num < 1<<16 {
		off := e.a.num
		e.load.off += off
		e.load.leaves = g.tags > 0 || g.sums(e.proto, off, off+uint32(size))
		e.a = nil
	}
}

// sums reports whether a checksum that is still to be finished may lie at offsets
// from to end of proto's header, or behind it.
func (g gen) sums(proto string, from, end uint32) bool {
	switch proto {
	case "ether":
		return end > g.l3()+10
	case "ip":
		return end > 20 || from < 12 && end > 10
	case "ip6":
		return end > 40
	case "arp", "rarp", "decnet", "lat", "sca", "moprc", "mopdl":
		return false
	}
	at := transports[proto].sum
	return at >= 0 && from < uint32(at)+2 && end > uint32(at)
}
