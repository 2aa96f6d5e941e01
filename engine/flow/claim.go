package flow

import (
	"time"

	"github.com/tunscript/tunscript/engine/packet"
)

// Claim says which table p belongs to, by its number: that of the flow's, which is this one
// where nobody had the flow. Then the flow is made as by [Table.Get], but stays without a
// direction until somebody asks for it ([Table.Ask]). What has no flow, such as ARP and
// fragments whose first one is not known, belongs to who has met its addresses or its
// datagram before, or else to this table.
//
// It counts as a sign of life. With joins, all fragments of a datagram belong where the first
// of them to arrive was claimed, whatever it says of the flow: there they are joined.
// Without a [Directory] everything belongs to this table, and nothing is made.
func (t *Table) Claim(p *packet.Packet, now time.Time, joins bool) (f Flow, found bool, who int) {
	t.clock(now)
	k, s := t.read(p)
	switch s {
	case whole, first:
		if k.kind == plain && k.proto == packet.ProtoICMPv6 && t.neighbours(&k, p) {
			return Flow{}, false, t.claimPair(k)
		}
		f, found = t.lookUp(&k, p, s)
		who = t.number
		if !found && t.dir != nil {
			if who = t.dir.claim(&k, t.number); who == t.number {
				f, found = t.create(k, p, s), true
				t.entry(f.i).state |= unasked
			}
		}
		if s == first && t.dir != nil {
			to := t.whoseDatagram(k, p, who, !joins, now)
			return f, found && to == t.number, to
		}
		return f, found, who
	case report:
		if f, found = t.lookUp(&k, p, s); found || t.dir == nil {
			return f, found, t.number
		}
		return f, false, t.dir.owner(&k, t.number)
	case later:
		f, found = t.lookUp(&k, p, s)
		if found && !joins || t.dir == nil {
			return f, found, t.number
		}
		who = t.whoseDatagram(k, p, t.number, false, now)
		return f, found && who == t.number, who
	}
	if t.dir != nil && t.neighbours(&k, p) {
		return Flow{}, false, t.claimPair(k)
	}
	return Flow{}, false, t.number
}

// Own says which table p, which is about to leave, belongs to, as [Table.Claim] does of what
// comes in: the flow of what answers it is that of p, so this table claims what nobody has. It
// is no sign of life. f is the flow of the packet that p was made of, if it was one: then this
// is quick.
func (t *Table) Own(f Flow, p *packet.Packet, now time.Time) (who int) {
	if t.dir == nil {
		return t.number
	}
	k, s := t.read(p)
	switch e := f.entry(); {
	case e != nil && e.key[f.dir] == k:
		return t.number
	case s == later || s == report:
		return t.number
	case s == none || k.kind == plain && k.proto == packet.ProtoICMPv6:
		if t.neighbours(&k, p) {
			t.clock(now)
			return t.claimPair(k)
		}
		if s == none {
			return t.number
		}
	}
	if i, _ := t.find(&k); i != 0 {
		return t.number
	}
	if who = t.dir.claim(&k, t.number); who == t.number {
		t.clock(now)
		f := t.create(k, p, s)
		t.entry(f.i).state |= unasked
	}
	return who
}

// claimPair is Claim for who talk to each other without a flow.
func (t *Table) claimPair(k tuple) (who int) {
	if t.dir == nil {
		return t.number
	}
	if i, _ := t.find(&k); i != 0 {
		t.use(i)
		return t.number
	}
	if who = t.dir.claim(&k, t.number); who == t.number {
		t.place(k, Forward)
	}
	return who
}

func (t *Table) whoseDatagram(k tuple, p *packet.Packet, asks int, mine bool, now time.Time) int {
	k = datagram(k, p)
	return t.dir.frags.whose(&k, k.hash(&t.dir.seeds), asks, mine, now)
}

// Ask is f, which was found for p, as who asks for it sees it. A flow that was claimed and
// that nobody has asked for begins with p: it has its direction from p, and what was seen of
// it before counts for nothing, just as if it had been made now.
func (t *Table) Ask(f Flow, p *packet.Packet) Flow {
	e := f.entry()
	if e == nil || e.state&unasked == 0 {
		return f
	}
	k, s := t.read(p)
	if s != later {
		if d := opens(&k, p, s); d != f.dir {
			t.turn(f.i)
			f.dir = d
		}
	}
	e.state, e.born = 0, uint32(t.now/time.Second)
	if s != report {
		e.advance(p, f.dir, s)
	}
	t.use(f.i)
	return f
}

// turn makes of forward back.
func (t *Table) turn(i uint32) {
	e := t.entry(i)
	held := e.held
	t.drop(i, Forward)
	t.drop(i, Back)
	e.key[Forward], e.key[Back] = e.key[Back], e.key[Forward]
	for d := Forward; d <= Back; d++ {
		if held[1-d] {
			t.link(i, d)
		}
	}
	for j := range t.fragments {
		if f := &t.fragments[j]; f.flow == i && f.gen == e.gen {
			f.dir = 1 - f.dir
		}
	}
}

// neighbours reads ARP and neighbor solicitations and advertisements into k: who asks and who
// is asked for, which in an answer is the other way round. False for anything else.
func (t *Table) neighbours(k *tuple, p *packet.Packet) bool {
	if p == nil {
		return false
	}
	if arp, ok := p.ARP(); ok {
		*k = tuple{src: toAddr(arp.SPA()), dst: toAddr(arp.TPA()), kind: pair}
		return true
	}
	icmp, ok := p.ICMPv6()
	if !ok || icmp.Type() != packet.NeighborSolicit && icmp.Type() != packet.NeighborAdvert {
		return false
	}
	target, ok := icmp.Target()
	if !ok {
		return false
	}
	n := tuple{src: k.src, dst: toAddr(target), v6: true, kind: pair}
	if icmp.Type() == packet.NeighborAdvert {
		n.src, n.dst = n.dst, k.dst
	}
	*k = n
	return true
}
