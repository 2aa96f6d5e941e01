package filter

import (
	"math/bits"
	"slices"
)

// A probe is a question that an index asks a packet: what is there under mask? Only
// packets of one network protocol are asked if typ is set, so that IPv4 ports are
// not looked for in ARP.
type probe struct {
	load  load
	mask  uint32
	typ   uint32 // the value of the link's protocol field, if typed
	typed bool
}

// An anchor is an answer that ties filters to it: a filter with a set of anchors
// matches no packet that gives none of these answers.
type anchor struct {
	probe  probe
	value  uint32
	common bool // most packets say so
}

const (
	maxAnchors = 64 // in a set: what needs more is asked always
	maxChoices = 4  // sets that are kept of one filter
)

// anchors returns sets of anchors for c, each of them enough; nil if there is none.
// An empty set is that of a condition that never holds.
func anchors(c *cond) [][]anchor {
	switch c.op {
	case cFalse:
		return [][]anchor{{}}
	case cTest:
		if set := testAnchors(c); set != nil {
			return [][]anchor{set}
		}
	case cAnd:
		// Either side's will do, and what one says about the protocol holds for the
		// other.
		a, b := anchors(c.a), anchors(c.b)
		if t := protocolOf(c.a); t != nil {
			b = typed(b, t)
		}
		return sharpest(append(slices.Clone(a), b...))
	case cOr:
		// It takes one of each side.
		var choices [][]anchor
		b := anchors(c.b)
		for _, x := range anchors(c.a) {
			for _, y := range b {
				if len(x)+len(y) <= maxAnchors {
					choices = append(choices, append(slices.Clone(x), y...))
				}
			}
		}
		return sharpest(choices)
	}
	return nil
}

// sharpest keeps the best of sets, best first.
func sharpest(sets [][]anchor) [][]anchor {
	slices.SortStableFunc(sets, func(a, b []anchor) int { return bitsOf(b) - bitsOf(a) })
	return sets[:min(len(sets), maxChoices)]
}

// testAnchors are those of one test: prefixes that cover its range, as a router
// would cut a range of addresses into networks.
func testAnchors(c *cond) []anchor {
	if c.load.place == frameLen || c.mask == 0 {
		return nil
	}
	whole := full(c.load.size)
	if c.mask != whole {
		if c.lo != c.hi {
			return nil
		}
		return []anchor{{probe{load: c.load, mask: c.mask}, c.lo, c.usual}}
	}
	if c.lo > whole || c.lo > c.hi {
		return []anchor{}
	}
	var set []anchor
	lo, hi := uint64(c.lo), uint64(min(c.hi, whole))
	for lo <= hi {
		size := uint64(1) << min(bits.TrailingZeros64(lo|1<<32), bits.Len64(hi-lo+1)-1)
		if size > uint64(whole) {
			return nil // everything: no anchor
		}
		set = append(set, anchor{probe{load: c.load, mask: whole &^ uint32(size-1)}, uint32(lo), c.usual})
		lo += size
	}
	return set
}

// protocolOf finds the test for the network protocol that c cannot hold without.
func protocolOf(c *cond) *cond {
	switch {
	case c.op == cTest && c.typ:
		return c
	case c.op == cAnd:
		if t := protocolOf(c.a); t != nil {
			return t
		}
		return protocolOf(c.b)
	}
	return nil
}

// typed returns sets with the protocol of the test t on every anchor that has none.
func typed(sets [][]anchor, t *cond) [][]anchor {
	if !standard(t.load) {
		return sets
	}
	out := make([][]anchor, len(sets))
	for i, set := range sets {
		out[i] = slices.Clone(set)
		for j := range set {
			if p := &out[i][j].probe; !p.typed && p.load != t.load {
				p.typ, p.typed = t.lo, true
			}
		}
	}
	return out
}

// standard reports the protocol field that every frame of a link has, the one that
// an index looks at first: not the one behind a VLAN tag.
func standard(l load) bool { return l.off == 0 || l.off == ethHeader-2 }

// bitsOf says how sharp a set is: how many bits its weakest anchor compares, less
// what is lost by having many.
func bitsOf(set []anchor) int {
	n := 64
	for _, a := range set {
		b := bits.OnesCount32(a.probe.mask)
		if a.common {
			b = 1
		}
		n = min(n, b)
	}
	return n - bits.Len(uint(len(set)))
}
