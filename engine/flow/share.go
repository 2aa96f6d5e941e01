package flow

// An Owner is a program, as far as flows know it: a number that whoever runs
// programs gives each of them.
type Owner uint32

// A share is what one program has in one flow: a value, and a rule.
type share struct {
	value any
	owner Owner
	next  uint32 // of the same flow, or of the free ones
	act   acts
	set   [2]fields // what its rewrite says, by direction
}

// share is the share of o in e, or nil.
func (t *Table) share(e *entry, o Owner) *share {
	for n := e.shares; n != 0; {
		s := t.shares.at(n)
		if s.owner == o {
			return s
		}
		n = s.next
	}
	return nil
}

// own is the share of o in e, which it makes if there is none.
func (t *Table) own(e *entry, o Owner) *share {
	if s := t.share(e, o); s != nil {
		return s
	}
	n := t.unused
	if n == 0 {
		n = t.shares.more()
	} else {
		t.unused = t.shares.at(n).next
	}
	s := t.shares.at(n)
	*s = share{owner: o, next: e.shares}
	e.shares = n
	return s
}

// dropShare frees share n and returns the next one of its flow.
func (t *Table) dropShare(n uint32) (next uint32) {
	s := t.shares.at(n)
	next = s.next
	t.tellEnded(s)
	*s = share{next: t.unused}
	t.unused = n
	return next
}

// Value is what o keeps with the flow, nil if nothing or if the flow has ended.
func (f Flow) Value(o Owner) any {
	if e := f.entry(); e != nil {
		if s := f.t.share(e, o); s != nil {
			return s.value
		}
	}
	return nil
}

// SetValue has the flow keep v for o until it ends. It fails with ErrEnded.
func (f Flow) SetValue(o Owner, v any) error {
	e := f.entry()
	if e == nil {
		return ErrEnded
	}
	f.t.own(e, o).value = v
	return nil
}

// Forget takes back all that o has: its values and its rules. A flow that o
// rewrites ends, for its packets would not be known any more.
func (t *Table) Forget(o Owner) {
	t.eachOf(o, func(i, n uint32) bool {
		if t.shares.at(n).act&rewrites != 0 {
			t.end(i)
			return false
		}
		return true
	})
}

// ForgetValues takes back what o keeps with flows; its rules stay.
func (t *Table) ForgetValues(o Owner) {
	t.eachOf(o, func(i, n uint32) bool {
		s := t.shares.at(n)
		if s.act == 0 {
			return true
		}
		t.tellEnded(s)
		s.value = nil
		return false
	})
}

// eachOf goes through the shares of o, n of flow i, and drops those for which fn says
// so.
func (t *Table) eachOf(o Owner, fn func(i, n uint32) (drop bool)) {
	for i := uint32(1); i < t.entries.used; i++ {
		e := t.entry(i)
		if e.gen&1 == 0 {
			continue
		}
		for at := &e.shares; *at != 0; at = &t.shares.at(*at).next {
			if t.shares.at(*at).owner != o {
				continue
			}
			if fn(i, *at) {
				*at = t.dropShare(*at)
				t.sumUp(i)
			}
			break // it has one
		}
	}
}

func (t *Table) tellEnded(s *share) {
	if s.value != nil && t.ended != nil {
		t.ended(s.value)
	}
}
