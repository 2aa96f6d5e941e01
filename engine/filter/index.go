package filter

import "github.com/tunscript/tunscript/engine/packet"

// An Index finds which of many filters match a packet without asking them one by
// one. It is read only, so any number of goroutines may use it.
type Index struct {
	filters []*Filter
}

// NewIndex makes an index over fs, in that order. A nil filter matches
// everything.
func NewIndex(fs []*Filter) *Index { return &Index{filters: fs} }

// Next returns the smallest i >= from whose filter matches p as it is now, or
// -1 if there is none.
func (ix *Index) Next(p *packet.Packet, from int) int {
	for i := max(from, 0); i < len(ix.filters); i++ {
		if ix.filters[i] == nil || ix.filters[i].Match(p) {
			return i
		}
	}
	return -1
}
