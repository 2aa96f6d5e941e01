package engine

import (
	"slices"

	"github.com/tunscript/tunscript/engine/filter"
	"github.com/tunscript/tunscript/engine/packet"
)

// A chain is the order in which the packets of one device are decided about: by
// prio, then program as configured, then what the program waits for, then
// registration. It is a list of segments, one per prio and program, each with an
// index over its filters, so that many handlers are not asked one by one.
type chain []*segment

type segment struct {
	scope   *Scope
	prio    int
	rank    int    // the program's place in the configuration
	joins   bool   // fragments are joined in front of it
	waits   *waits // what the program waits for: then the segment has no handlers
	handles []*Handle
	index   *filter.Index // nil when no handler has a filter
}

// next is the first handler from i on that wants p as it now is, or -1.
func (s *segment) next(p *packet.Packet, i int) int {
	switch {
	case s.index != nil:
		return s.index.Next(p, i)
	case i < len(s.handles):
		return i
	}
	return -1
}

// buildChain makes the chain for device from what the scopes have registered.
func buildChain(scopes []*Scope, device int) chain {
	var c chain
	for rank, s := range scopes {
		if !s.sees(device) {
			continue
		}
		if s.waits != nil {
			c = append(c, &segment{scope: s, prio: s.config.Prio, rank: rank, waits: s.waits})
		}
		byPrio := map[int]*segment{}
		for _, h := range s.handles {
			if !h.on || h.device >= 0 && h.device != device {
				continue
			}
			prio := h.h.Prio + s.config.Prio
			if byPrio[prio] == nil {
				byPrio[prio] = &segment{scope: s, prio: prio, rank: rank}
				c = append(c, byPrio[prio])
			}
			byPrio[prio].handles = append(byPrio[prio].handles, h)
		}
	}
	slices.SortStableFunc(c, func(a, b *segment) int {
		if a.prio != b.prio {
			return a.prio - b.prio
		}
		return a.rank - b.rank
	})
	c = c.joinFirst()
	for _, seg := range c {
		filters := make([]*filter.Filter, len(seg.handles))
		some := false
		for i, h := range seg.handles {
			filters[i] = h.filter
			some = some || h.filter != nil
		}
		if !some {
			continue
		}
		seg.index = filter.NewIndex(filters)
	}
	return c
}

// joinFirst puts the joining of fragments in front of the first handler that asks
// for it: its segment begins there.
func (c chain) joinFirst() chain {
	for i, seg := range c {
		k := slices.IndexFunc(seg.handles, func(h *Handle) bool { return h.h.Defrag })
		if k < 0 {
			continue
		}
		rest := *seg
		rest.joins, rest.handles = true, seg.handles[k:]
		seg.handles = seg.handles[:k]
		if k == 0 {
			c[i] = &rest
			return c
		}
		return slices.Insert(c, i+1, &rest)
	}
	return c
}

// decide runs p through the chain until somebody decides. by is who did, nil if
// nobody. The packet decided about is w.hand: joining exchanges it.
//
// It begins at the handler numbered at of the first segment.
func (w *worker) decide(c chain, p *packet.Packet, at int) (v Verdict, by *Handle) {
	for _, seg := range c {
		from := at
		at = 0
		if seg.joins || w.flows.ruled {
			skip, v := w.before(seg)
			if v.kind != pass {
				return v, nil
			}
			if p = w.hand; skip {
				continue
			}
		}
		if seg.waits != nil {
			if t := seg.waits.show(p, w.flows.f, w.flows.found); t != nil {
				return Verdict{kind: take, more: t}, nil
			}
		}
		// The index is asked again after every handler, for p as it now is.
		for i := seg.next(p, from); i >= 0; i = seg.next(p, i+1) {
			h := seg.handles[i]
			if !h.on {
				continue
			}
			v := h.h.Run(p) // what ask does, without a call: 2 ns a handler
			h.stats.packets.add(1)
			if !h.stats.touched {
				h.stats.touched = true
				w.touched = append(w.touched, h)
			}
			h.history <<= 1
			switch v.kind {
			case pass:
				continue
			case fail:
				v = w.failed(h, v)
				if v.kind == pass {
					continue
				}
			}
			return v, h
		}
	}
	return Verdict{}, nil
}

// ask runs h for p.
func (w *worker) ask(h *Handle, p *packet.Packet) Verdict {
	v := h.h.Run(p)
	h.stats.packets.add(1)
	if !h.stats.touched {
		h.stats.touched = true
		w.touched = append(w.touched, h)
	}
	h.history <<= 1
	if v.kind == fail {
		v = w.failed(h, v)
	}
	return v
}

// before is what stands in front of some segments: a program that is done with the
// flow is passed over, and fragments are joined in front of the first segment that
// is not, from the one on where they are to be. The verdict is about a packet that
// goes no further.
func (w *worker) before(seg *segment) (skip bool, v Verdict) {
	w.joining = w.joining || seg.joins
	if w.flows.ruled && w.passedOver(seg) {
		return true, v
	}
	if w.joining {
		w.joining = false
		if w.hand.Layout().Fragment() {
			v = w.join(w.hand)
		}
	}
	return false, v
}
