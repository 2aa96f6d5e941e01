package flow

import "fmt"

// CheckShared is what holds of tables that share a directory, besides what holds of each: it
// has the keys of their flows and no others.
func CheckShared(d *Directory, tables []*Table) error {
	keys := 0
	for n, t := range tables {
		if err := t.Check(); err != nil {
			return fmt.Errorf("table %d: %w", n, err)
		}
		keys += t.index.nodes
		for i := uint32(1); i < t.entries.used; i++ {
			e := t.entry(i)
			for way := Forward; way <= Back; way++ {
				if at := d.owner(&e.key[way], -1); e.gen&1 == 1 && e.held[way] && at != n {
					return fmt.Errorf("table %d has flow %d %v, and the directory says %d", n, i, way, at)
				}
			}
		}
	}
	if got := d.Len(); got != keys {
		return fmt.Errorf("the directory has %d keys, and the tables %d", got, keys)
	}
	return nil
}

// Check is what holds of a table whatever happened: every flow is found under the
// keys it holds, is in the list it belongs to, in the order of use, and the counts
// are right. It returns what does not.
func (t *Table) Check() error {
	live, rewritten, keys := 0, 0, 0
	for i := uint32(1); i < t.entries.used; i++ {
		e := t.entry(i)
		if e.gen&1 == 0 {
			continue
		}
		live++
		if e.acts&rewrites != 0 {
			rewritten++
		}
		if e.list != e.of() {
			return fmt.Errorf("flow %d is in list %d, not in %d", i, e.list, e.of())
		}
		for d := Forward; d <= Back; d++ {
			if have, at := t.find(&e.key[d]); e.held[d] && (have != i || at != d) {
				return fmt.Errorf("flow %d %v: its key is that of flow %d %v", i, d, have, at)
			}
			if e.held[d] {
				keys++
			}
		}
		var all acts
		for n := e.shares; n != 0; n = t.shares.at(n).next {
			all |= t.shares.at(n).act
		}
		if all != e.acts {
			return fmt.Errorf("flow %d: its rules say %b, summed up %b", i, all, e.acts)
		}
	}
	listed := 0
	for n, l := range t.lists {
		before := uint32(0)
		for i := l.oldest; i != 0; i = t.entry(i).newer {
			e := t.entry(i)
			if e.older != before || int(e.list) != n || before != 0 && t.entry(before).seen > e.seen {
				return fmt.Errorf("list %d is out of order at flow %d", n, i)
			}
			before = i
			listed++
		}
		if before != l.newest {
			return fmt.Errorf("list %d ends at flow %d, not %d", n, before, l.newest)
		}
	}
	switch {
	case live != t.stats.Held || listed != live || live > t.limit:
		return fmt.Errorf("%d flows, %d counted, %d listed, %d allowed", live, t.stats.Held, listed, t.limit)
	case rewritten != t.stats.Rewritten:
		return fmt.Errorf("%d rewritten, %d counted", rewritten, t.stats.Rewritten)
	case keys != t.index.nodes:
		return fmt.Errorf("%d keys, %d counted", keys, t.index.nodes)
	case int(t.entries.used) > t.limit+1:
		return fmt.Errorf("%d entries used, %d allowed", t.entries.used-1, t.limit)
	}
	return nil
}
