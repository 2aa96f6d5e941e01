package flow

import (
	"fmt"
	"math"
)

// An Action is what a rule says.
type Action uint8

const (
	Pass Action = iota + 1 // the program is done with the flow: it goes on without it
	Drop                   // nobody shall see the flow any more: its packets end
)

func (a Action) String() string {
	switch a {
	case Pass:
		return "pass"
	case Drop:
		return "drop"
	}
	return "none"
}

// acts is what rules say, of one program or, summed up, of all.
type acts uint8

const (
	passes acts = 1 << iota
	drops
	rewrites // and passes
)

// NoWay is a way out that is not known.
const NoWay = -1

// way is the number of a way out as an entry has it: NoWay where it is larger than any
// engine has devices.
func way(n int) int16 {
	if n > math.MaxInt16 {
		return NoWay
	}
	return int16(n)
}

// A change is what a rule changed in its flow, for Settle to take back.
type change struct {
	i, gen uint32
	owner  Owner
	dir    Dir
	act    acts
	set    [2]fields
	key    tuple // of the direction against dir, and whether it was held
	held   bool
	moved  bool // the key was changed
}

// Bypass makes a rule of o about all later packets of the flow, in both
// directions. Pass counts only if the packet in hand is forwarded: see Settle.
// It fails with ErrEnded, or for an action that there is not.
func (f Flow) Bypass(o Owner, a Action) error {
	e := f.entry()
	if e == nil {
		return ErrEnded
	}
	s := f.t.own(e, o)
	switch a {
	case Pass:
		f.t.journal = append(f.t.journal, f.change(s))
		s.act |= passes
	case Drop:
		s.act |= drops
	default:
		return fmt.Errorf("there is no action %d: give Pass or Drop", a)
	}
	f.t.sumUp(f.i)
	return nil
}

// change is what there is to restore before a rule of s changes.
func (f Flow) change(s *share) change {
	e := f.entry()
	return change{
		i: f.i, gen: f.gen, owner: s.owner, dir: f.dir,
		act: s.act, set: s.set, key: e.key[1-f.dir], held: e.held[1-f.dir],
	}
}

// sumUp brings what all programs want together, after a rule of flow i changed.
func (t *Table) sumUp(i uint32) {
	e := t.entry(i)
	was := e.acts
	e.acts = 0
	var said [2]fields
	for n := e.shares; n != 0; {
		s := t.shares.at(n)
		e.acts |= s.act
		said[Forward] |= s.set[Forward]
		said[Back] |= s.set[Back]
		n = s.next
	}
	// What is said of one direction is undone in the other.
	e.set[Forward] = said[Forward] | said[Back].mirror()
	e.set[Back] = said[Back] | said[Forward].mirror()
	if was&rewrites != e.acts&rewrites {
		if e.acts&rewrites != 0 {
			t.stats.Rewritten++
		} else {
			t.stats.Rewritten--
		}
	}
	t.use(i)
}

// Pending reports that rules have been made since the last Settle.
func (t *Table) Pending() bool { return len(t.journal) > 0 }

// Settle tells what became of the packet that rules were made for, whose flow is
// f, and must follow each packet for which Pending says so. Forwarded, it left by
// out, having come in by in: what the rules have its flow do from now on. If it
// was not, its rules count for nothing, but for Drop. Rules for other flows than
// f, and all of them if f is zero, count in any case.
func (t *Table) Settle(f Flow, forwarded bool, in, out int) {
	for n := len(t.journal) - 1; n >= 0; n-- {
		c := &t.journal[n]
		e := t.entry(c.i)
		switch {
		case e.gen != c.gen || c.i != f.i || c.gen != f.gen:
		case forwarded:
			e.way[c.dir], e.way[1-c.dir] = way(out), way(in)
		default:
			t.undo(c)
		}
	}
	t.journal = t.journal[:0]
}

func (t *Table) undo(c *change) {
	e := t.entry(c.i)
	if c.moved {
		d := 1 - c.dir
		t.unlink(c.i, d)
		e.key[d] = c.key
		if have, _ := t.find(&c.key); c.held && have == 0 && t.claim(&c.key) {
			t.link(c.i, d)
		}
	}
	if s := t.share(e, c.owner); s != nil {
		s.act = c.act | s.act&drops
		s.set = c.set
	}
	t.sumUp(c.i)
}

// Ruled reports that some program has made a rule about the flow.
func (f Flow) Ruled() bool {
	e := f.entry()
	return e != nil && e.acts != 0
}

// Dropped reports that the flow's packets are to end.
func (f Flow) Dropped() bool {
	e := f.entry()
	return e != nil && e.acts&drops != 0
}

// Passed reports that o is done with the flow, by a rule that has been settled:
// one holds from the next packet on.
func (f Flow) Passed(o Owner) bool {
	e := f.entry()
	if e == nil || e.acts == 0 {
		return false
	}
	s := f.t.share(e, o)
	if s == nil || s.act&passes == 0 {
		return false
	}
	for i := range f.t.journal {
		if c := &f.t.journal[i]; c.i == f.i && c.owner == o {
			return c.act&passes != 0 // the first one knows what was before the packet in hand
		}
	}
	return true
}

// Rewritten reports that the flow's packets are changed on their way out.
func (f Flow) Rewritten() bool {
	e := f.entry()
	return e != nil && e.acts&rewrites != 0
}

// Way is the way out that rules remember for packets in this direction, NoWay if
// none.
func (f Flow) Way() int {
	if e := f.entry(); e != nil {
		return int(e.way[f.dir])
	}
	return NoWay
}
