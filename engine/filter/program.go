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

// flatten makes a program of c, back to front, so that every jump's target is
// already there.
func flatten(c *cond) program {
	p := program{code: make([]instr, 2, 16)}
	p.start = p.add(c, yes, no)
	p.code = slices.Clone(p.code) // without the room to grow
	return p
}

// add appends the code of c, to go on at t or f, and returns where it begins.
func (pr *program) add(c *cond, t, f int32) int32 {
	in := instr{yes: t, no: f, c: c}
	switch c.op {
	case cTrue:
		return t
	case cFalse:
		return f
	case cNot:
		return pr.add(c.a, f, t)
	case cAnd:
		return pr.add(c.a, pr.add(c.b, t, f), f)
	case cOr:
		return pr.add(c.a, t, pr.add(c.b, t, f))
	case cTest:
		in.off, in.base, in.mask, in.lo, in.span = c.load.off, c.load.base, c.mask, c.lo, c.hi-c.lo
		in.op = opFor(&c.load)
		in.yes, in.no = pr.thread(c, t, true), pr.thread(c, f, false)
	case cRel:
		in.op = opRel
	case cChain:
		in.op = opChain
	case cFunc:
		in.op = opFunc
	}
	pr.code = append(pr.code, in)
	return int32(len(pr.code) - 1)
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
func (pr *program) thread(c *cond, target int32, held bool) int32 {
	for target > yes {
		in := &pr.code[target]
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
