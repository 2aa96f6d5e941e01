package flow

import "time"

// An entry is one flow. It has no pointers, and names others by their number in
// the slab; number 0 is nobody.
type entry struct {
	key          [2]tuple // how packets come in, forward and back
	next         [2]uint32
	older, newer uint32 // in its list; newer leads through the free ones
	seen         time.Duration
	gen          uint32 // odd while the flow lives
	shares       uint32 // the first of what programs keep
	born         uint32 // seconds, so that an entry is two cache lines
	way          [2]int16
	set          [2]fields // what is rewritten in packets of each direction, said or undone
	held         [2]bool   // the index has the key
	state        state
	list         uint8
	acts         acts // of all programs
}

// slabSize is how many entries are allocated at once: few, for most tables stay
// small.
const slabSize = 256

type slab[T any] struct {
	parts []*[slabSize]T
	used  uint32 // numbers given out so far, 0 included
}

func (s *slab[T]) at(i uint32) *T { return &s.parts[i/slabSize][i%slabSize] }

// more is a number that was never used.
func (s *slab[T]) more() uint32 {
	if s.used == 0 {
		s.used = 1
	}
	i := s.used
	for int(i/slabSize) >= len(s.parts) {
		s.parts = append(s.parts, new([slabSize]T))
	}
	s.used++
	return i
}

func (t *Table) entry(i uint32) *entry { return t.entries.at(i) }

// alloc is the number of a free entry, all zero but for its gen.
func (t *Table) alloc() uint32 {
	i := t.free
	if i == 0 {
		i = t.entries.more()
	} else {
		t.free = t.entry(i).newer
	}
	e := t.entry(i)
	*e = entry{gen: e.gen + 1, way: [2]int16{NoWay, NoWay}}
	return i
}

func (t *Table) release(i uint32) {
	e := t.entry(i)
	*e = entry{gen: e.gen + 1, newer: t.free}
	t.free = i
}
