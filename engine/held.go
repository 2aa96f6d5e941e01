package engine

import (
	"time"

	"github.com/tunscript/tunscript/engine/packet"
)

// A heldPacket waits until it may go on behind the rule that delayed it.
type heldPacket struct {
	due   time.Time // with its monotonic part: a clock that is set changes no delay
	seq   uint64
	p     *packet.Packet
	lane  *lane
	way   way
	after uint64 // order of that rule
}

func (h *heldPacket) before(o *heldPacket) bool {
	if !h.due.Equal(o.due) {
		return h.due.Before(o.due)
	}
	return h.seq < o.seq
}

// heldHeap holds packets by (due, order held). It is written out because
// container/heap would put every packet into an interface: an allocation each.
type heldHeap struct {
	all []heldPacket
	seq uint64
}

func (hs *heldHeap) len() int { return len(hs.all) }

// next is when the first is due.
func (hs *heldHeap) next() (time.Time, bool) {
	if len(hs.all) == 0 {
		return time.Time{}, false
	}
	return hs.all[0].due, true
}

// due reports that one is due at now.
func (hs *heldHeap) due(now time.Time) bool {
	return len(hs.all) > 0 && !hs.all[0].due.After(now)
}

func (hs *heldHeap) push(h heldPacket) {
	hs.seq++
	h.seq = hs.seq
	hs.all = append(hs.all, h)
	a := hs.all
	for i := len(a) - 1; i > 0; {
		up := (i - 1) / 2
		if !a[i].before(&a[up]) {
			break
		}
		a[i], a[up] = a[up], a[i]
		i = up
	}
}

// pop takes the first that is due at now.
func (hs *heldHeap) pop(now time.Time) (heldPacket, bool) {
	if !hs.due(now) {
		return heldPacket{}, false
	}
	a := hs.all
	h, last := a[0], len(a)-1
	a[0], a[last] = a[last], heldPacket{}
	a = a[:last]
	for i := 0; ; {
		least := i
		for _, c := range [...]int{2*i + 1, 2*i + 2} {
			if c < last && a[c].before(&a[least]) {
				least = c
			}
		}
		if least == i {
			break
		}
		a[i], a[least] = a[least], a[i]
		i = least
	}
	hs.all = a
	return h, true
}
