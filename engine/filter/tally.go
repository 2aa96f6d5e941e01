package filter

import "math/bits"

// A tally counts keys other than 0, in a hash table like the index's own.
type tally struct {
	slots []tallied
	shift uint8
}

type tallied struct {
	key uint64
	n   int32
}

// newTally makes one for up to n keys.
func newTally(n int) tally {
	log := bits.Len(uint(2*n + 1))
	return tally{make([]tallied, 1<<log), uint8(64 - log)}
}

// of is the count of k.
func (t *tally) of(k uint64) *int32 {
	for at := k * golden >> t.shift; ; at++ {
		s := &t.slots[at&uint64(len(t.slots)-1)]
		if s.key == 0 {
			s.key = k
		}
		if s.key == k {
			return &s.n
		}
	}
}

// probeNames gives probes numbers. Most tables have a handful, which are found by
// looking.
type probeNames struct {
	list []probe
	last int
	many map[probe]int // once there are more than a handful
}

const handful = 8

func (ns *probeNames) of(p *probe) int {
	if ns.last < len(ns.list) && ns.list[ns.last] == *p {
		return ns.last
	}
	ns.last = ns.find(p)
	return ns.last
}

func (ns *probeNames) find(p *probe) int {
	if ns.many != nil {
		if i, ok := ns.many[*p]; ok {
			return i
		}
	} else {
		for i := range ns.list {
			if ns.list[i] == *p {
				return i
			}
		}
	}
	ns.list = append(ns.list, *p)
	if ns.many == nil && len(ns.list) > handful {
		ns.many = map[probe]int{}
		for i, q := range ns.list {
			ns.many[q] = i
		}
	} else if ns.many != nil {
		ns.many[*p] = len(ns.list) - 1
	}
	return len(ns.list) - 1
}
