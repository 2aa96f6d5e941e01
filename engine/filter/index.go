package filter

import (
	"slices"

	"github.com/tunscript/tunscript/engine/packet"
)

// An Index finds which of many filters match a packet without asking them one by
// one. It is read only, so any number of goroutines may use it.
//
// Most filters cannot match unless the packet says one particular thing somewhere: a
// port, an address, a type. The index asks the packet each such question once, looks
// the answer up in a hash table, and runs only the filters that hang under it and
// those without such a condition. Which of its conditions a filter hangs under is
// chosen so that the lists are short.
type Index struct {
	filters []*Filter
	by      [2]table // by packet.LinkType
}

// A table is the index for one link type.
type table struct {
	ethernet bool

	probes []question
	slots  []slot    // hash table with open addressing; a length that is a power of 2
	shift  uint8     // 64 - log2(len(slots))
	lists  []int32   // numbers of filters, list by list, each ascending
	left   []program // for each of lists, what is left to ask after the answer
	always []int32   // the filters without an anchor
}

// A question is a probe as it is asked.
type question struct {
	probe
	port bool // two bytes behind an IPv4 header, as they are
}

type slot struct {
	key        uint64
	start, end uint32 // in lists; an empty slot has none
}

const (
	maxProbes = 24 // questions to a packet; filters that would need more are asked always
	maxHits   = 8  // lists found for one packet; with more, every filter is asked

	few = 4 // so many filters are asked one by one
)

// NewIndex makes an index over fs, in that order. A nil filter matches everything.
// It takes about a microsecond for each of fs.
func NewIndex(fs []*Filter) *Index {
	ix := &Index{filters: slices.Clone(fs)}
	if len(fs) <= few {
		return ix
	}
	for link := range ix.by {
		all := make([]*compiled, len(fs))
		for i, f := range fs {
			if f == nil {
				f = anything
			}
			all[i] = &f.by[link]
		}
		ix.by[link] = newTable(all)
		ix.by[link].ethernet = packet.LinkType(link) == packet.Ethernet
	}
	return ix
}

// Next returns the smallest i >= from whose filter matches p as it is now, or -1 if
// there is none. It allocates nothing.
func (ix *Index) Next(p *packet.Packet, from int) int {
	from = max(from, 0)
	if from >= len(ix.filters) || p == nil {
		return -1
	}
	if len(ix.filters) <= few {
		return ix.linear(p, from)
	}
	t := &ix.by[p.Link()&1]
	b := p.Frame()
	typ := t.typeOf(b)
	var found *slot // the one list there is, mostly
	for i := range t.probes {
		q := &t.probes[i]
		if q.typed && q.typ != typ {
			continue
		}
		v, ok := q.answer(p, b)
		if !ok {
			continue
		}
		if s := t.under(key(i, v&q.mask)); s != nil {
			if found != nil || len(t.always) > 0 {
				return ix.merge(t, p, b, from)
			}
			found = s
		}
	}
	if found == nil {
		for _, i := range behind(t.always, from) {
			if ix.filters[i].Match(p) {
				return int(i)
			}
		}
		return -1
	}
	for at := found.start; at < found.end; at++ {
		if i := int(t.lists[at]); i >= from && t.left[at].run(p) {
			return i
		}
	}
	return -1
}

// merge is Next for a packet that several lists are found for.
func (ix *Index) merge(t *table, p *packet.Packet, b []byte, from int) int {
	var lists [maxHits][]int32
	lists[0] = behind(t.always, from)
	n := 1
	typ := t.typeOf(b)
	for i := range t.probes {
		q := &t.probes[i]
		if q.typed && q.typ != typ {
			continue
		}
		v, ok := q.answer(p, b)
		if !ok {
			continue
		}
		if s := t.under(key(i, v&q.mask)); s != nil {
			if n == maxHits {
				return ix.linear(p, from)
			}
			lists[n] = behind(t.lists[s.start:s.end], from)
			n++
		}
	}
	for {
		// The smallest of the heads, taken off wherever it stands.
		next := int32(-1)
		for _, l := range lists[:n] {
			if len(l) > 0 && (next < 0 || l[0] < next) {
				next = l[0]
			}
		}
		if next < 0 || ix.filters[next].Match(p) {
			return int(next)
		}
		for i, l := range lists[:n] {
			if len(l) > 0 && l[0] == next {
				lists[i] = l[1:]
			}
		}
	}
}

func (ix *Index) linear(p *packet.Packet, from int) int {
	for i := from; i < len(ix.filters); i++ {
		if ix.filters[i].Match(p) {
			return i
		}
	}
	return -1
}

// behind is the part of an ascending list that is not before from.
func behind(l []int32, from int) []int32 {
	if len(l) == 0 || int(l[0]) >= from {
		return l
	}
	i, _ := slices.BinarySearchFunc(l, from, func(v int32, from int) int { return int(v) - from })
	return l[i:]
}

// answer is what p says to the probe, under its mask; false if nothing.
func (q *question) answer(p *packet.Packet, b []byte) (uint32, bool) {
	if q.port { // the commonest probe by far, without a call
		if uint64(q.load.base) < uint64(len(b)) {
			off := uint64(q.load.base) + uint64(b[q.load.base]&15)*4 + uint64(q.load.off)
			if off+1 < uint64(len(b)) {
				return uint32(b[off])<<8 | uint32(b[off+1]), true
			}
		}
		return 0, false
	}
	return q.load.read(p, b)
}

// under is the list of filters that hang under the answer k, or nil.
func (t *table) under(k uint64) *slot {
	for at := k * golden >> t.shift; ; at++ {
		switch s := &t.slots[at&uint64(len(t.slots)-1)]; s.key {
		case k:
			return s
		case 0:
			return nil
		}
	}
}

// typeOf is what the test for a network protocol looks at, or what no such test is
// for where the frame is too short.
func (t *table) typeOf(b []byte) uint32 {
	switch {
	case t.ethernet && len(b) >= ethHeader:
		return uint32(b[12])<<8 | uint32(b[13])
	case !t.ethernet && len(b) > 0:
		return uint32(b[0] & 0xf0)
	}
	return 0xffffffff
}

// key of the answer v to a probe.
func key(probe int, v uint32) uint64 { return uint64(probe+1)<<32 | uint64(v) }

// golden is 2^64 divided by the golden ratio: multiplying by it spreads ports and
// addresses in a row well (Knuth, The Art of Computer Programming, 6.4).
const golden = 0x9e3779b97f4a7c15
