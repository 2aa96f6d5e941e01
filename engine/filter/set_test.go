package filter

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tunscript/tunscript/engine/packet"
)

// members is the plain meaning of a Set: entries in the order of Add.
type members []*Entry[int]

func (m members) next(p *packet.Packet, after, last uint64) *Entry[int] {
	for _, e := range m {
		if e.place > after && e.place <= last && e.filter.Match(p) {
			return e
		}
	}
	return nil
}

// Whatever comes and goes, the set answers as if everyone were asked in order.
func TestSetAsLinear(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	packets := corpusPackets(t, r, 200)
	picked := expressions(t)
	some := func() *Filter {
		switch n := r.IntN(20); {
		case n == 0:
			return nil
		case n < 4:
			return compile(t, pick(r, picked))
		case n < 8:
			return built(r, 2)
		}
		return And(Field(pick(r, []Layer{TCP, UDP}), pick(r, []int{0, 2}), 2, 0xffff, uint32(pick(r, ports))), built(r, 0))
	}
	var s Set[int]
	var plain members
	found := 0
	for round := range 3000 {
		most := 300
		if round/500%2 == 1 {
			most = 6 // grows and shrinks
		}
		if len(plain) < most && r.IntN(3) > 0 {
			plain = append(plain, s.Add(some(), round))
		} else if len(plain) > 0 {
			i := r.IntN(len(plain))
			if r.IntN(2) == 0 {
				i = 0
			}
			s.Remove(plain[i])
			s.Remove(plain[i])
			plain = slices.Delete(plain, i, i+1)
		}
		if s.Len() != len(plain) {
			t.Fatalf("round %d: %d are in the set, want %d", round, s.Len(), len(plain))
		}
		p := pick(r, packets)
		last := s.Last()
		if r.IntN(4) == 0 {
			last -= uint64(r.IntN(20))
		}
		for after := uint64(0); ; {
			want := plain.next(p, after, last)
			got, at := s.Next(p, after, last)
			if got != want {
				t.Fatalf("round %d, after %d: got %v, want %v, for % x", round, after, got, want, p.Frame())
			}
			if got == nil {
				break
			}
			after = at
			found++
		}
	}
	if found < 3000 {
		t.Errorf("only %d were found: this says little", found)
	}
	for _, e := range plain {
		s.Remove(e)
	}
	for link := range s.by {
		if h := &s.by[link]; len(h.probes) > 0 || len(h.lists) > 0 || s.always[link].live > 0 {
			t.Errorf("an empty set has %d probes, %d lists, %d asked always", len(h.probes), len(h.lists), s.always[link].live)
		}
	}
}

// waitsFor is what a task says that waits for a segment of one connection.
func waitsFor(i int) *Filter {
	return And(Field(TCP, 0, 2, 0xffff, uint32(1024+i)), Field(TCP, 2, 2, 0xffff, 80), Field(TCP, 13, 1, 0x10, 0x10))
}

// An entry hangs where few others do, so a packet meets few.
func TestSetAsksFew(t *testing.T) {
	for _, tt := range []struct {
		name string
		f    func(i int) *Filter
	}{
		{"one port, many sources", waitsFor},
		{"the other way round", func(i int) *Filter {
			return And(Field(TCP, 0, 2, 0xffff, 80), Field(TCP, 2, 2, 0xffff, uint32(1024+i)))
		}},
		{"text", func(i int) *Filter { return compile(t, fmt.Sprintf("tcp port 80 and host 192.0.%d.%d", i/256, i%256)) }},
		{"acknowledgements", func(i int) *Filter { return And(Field(TCP, 2, 2, 0xffff, 80), Field(TCP, 8, 4, 0xffffffff, uint32(i))) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s Set[int]
			for i := range 1000 {
				s.Add(tt.f(i), i)
			}
			longest := 0
			for _, l := range s.by[packet.IP].lists {
				longest = max(longest, l.live)
			}
			if s.always[packet.IP].live > 0 || longest > few+2 {
				t.Errorf("%d are always asked, the longest list has %d", s.always[packet.IP].live, longest)
			}
		})
	}
}

func TestSetAllocatesNothingToAsk(t *testing.T) {
	var s Set[int]
	for i := range 100 {
		s.Add(waitsFor(i), i)
	}
	s.Add(nil, 100)
	p := udpTo(t, 80)
	if n := testing.AllocsPerRun(10, func() { s.Next(p, 0, s.Last()) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
