package filter

import (
	"math/bits"
	"slices"
)

// newTable makes the table for one link type. It is made anew whenever a handler comes
// or goes, so it takes its time for the odd filter only: what most filters need is
// counted in flat tables, without an allocation of their own.
func newTable(all []*compiled) table {
	b := tableBuilder{all: all}
	b.choose()
	b.keepPopular()
	return b.table()
}

// A tableBuilder is a table in the making.
type tableBuilder struct {
	all    []*compiled
	chosen [][]anchor // for each filter the set that it hangs under, or nil
	names  probeNames
}

// crowd is how many filters may share the answer that one hangs under before it
// looks for another.
const crowd = 2

// choose takes, of every filter's sets, the one whose answers the fewest filters
// share: of "tcp port 80 and host A" the address, if all have that port. The first
// set is the sharpest, and mostly few share it; the others are counted only if not.
func (b *tableBuilder) choose() {
	b.chosen = make([][]anchor, len(b.all))
	n := 0
	for i, c := range b.all {
		if len(c.anchors) > 0 {
			b.chosen[i] = c.anchors[0]
			n += len(c.anchors[0])
		}
	}
	shared := newTally(n)
	for _, set := range b.chosen {
		b.count(&shared, set)
	}
	var crowded []int
	n = 0
	for i, c := range b.all {
		if len(c.anchors) > 1 && b.most(&shared, c.anchors[0]) > crowd {
			crowded = append(crowded, i)
			for _, set := range c.anchors {
				n += len(set)
			}
		}
	}
	if crowded == nil {
		return
	}
	shared = newTally(n)
	for _, i := range crowded {
		for _, set := range b.all[i].anchors {
			b.count(&shared, set)
		}
	}
	for _, i := range crowded {
		least := -1
		for _, set := range b.all[i].anchors {
			if most := b.most(&shared, set); least < 0 || most < least {
				b.chosen[i], least = set, most
			}
		}
	}
}

func (b *tableBuilder) count(t *tally, set []anchor) {
	for i := range set {
		*t.of(b.key(&set[i]))++
	}
}

// most is how many filters share the commonest answer of a set.
func (b *tableBuilder) most(t *tally, set []anchor) int {
	most := int32(0)
	for i := range set {
		most = max(most, *t.of(b.key(&set[i])))
	}
	return int(most)
}

func (b *tableBuilder) key(a *anchor) uint64 { return key(b.names.of(&a.probe), a.value) }

// keepPopular leaves the probes worth asking, those that the most filters need, and
// unties the filters that would need others.
func (b *tableBuilder) keepPopular() {
	uses := make([]int, len(b.names.list))
	seen := make([]int, len(b.names.list)) // the last filter, from 1
	for i, set := range b.chosen {
		for j := range set {
			if n := b.names.of(&set[j].probe); seen[n] != i+1 {
				seen[n] = i + 1
				uses[n]++
			}
		}
	}
	order := make([]int, len(uses))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(x, y int) int { return uses[y] - uses[x] })
	dropped := map[int]bool{}
	for i, n := range order {
		if i >= maxProbes {
			dropped[n] = true
		}
	}
	if len(dropped) == 0 {
		return
	}
	for i, set := range b.chosen {
		if slices.ContainsFunc(set, func(a anchor) bool { return dropped[b.names.of(&a.probe)] }) {
			b.chosen[i] = nil
		}
	}
}

// An entry says that a filter is to be asked when a packet gives an answer.
type entry struct {
	key    uint64
	filter int32
	anchor *anchor
}

// table lays it all out.
func (b *tableBuilder) table() table {
	var t table
	n := 0
	for _, set := range b.chosen {
		n += len(set)
	}
	entries := make([]entry, 0, n)
	number := make([]int, len(b.names.list)) // of a probe in t.probes, from 1
	for i, set := range b.chosen {
		if set == nil {
			t.always = append(t.always, int32(i))
			continue
		}
		for j := range set {
			a := &set[j]
			n := &number[b.names.of(&a.probe)]
			if *n == 0 {
				t.probes = append(t.probes, question{a.probe, opFor(&a.probe.load) == opHalf4})
				*n = len(t.probes)
			}
			entries = append(entries, entry{key(*n-1, a.value), int32(i), a})
		}
	}

	log := bits.Len(uint(2*len(entries) + 1)) // at most half full
	t.slots, t.shift = make([]slot, 1<<log), uint8(64-log)
	last := make([]int32, len(t.slots)) // the last filter under a slot, from 1
	order := make([]int, 0, len(entries))
	n = 0
	for _, e := range entries {
		at := t.find(e.key)
		if last[at] == 0 {
			t.slots[at].key = e.key
			order = append(order, at)
		}
		if last[at] == e.filter+1 { // a set may say the same twice
			continue
		}
		last[at] = e.filter + 1
		t.slots[at].end++ // how many, for now
		entries[n] = e
		n++
	}
	sum := uint32(0)
	for _, at := range order {
		s := &t.slots[at]
		sum, s.start, s.end = sum+s.end, sum, sum
	}

	t.lists, t.left = make([]int32, n), make([]program, n)
	var w shelf
	for _, e := range entries[:n] {
		s := &t.slots[t.find(e.key)]
		t.lists[s.end] = e.filter
		t.left[s.end] = w.left(b.all[e.filter].cond, e.anchor)
		s.end++
	}
	return t
}

// find is the place of the key k, or where it is to be put.
func (t *table) find(k uint64) int {
	for at := k * golden >> t.shift; ; at++ {
		at &= uint64(len(t.slots) - 1)
		if s := &t.slots[at]; s.key == k || s.key == 0 {
			return int(at)
		}
	}
}

// A shelf holds many small programs side by side. Filters that differ in a port alone
// leave the same to ask once that is known, so a program like one of those before is
// not kept again.
type shelf struct {
	w    writer
	room []instr
	kept [4]program // the last ones
	next int
}

// left is the program of what remains to be asked of c once a packet has given the
// answer a.
func (s *shelf) left(c *cond, a *anchor) program {
	s.w.code, s.w.given = append(s.w.code[:0], instr{}, instr{}), a
	start := s.w.add(c, yes, no)
	n := len(s.w.code)
	for i := range s.w.code {
		if in := &s.w.code[i]; in.op < opLoad {
			in.c = nil // says no more than the instruction does
		}
	}
	for i := range s.kept {
		if k := &s.kept[i]; start == k.start && slices.Equal(s.w.code, k.code) {
			return *k
		}
	}
	if n > cap(s.room)-len(s.room) {
		s.room = make([]instr, 0, max(n, 256))
	}
	at := len(s.room)
	s.room = append(s.room, s.w.code...)
	made := program{s.room[at : at+n : at+n], start}
	s.kept[s.next], s.next = made, (s.next+1)%len(s.kept)
	return made
}
