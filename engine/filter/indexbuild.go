package filter

import (
	"maps"
	"math/bits"
	"slices"
)

// newTable makes the table for one link type.
func newTable(all []*compiled) table {
	sets := choose(all)
	keep := popular(sets)

	var t table
	number := map[probe]int{}
	byKey := map[uint64][]int32{}
	answers := map[uint64]anchor{}
	for i, set := range sets {
		if set == nil || slices.ContainsFunc(set, func(a anchor) bool { return !keep[a.probe] }) {
			t.always = append(t.always, int32(i))
			continue
		}
		for _, a := range set {
			n, ok := number[a.probe]
			if !ok {
				n = len(t.probes)
				number[a.probe] = n
				t.probes = append(t.probes, question{a.probe, opFor(&a.probe.load) == opHalf4})
			}
			k := key(n, a.value)
			answers[k] = a
			if l := byKey[k]; len(l) == 0 || l[len(l)-1] != int32(i) {
				byKey[k] = append(l, int32(i))
			}
		}
	}

	log := bits.Len(uint(2*len(byKey) + 1)) // at most half full
	t.slots, t.shift = make([]slot, 1<<log), uint8(64-log)
	for _, k := range slices.Sorted(maps.Keys(byKey)) {
		start := uint32(len(t.lists))
		t.lists = append(t.lists, byKey[k]...)
		for _, i := range byKey[k] {
			t.left = append(t.left, flatten(left(all[i].cond, answers[k])))
		}
		*t.slotFor(k) = slot{k, start, uint32(len(t.lists))}
	}
	return t
}

// choose takes, of every filter's sets, the one whose answers the fewest filters
// share: of "tcp port 80 and host A" the address, if all have that port.
func choose(all []*compiled) [][]anchor {
	shared := map[anchor]int{}
	for _, c := range all {
		for _, set := range c.anchors {
			for _, a := range set {
				shared[a]++
			}
		}
	}
	chosen := make([][]anchor, len(all))
	for i, c := range all {
		least := 0
		for _, set := range c.anchors {
			most := 0
			for _, a := range set {
				most = max(most, shared[a])
			}
			if chosen[i] == nil || most < least {
				chosen[i], least = set, most
			}
		}
	}
	return chosen
}

// popular are the probes worth asking: those that the most filters need.
func popular(sets [][]anchor) map[probe]bool {
	uses := map[probe]int{}
	var order []probe
	for _, set := range sets {
		seen := map[probe]bool{}
		for _, a := range set {
			if !seen[a.probe] {
				if seen[a.probe] = true; uses[a.probe] == 0 {
					order = append(order, a.probe)
				}
				uses[a.probe]++
			}
		}
	}
	slices.SortStableFunc(order, func(a, b probe) int { return uses[b] - uses[a] })
	keep := map[probe]bool{}
	for _, p := range order[:min(len(order), maxProbes)] {
		keep[p] = true
	}
	return keep
}
