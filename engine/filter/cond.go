package filter

import "github.com/tunscript/tunscript/engine/packet"

// condOp is how a condition is made.
type condOp uint8

const (
	cTrue condOp = iota
	cFalse
	cTest  // a number of the packet lies in a range
	cAnd   // both, asked in order
	cOr    // either, asked in order
	cNot   // the other way round
	cRel   // two computed numbers compare
	cChain // a protocol stands in a chain of headers
	cFunc  // a Go function says so
)

// A cond is a condition on frames of one link type: what both text and builders
// come to. It is a tree, never changed once made; the same subtree may stand in
// several.
//
// A load outside the frame ends the whole filter with no match, as in libpcap,
// whatever stands around it ("not" included); so the order counts, and the
// functions below keep it. Loads from a layer are the exception: the test is false.
type cond struct {
	op   condOp
	a, b *cond // of cAnd, cOr; a of cNot

	load   load   // of cTest: load & mask lies in lo to hi
	mask   uint32 //
	lo, hi uint32
	typ    bool // this test says what the network protocol is
	usual  bool // most packets pass it, so it tells little

	rel   *relation
	chain *chain
	fn    func(*packet.Packet) bool
}

var (
	always = &cond{op: cTrue}
	never  = &cond{op: cFalse}
)

func and(cs ...*cond) *cond {
	c := always
	for _, d := range cs {
		switch {
		case c.op == cTrue:
			c = d
		case c.op == cFalse || d.op == cTrue:
		default:
			c = &cond{op: cAnd, a: c, b: d}
		}
	}
	return c
}

func or(cs ...*cond) *cond {
	c := never
	for _, d := range cs {
		switch {
		case c.op == cFalse:
			c = d
		case c.op == cTrue || d.op == cFalse:
		default:
			c = &cond{op: cOr, a: c, b: d}
		}
	}
	return c
}

func not(c *cond) *cond {
	switch c.op {
	case cTrue:
		return never
	case cFalse:
		return always
	case cNot:
		return c.a
	}
	return &cond{op: cNot, a: c}
}

// full is the mask that keeps all of size bytes.
func full(size uint8) uint32 { return 0xffffffff >> (32 - 8*uint32(size)) }

// within tests that l lies in lo to hi.
func within(l load, lo, hi uint32) *cond {
	m := full(l.size)
	if l.place == frameLen {
		m = 0xffffffff
	}
	return &cond{op: cTest, load: l, mask: m, lo: lo, hi: hi}
}

// masked tests that l & mask is v.
func masked(l load, mask, v uint32) *cond {
	return &cond{op: cTest, load: l, mask: mask & full(l.size), lo: v, hi: v}
}
