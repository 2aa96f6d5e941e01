package flow

import (
	"fmt"
	"net/netip"

	"github.com/tunscript/tunscript/engine/packet"
)

// A Rewrite says what the packets of a flow shall leave with, in the direction of
// the packet that it is made for. Fields that are not set stay as they are.
type Rewrite struct {
	Src, Dst     netip.Addr
	Sport, Dport uint16 // Sport of an echo request, and Dport of a reply, is its id
	// FreeSport takes a source port that no other flow leaves with: Sport, or that
	// of the flow, if it is free. In a flow without ports it asks nothing.
	FreeSport bool
}

// fields are those of a packet that a rewrite sets.
type fields uint8

const (
	setSrc fields = 1 << iota
	setDst
	setSport
	setDport
)

// mirror is the same fields in an answer.
func (f fields) mirror() fields {
	return f&(setSrc|setSport)<<1 | f&(setDst|setDport)>>1
}

// Rewrite makes a rule of o: from the packet in hand on, packets leave as to says
// ([Flow.Apply]) and what answers them is changed back. It implies Bypass(Pass),
// counts only if the packet in hand is forwarded (see [Table.Settle]), and adds
// to what o has rewritten before.
//
// It fails with ErrEnded; ErrTaken or ErrExhausted where packets could not be told
// from another flow's; ErrConflict where another program has said something else;
// and *RewriteError for what this flow has not. Then nothing has changed.
func (f Flow) Rewrite(o Owner, to Rewrite) error {
	e := f.entry()
	if e == nil {
		return ErrEnded
	}
	t, d := f.t, f.dir
	out := e.key[1-d].reverse() // how packets of this direction leave so far
	want := out
	set, err := to.lay(&want)
	if err != nil {
		return err
	}
	if t.contradicts(e, o, d, set, &out, &want) {
		return ErrConflict
	}
	back := want.reverse()
	if to.FreeSport && want.kind != plain {
		set |= sportOf(want.kind)
		if err := t.freePort(f.i, 1-d, &want); err != nil {
			return err
		}
		back = want.reverse()
	} else if !t.vacant(f.i, 1-d, &back) {
		return ErrTaken
	}
	s := t.own(e, o)
	c := f.change(s)
	if back != e.key[1-d] {
		c.moved = true
		t.unlink(f.i, 1-d)
		e.key[1-d] = back
		t.link(f.i, 1-d)
	}
	t.journal = append(t.journal, c)
	s.act |= rewrites | passes
	s.set[d] |= set
	t.sumUp(f.i)
	return nil
}

// lay puts what r says over k, how packets leave, and returns the fields it set.
func (r *Rewrite) lay(k *tuple) (set fields, err error) {
	if r.Src.IsValid() {
		if r.Src.Is6() != k.v6 {
			return 0, wrongVersion("src", r.Src)
		}
		k.src, set = toAddr(r.Src), set|setSrc
	}
	if r.Dst.IsValid() {
		if r.Dst.Is6() != k.v6 {
			return 0, wrongVersion("dst", r.Dst)
		}
		k.dst, set = toAddr(r.Dst), set|setDst
	}
	if r.Sport != 0 {
		if k.kind != ports && k.kind != asks {
			return 0, noPort("sport", k.kind)
		}
		k.sport, set = r.Sport, set|setSport
	}
	if r.Dport != 0 {
		if k.kind != ports && k.kind != answers {
			return 0, noPort("dport", k.kind)
		}
		k.dport, set = r.Dport, set|setDport
	}
	if set == 0 && !r.FreeSport {
		return 0, &RewriteError{"", "there is nothing to rewrite: give src, dst, sport or dport"}
	}
	return set, nil
}

func wrongVersion(field string, a netip.Addr) error {
	return &RewriteError{field, fmt.Sprintf("%v is of the other IP version than the flow: give one of the same", a)}
}

func noPort(field string, k kind) error {
	switch k {
	case asks:
		return &RewriteError{field, "an echo request has an id alone: rewrite its sport"}
	case answers:
		return &RewriteError{field, "an echo reply has an id alone: rewrite its dport"}
	}
	return &RewriteError{field, "the flow has no ports: rewrite addresses"}
}

// sportOf is the field in which a kind has what is its source port forward.
func sportOf(k kind) fields {
	if k == answers {
		return setDport
	}
	return setSport
}

// contradicts reports that another program than o rewrites one of the fields set
// in direction d to something else.
func (t *Table) contradicts(e *entry, o Owner, d Dir, set fields, is, want *tuple) bool {
	var others fields
	for n := e.shares; n != 0; {
		s := t.shares.at(n)
		if s.owner != o {
			others |= s.set[d] | s.set[1-d].mirror()
		}
		n = s.next
	}
	both := set & others
	return both&setSrc != 0 && is.src != want.src || both&setDst != 0 && is.dst != want.dst ||
		both&setSport != 0 && is.sport != want.sport || both&setDport != 0 && is.dport != want.dport
}

// vacant reports that k can become the key of flow i in direction d: nobody else
// has it, and it is claimed. One who has been idle too long makes room.
func (t *Table) vacant(i uint32, d Dir, k *tuple) bool {
	have, at := t.find(k)
	switch {
	case have == 0:
		return t.claim(k)
	case have == i:
		return at == d
	case t.expired(t.entry(have)):
		t.end(have)
		t.stats.Expired++
		return t.claim(k)
	}
	return false
}

// portTries bounds how long the search for a free port may take: some 100 us.
const portTries = 2048

// freePort gives k, which turned round shall be the key of flow i in direction d,
// a source port that nobody else leaves with: its own if it can be, else, so that
// nobody outside foretells it (RFC 6056), one at a random place in the range that
// its own is in: well-known ports stay among themselves (RFC 4787 REQ-3 a).
func (t *Table) freePort(i uint32, d Dir, k *tuple) error {
	at := &k.sport
	if k.kind == answers {
		at = &k.dport
	}
	free := func() bool {
		back := k.reverse()
		return t.vacant(i, d, &back)
	}
	if free() {
		return nil
	}
	low, n := uint64(1024), uint64(65536-1024)
	switch {
	case k.kind != ports: // an id is any number but 0
		low, n = 1, 65535
	case *at < 1024 && k.proto != packet.ProtoSCTP:
		low, n = 1, 1023
	}
	start := t.rand.Uint64() % n
	for j := range min(n, portTries) {
		*at = uint16(low + (start+j)%n)
		if free() {
			return nil
		}
	}
	return ErrExhausted
}
