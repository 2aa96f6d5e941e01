package shared

import "container/heap"

// order is a heap of entries by who goes first: the nearest to its expiry, then the
// one that was set longest ago.
type order []*entry

func (o *order) add(e *entry)    { heap.Push(o, e) }
func (o *order) moved(e *entry)  { heap.Fix(o, e.at) }
func (o *order) remove(e *entry) { heap.Remove(o, e.at) }

func (o order) Len() int { return len(o) }
func (o order) Less(i, j int) bool {
	if o[i].expires != o[j].expires {
		return o[i].expires < o[j].expires
	}
	return o[i].seq < o[j].seq
}

func (o order) Swap(i, j int) {
	o[i], o[j] = o[j], o[i]
	o[i].at, o[j].at = i, j
}

func (o *order) Push(x any) {
	e := x.(*entry)
	e.at = len(*o)
	*o = append(*o, e)
}

func (o *order) Pop() any {
	last := len(*o) - 1
	e := (*o)[last]
	(*o)[last] = nil
	*o, e.at = (*o)[:last], -1
	return e
}
