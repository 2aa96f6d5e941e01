package flow

import (
	"time"

	"github.com/tunscript/tunscript/engine/packet"
)

// Of a fragmented datagram only the first fragment has ports. It is remembered by
// what all of them share (RFC 791 section 3.2, RFC 8200 section 4.5), in a small
// cache of fixed size: in each of fragSets sets the oldest of fragWays goes.
const (
	fragSets = 128
	fragWays = 4
	fragTime = 30 * time.Second // Linux's ipfrag_time: what is still apart by then stays so
)

type fragment struct {
	key  tuple // without ports; the datagram's id where they would be
	at   time.Duration
	flow uint32
	gen  uint32
	dir  Dir
}

type fragments []fragment

// datagram is the key of the datagram that p is a fragment of.
func datagram(k tuple, p *packet.Packet) tuple {
	ip, _ := p.IP()
	id, _ := ip.ID()
	k.kind = plain
	k.sport, k.dport = uint16(id>>16), uint16(id)
	return k
}

func (t *Table) fragSet(k *tuple) []fragment {
	i := int(k.hash(&t.seeds)%fragSets) * fragWays
	return t.fragments[i : i+fragWays]
}

// remember keeps in mind that the datagram of the first fragment p belongs to the
// flow i.
func (t *Table) remember(k tuple, p *packet.Packet, i uint32, dir Dir) {
	if t.fragments == nil {
		t.fragments = make(fragments, fragSets*fragWays)
	}
	k = datagram(k, p)
	set := t.fragSet(&k)
	oldest := &set[0]
	for j := range set {
		f := &set[j]
		if f.flow != 0 && f.key == k {
			oldest = f
			break
		}
		if f.flow == 0 || oldest.flow != 0 && f.at < oldest.at {
			oldest = f
		}
	}
	*oldest = fragment{key: k, at: t.now, flow: i, gen: t.entry(i).gen, dir: dir}
}

// recall is the flow of the later fragment p, 0 if its first is not known.
func (t *Table) recall(k tuple, p *packet.Packet) (i uint32, dir Dir) {
	if t.fragments == nil {
		return 0, 0
	}
	k = datagram(k, p)
	set := t.fragSet(&k)
	for j := range set {
		f := &set[j]
		if f.flow != 0 && f.key == k && t.now-f.at < fragTime && t.entry(f.flow).gen == f.gen {
			return f.flow, f.dir
		}
	}
	return 0, 0
}
