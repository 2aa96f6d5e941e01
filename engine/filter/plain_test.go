package filter

import (
	"math/rand/v2"
	"testing"

	"github.com/tunscript/tunscript/engine/packet"
)

// A verdict of the plain evaluator: ended is a load outside the frame.
type verdict int8

const (
	fails verdict = iota
	holds
	ended
)

// plain is what a condition means, read off the tree; the program that runs must
// say the same.
func plain(c *cond, p *packet.Packet, b []byte) verdict {
	yes, ok := false, true
	switch c.op {
	case cTrue:
		return holds
	case cAnd:
		if v := plain(c.a, p, b); v != holds {
			return v
		}
		return plain(c.b, p, b)
	case cOr:
		if v := plain(c.a, p, b); v != fails {
			return v
		}
		return plain(c.b, p, b)
	case cNot:
		if v := plain(c.a, p, b); v != ended {
			return holds - v
		}
		return ended
	case cTest:
		var v uint32
		v, ok = c.load.read(p, b)
		yes = ok && v&c.mask >= c.lo && v&c.mask <= c.hi
		ok = ok || c.load.place == fromLayer
	case cRel:
		yes, ok = c.rel.match(p, b)
	case cChain:
		yes, ok = c.chain.match(p, b)
	case cFunc:
		yes = c.fn(p)
	}
	switch {
	case !ok:
		return ended
	case yes:
		return holds
	}
	return fails
}

func TestProgramAsPlain(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	packets := corpusPackets(t, r, 500)
	var fs []*Filter
	for range 400 {
		if f, err := Compile(grammar{r}.expr(3)); err == nil {
			fs = append(fs, f)
		}
		fs = append(fs, built(r, 3))
	}
	matched := 0
	for _, f := range fs {
		for _, p := range packets {
			want := plain(f.by[p.Link()].cond, p, p.Frame()) == holds
			if got := f.Match(p); got != want {
				t.Fatalf("%s: got %v, plainly %v, for % x", f, got, want, p.Frame())
			}
			if want {
				matched++
			}
		}
	}
	if matched < len(packets) {
		t.Errorf("only %d matches: this says little", matched)
	}
}

// closures is the other way to compile: a function that calls functions.
func closures(c *cond) func(p *packet.Packet, b []byte) verdict {
	switch c.op {
	case cAnd:
		x, y := closures(c.a), closures(c.b)
		return func(p *packet.Packet, b []byte) verdict {
			if v := x(p, b); v != holds {
				return v
			}
			return y(p, b)
		}
	case cOr:
		x, y := closures(c.a), closures(c.b)
		return func(p *packet.Packet, b []byte) verdict {
			if v := x(p, b); v != fails {
				return v
			}
			return y(p, b)
		}
	case cTest:
		off, mask, lo, span := int(c.load.off), c.mask, c.lo, c.hi-c.lo
		if c.load.place == fromStart && c.load.size == 1 {
			return func(_ *packet.Packet, b []byte) verdict {
				switch {
				case off >= len(b):
					return ended
				case uint32(b[off])&mask-lo <= span:
					return holds
				}
				return fails
			}
		}
	}
	return func(p *packet.Packet, b []byte) verdict { return plain(c, p, b) }
}

// Three ways to run the same conditions; the flat program is the one in use.
func BenchmarkForms(b *testing.B) {
	p := udpTo(b, 80)
	for _, text := range []string{"udp", "udp dst port 80", "icmp or tcp or igmp or udp"} {
		f := compile(b, text)
		c := f.by[packet.IP].cond
		b.Run(text+"/program", func(b *testing.B) {
			for b.Loop() {
				f.Match(p)
			}
		})
		fn := closures(c)
		b.Run(text+"/closures", func(b *testing.B) {
			for b.Loop() {
				fn(p, p.Frame())
			}
		})
		b.Run(text+"/tree", func(b *testing.B) {
			for b.Loop() {
				plain(c, p, p.Frame())
			}
		})
	}
}
