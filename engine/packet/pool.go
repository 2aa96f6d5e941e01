package packet

import (
	"math/rand/v2"
	"time"
)

// smallLen is the room of an ordinary packet: a full Ethernet frame and what a
// script may push.
const smallLen = 2048 - 2*Headroom

// A Pool keeps buffers between packets, so that a steady state allocates
// nothing. It belongs to one goroutine. A packet that is never put back is left
// to the garbage collector. A nil Pool allocates every time.
type Pool struct {
	Rand         *rand.Rand // where answers draw from (a SYN-ACK's sequence number); nil: the runtime's source
	small, large []*Packet
	id           uint16 // of the IPv4 packet made last
	counts       bool   // id has a beginning
}

// keep bounds what a pool holds on to.
const keep = 1024

// Get returns an empty packet with room for at least n bytes, or for MaxLen if n is more.
// It belongs to the caller.
func (pl *Pool) Get(n int) *Packet {
	n = min(max(n, 0), MaxLen)
	if pl == nil {
		return newPacket(n)
	}
	list := &pl.small
	if n > smallLen {
		list = &pl.large
	} else {
		n = smallLen
	}
	if last := len(*list) - 1; last >= 0 {
		p := (*list)[last]
		*list = (*list)[:last]
		if len(p.buf) >= n+2*Headroom {
			p.pool, p.kept = pl, false
			return p
		}
	}
	if n > smallLen {
		n = MaxLen // large ones are rare: one size fits the next, too
	}
	p := newPacket(n)
	p.pool = pl
	return p
}

// Put takes a packet back. Nobody may use it afterwards. One that is there already
// stays there once.
func (pl *Pool) Put(p *Packet) {
	if pl == nil || p == nil || p.kept {
		return
	}
	if p.home != nil {
		p.buf, p.home = p.home, nil
	}
	list := &pl.small
	if len(p.buf) > smallLen+2*Headroom {
		list = &pl.large
	}
	if len(p.buf) < smallLen+2*Headroom || len(*list) >= keep {
		return
	}
	p.reset()
	p.In, p.Out, p.Time, p.tag, p.pool = nil, nil, time.Time{}, 0, nil
	p.kept = true
	*list = append(*list, p)
}

// Spare takes up to n packets that the pool keeps, large ones or ordinary ones, and appends
// them to ps: buffers for another goroutine's pool, whose own come here in packets. It makes
// none.
func (pl *Pool) Spare(ps []*Packet, n int, large bool) []*Packet {
	if pl == nil {
		return ps
	}
	list := &pl.small
	if large {
		list = &pl.large
	}
	for ; n > 0 && len(*list) > 0; n-- {
		last := len(*list) - 1
		p := (*list)[last]
		(*list)[last] = nil
		*list = (*list)[:last]
		p.kept = false
		ps = append(ps, p)
	}
	return ps
}

// Large reports that the packet's buffer is one of those that a Pool keeps apart, as
// super-packets need.
func (p *Packet) Large() bool { return len(p.buf) > smallLen+2*Headroom }

// Adopt makes pl the pool that answers to p and its copies come from. Who hands
// packets from one goroutine to another calls it on the receiving side.
func (pl *Pool) Adopt(p *Packet) {
	if p != nil {
		p.pool = pl
	}
}

// nextID is the identification of an IPv4 packet that was given none: one after the
// other, as hosts count (RFC 6864 asks that they do not come again soon, which chance
// does not promise), from a beginning by chance. So the answers of a flow continue each
// other, and may leave as one super-packet.
func (p *Packet) nextID() uint16 {
	pl := p.pool
	if pl == nil {
		return uint16(p.chance())
	}
	if !pl.counts {
		pl.id, pl.counts = uint16(p.chance()), true
	}
	pl.id++
	return pl.id
}

// chance draws 32 bits for a number that a peer must not guess.
func (p *Packet) chance() uint32 {
	if p.pool != nil && p.pool.Rand != nil {
		return p.pool.Rand.Uint32()
	}
	return rand.Uint32()
}
