package filter

import (
	"slices"

	"github.com/tunscript/tunscript/engine/packet"
)

// A Set holds filters that come and go, each with a value, and finds which of them
// match a packet without asking them one by one, the longest in the set first: what
// an [Index] is for handlers, for what waits for a packet once. Adding one costs a
// look at its few anchors, removing one a binary search in each of its lists, however
// many there are.
//
// The zero Set is empty. It belongs to one goroutine.
type Set[V any] struct {
	all    list[V]    // everyone
	by     [2]hung[V] // by packet.LinkType
	last   uint64     // the place that was given out last
	always [2]list[V] // by packet.LinkType: those without an anchor that is asked for
	spare  []*list[V] // lists that nobody is in
}

// An Entry is a filter's membership in a Set.
type Entry[V any] struct {
	Value  V
	filter *Filter
	place  uint64 // ascending in the order of Add; 0 when it is in no set
	under  [2][]anchor
	hangs  [2]bool // by packet.LinkType: it hangs under these; else it is always asked
}

// hung are the entries of one link type that hang under anchors.
type hung[V any] struct {
	probes []*probing
	lists  map[answer]*list[V]
}

// An answer is what a packet may say to a probe.
type answer struct {
	probe *probing
	value uint32
}

// probing is a probe and how many anchors of entries need it.
type probing struct {
	question
	users int
}

// Len is how many are in the set.
func (s *Set[V]) Len() int { return s.all.live }

// Add puts f into the set, behind all others; a nil f matches everything.
func (s *Set[V]) Add(f *Filter, v V) *Entry[V] {
	if f == nil {
		f = anything
	}
	s.last++
	e := &Entry[V]{Value: v, filter: f, place: s.last}
	s.all.add(e)
	for link := range s.by {
		h := &s.by[link]
		e.under[link], e.hangs[link] = h.choose(f.by[link].anchors)
		if !e.hangs[link] {
			s.always[link].add(e)
		}
		for _, a := range e.under[link] {
			h.hang(a, e, s)
		}
	}
	return e
}

// Remove takes e out; one that is not in the set any more is left alone.
func (s *Set[V]) Remove(e *Entry[V]) {
	if e == nil || e.place == 0 {
		return
	}
	s.all.remove(e.place)
	for link := range s.by {
		if !e.hangs[link] {
			s.always[link].remove(e.place)
		}
		for _, a := range e.under[link] {
			s.by[link].drop(a, e, s)
		}
	}
	e.place = 0
}

// Last is the place of who came last: with it as the bound of [Set.Next], those
// that are added meanwhile are not found.
func (s *Set[V]) Last() uint64 { return s.last }

// Next is the longest in the set of those behind the place after, and not behind
// the place last, that match p as it is now, or nil. Where it stands is its place
// for the next call: the set may change in between. It allocates nothing.
func (s *Set[V]) Next(p *packet.Packet, after, last uint64) (e *Entry[V], at uint64) {
	if p == nil {
		return nil, 0
	}
	if s.all.live <= few {
		for i := s.all.behind(after); i < len(s.all.items); i++ {
			if e, done := s.all.items[i].asked(p, last); e != nil || done {
				return e, placeOf(e)
			}
		}
		return nil, 0
	}
	var lists [maxHits + 1]*list[V]
	link := p.Link() & 1
	lists[0] = &s.always[link]
	n := 1
	b := p.Frame()
	h := &s.by[link]
	for _, pr := range h.probes {
		v, ok := pr.answer(p, b)
		if !ok {
			continue
		}
		if l := h.lists[answer{pr, v & pr.mask}]; l != nil {
			if n == len(lists) { // nearly everything asks for it: ask everyone
				lists[0], n = &s.all, 1
				break
			}
			lists[n] = l
			n++
		}
	}
	e = first(lists[:n], p, after, last)
	return e, placeOf(e)
}

func placeOf[V any](e *Entry[V]) uint64 {
	if e == nil {
		return 0
	}
	return e.place
}

// first merges the lists, each ascending, and asks one after the other.
func first[V any](lists []*list[V], p *packet.Packet, after, last uint64) *Entry[V] {
	var at [maxHits + 1]int
	for i, l := range lists {
		at[i] = l.behind(after)
	}
	for {
		// The smallest of the heads, taken off wherever it stands.
		var next item[V]
		for i, l := range lists {
			if at[i] < len(l.items) && (next.place == 0 || l.items[at[i]].place < next.place) {
				next = l.items[at[i]]
			}
		}
		if next.place == 0 {
			return nil
		}
		for i, l := range lists {
			if at[i] < len(l.items) && l.items[at[i]].place == next.place {
				at[i]++
			}
		}
		if e, done := next.asked(p, last); e != nil || done {
			return e
		}
	}
}

// choose takes, of an entry's sets of anchors, the one whose lists are shortest now,
// the sharpest of equals: of "tcp port 80 and host A" the address, if others wait for
// that port already. ok is false if none can be used.
func (h *hung[V]) choose(sets [][]anchor) (best []anchor, ok bool) {
	least := -1
	for _, set := range sets {
		longest, fresh := 0, 0
		for _, a := range set {
			pr := h.find(a.probe)
			if pr == nil {
				fresh++
			} else if l := h.lists[answer{pr, a.value}]; l != nil {
				longest = max(longest, l.live)
			}
			if a.common { // others will come
				longest = max(longest, few)
			}
		}
		if len(h.probes)+fresh > maxProbes {
			continue
		}
		if least < 0 || longest < least {
			best, least = set, longest
		}
	}
	return best, least >= 0
}

func (h *hung[V]) find(p probe) *probing {
	if i := slices.IndexFunc(h.probes, func(pr *probing) bool { return pr.probe == p }); i >= 0 {
		return h.probes[i]
	}
	return nil
}

func (h *hung[V]) hang(a anchor, e *Entry[V], s *Set[V]) {
	pr := h.find(a.probe)
	if pr == nil {
		pr = &probing{question: question{a.probe, opFor(&a.probe.load) == opHalf4}}
		h.probes = append(h.probes, pr)
	}
	pr.users++
	if h.lists == nil {
		h.lists = map[answer]*list[V]{}
	}
	k := answer{pr, a.value}
	l := h.lists[k]
	if l == nil {
		l = s.newList()
		h.lists[k] = l
	}
	l.add(e)
}

func (h *hung[V]) drop(a anchor, e *Entry[V], s *Set[V]) {
	pr := h.find(a.probe)
	k := answer{pr, a.value}
	if l := h.lists[k]; l != nil { // nil: the same anchor stood twice
		l.remove(e.place)
		if l.live == 0 {
			delete(h.lists, k)
			s.keep(l)
		}
	}
	if pr.users--; pr.users == 0 {
		h.probes = slices.DeleteFunc(h.probes, func(o *probing) bool { return o == pr })
	}
}

// maxSpareLists bounds the empty lists that are kept for those who come next.
const maxSpareLists = 64

func (s *Set[V]) newList() *list[V] {
	if n := len(s.spare); n > 0 {
		l := s.spare[n-1]
		s.spare = s.spare[:n-1]
		return l
	}
	return new(list[V])
}

func (s *Set[V]) keep(l *list[V]) {
	if len(s.spare) < maxSpareLists && cap(l.items) <= few {
		s.spare = append(s.spare, l)
	}
}
