package filter

import (
	"cmp"
	"slices"

	"github.com/tunscript/tunscript/engine/packet"
)

// A list holds entries in the order of their places. Those that were removed leave
// a hole, and holes go when there are more of them than of entries.
type list[V any] struct {
	items []item[V]
	live  int
}

type item[V any] struct {
	place uint64
	e     *Entry[V] // nil: a hole
}

// asked is the entry if it matches; done is set behind the place last.
func (it item[V]) asked(p *packet.Packet, last uint64) (e *Entry[V], done bool) {
	switch {
	case it.place > last:
		return nil, true
	case it.e != nil && it.e.filter.Match(p):
		return it.e, true
	}
	return nil, false
}

func (l *list[V]) add(e *Entry[V]) {
	if n := len(l.items); n > 0 && l.items[n-1].place == e.place {
		return // two anchors with the same list
	}
	l.items = append(l.items, item[V]{e.place, e})
	l.live++
}

// behind is where the first item with a place above after stands.
func (l *list[V]) behind(after uint64) int {
	if len(l.items) == 0 || l.items[0].place > after {
		return 0
	}
	i, _ := slices.BinarySearchFunc(l.items, after+1, func(it item[V], place uint64) int { return cmp.Compare(it.place, place) })
	return i
}

func (l *list[V]) remove(place uint64) {
	i := l.behind(place - 1)
	if i == len(l.items) || l.items[i].e == nil || l.items[i].place != place {
		return
	}
	l.items[i].e = nil
	l.live--
	if l.live == 0 {
		l.items = l.items[:0]
		return
	}
	for l.items[0].e == nil { // the longest go first, mostly
		l.items = l.items[1:]
	}
	if len(l.items) > 2*l.live+few {
		l.items = slices.DeleteFunc(l.items, func(it item[V]) bool { return it.e == nil })
	}
}
