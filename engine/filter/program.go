package filter

import (
	"encoding/binary"
	"slices"

	"github.com/tunscript/tunscript/engine/packet"
)

// A program is a condition made flat: instructions that each test something and say
// where to go on. Code 0 is "no" and code 1 "yes"; jumps lead to smaller numbers,
// so every run ends. That is libpcap's own form, with the load and the comparison
// in one step. It runs in half to four fifths of the time that closures calling one
// another take (BenchmarkForms).
type program struct {
	code  []instr
	start int32
}

type op uint8

const (
	opByte op = iota // at off
	opHalf
	opWord
	opHalf4 // at off behind the IPv4 header at base: ports, mostly
	opLoad  // any load that ends the filter when outside
	opLayer // a load from a layer, where outside is merely false
	opRel
	opChain
	opFunc
)

// An instr tests that (load & mask) - lo <= span, which is lo <= load & mask <= hi
// in one comparison.
type instr struct {
	op       op
	off      uint32
	base     uint32
	mask     uint32
	lo, span uint32
	yes, no  int32
	c        *cond // what the rarer ones need
}

const (
	no  int32 = 0
	yes int32 = 1
)

// flatten makes a program of c.
func flatten(c *cond) program {
	p := writer{code: make([]instr, 2, 16)}
	start := p.add(c, yes, no)
	return program{slices.Clone(p.code), start} // without the room to grow
}

// A writer makes a program back to front, so that every jump's target is already
// there.
type writer struct {
	code  []instr
	given *anchor // what the packet has said already, if not nil: see settle.go
}

// add appends the code of c, to go on at t or f, and returns where it begins.
func (w *writer) add(c *cond, t, f int32) int32 {
	switch c.op {
	case cTrue:
		return t
	case cFalse:
		return f
	case cNot:
		return w.add(c.a, f, t)
	case cAnd, cOr:
		n := int32(len(w.code))
		start := w.add(c.b, t, f)
		if c.op == cAnd {
			start = w.add(c.a, start, f)
		} else {
			start = w.add(c.a, t, start)
		}
		if start < n { // what was written is never reached
			w.code = w.code[:n]
		}
		return start
	case cTest:
		if w.given != nil {
			if holds, known := w.given.settles(c); known && holds {
				return t
			} else if known {
				return f
			}
		}
		w.code = append(w.code, instr{op: opFor(&c.load), off: c.load.off, base: c.load.base, mask: c.mask, lo: c.lo, span: c.hi - c.lo,
			yes: w.thread(c, t, true), no: w.thread(c, f, false), c: c})
	case cRel:
		w.code = append(w.code, instr{op: opRel, yes: t, no: f, c: c})
	case cChain:
		w.code = append(w.code, instr{op: opChain, yes: t, no: f, c: c})
	case cFunc:
		w.code = append(w.code, instr{op: opFunc, yes: t, no: f, c: c})
	}
	return int32(len(w.code) - 1)
}

func opFor(l *load) op {
	switch {
	case l.place == fromLayer:
		return opLayer
	case l.leaves:
		return opLoad
	case l.place == fromStart && l.size == 1:
		return opByte
	case l.place == fromStart && l.size == 2:
		return opHalf
	case l.place == fromStart && l.size == 4:
		return opWord
	case l.place == fromIPv4End && l.size == 2:
		return opHalf4
	}
	return opLoad
}

// thread skips tests at target whose answer follows from c having come out as held:
// what is IPv4 need not be asked whether it is IPv6. The load has been done, so no
// match is lost or won by it.
func (w *writer) thread(c *cond, target int32, held bool) int32 {
	for target > yes {
		in := &w.code[target]
		if in.c.op != cTest || in.c.load != c.load || in.c.mask != c.mask {
			break
		}
		apart := in.c.hi < c.lo || in.c.lo > c.hi
		inside := c.lo >= in.c.lo && c.hi <= in.c.hi
		contains := in.c.lo >= c.lo && in.c.hi <= c.hi
		switch {
		case held && inside:
			target = in.yes
		case held && apart, !held && contains:
			target = in.no
		default:
			return target
		}
	}
	return target
}

// run decides about p.
func (pr *program) run(p *packet.Packet) bool {
	b := p.Frame()
	at := pr.start
	for at > yes {
		in := &pr.code[at]
		var v uint32
		switch in.op {
		case opByte:
			if uint64(in.off) >= uint64(len(b)) {
				return false
			}
			v = uint32(b[in.off])
		case opHalf:
			if uint64(in.off)+2 > uint64(len(b)) {
				return false
			}
			v = uint32(binary.BigEndian.Uint16(b[in.off:]))
		case opWord:
			if uint64(in.off)+4 > uint64(len(b)) {
				return false
			}
			v = binary.BigEndian.Uint32(b[in.off:])
		case opHalf4:
			if uint64(in.base) >= uint64(len(b)) {
				return false
			}
			off := uint64(in.base) + uint64(b[in.base]&15)*4 + uint64(in.off)
			if off+2 > uint64(len(b)) {
				return false
			}
			v = uint32(binary.BigEndian.Uint16(b[off:]))
		default:
			var ok bool
			if at, ok = in.rare(p, b); !ok {
				return false
			}
			continue
		}
		if v&in.mask-in.lo <= in.span {
			at = in.yes
		} else {
			at = in.no
		}
	}
	return at == yes
}

// rare runs what is not worth a place in the loop; ok is false where the filter
// ends because bytes are not there.
func (in *instr) rare(p *packet.Packet, b []byte) (next int32, ok bool) {
	var holds bool
	switch in.op {
	case opRel:
		holds, ok = in.c.rel.match(p, b)
	case opChain:
		holds, ok = in.c.chain.match(p, b)
	case opFunc:
		holds, ok = in.c.fn(p), true
	default:
		var v uint32
		v, ok = in.c.load.read(p, b)
		holds = ok && v&in.mask-in.lo <= in.span
		ok = ok || in.op == opLayer
	}
	if holds {
		return in.yes, ok
	}
	return in.no, ok
}
