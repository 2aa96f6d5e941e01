package flow

import "time"

// Every flow is in one list, of those with the same timeout that have a rule, or
// have none. A flow that is used goes to the end of its list, so each is in the
// order of use: who has been idle too long, and who longest, is at its head.
type list struct{ oldest, newest uint32 }

const lists = 2 * int(classes)

// of is the list that e belongs in.
func (e *entry) of() uint8 {
	n := uint8(e.class())
	if e.acts != 0 {
		n += uint8(classes)
	}
	return n
}

// use puts flow i at the end of the list that it now belongs in.
func (t *Table) use(i uint32) {
	e := t.entry(i)
	e.seen = t.now
	n := e.of()
	if n == e.list && t.lists[n].newest == i {
		return
	}
	t.leave(i)
	t.enter(i, n)
}

func (t *Table) enter(i uint32, n uint8) {
	e, l := t.entry(i), &t.lists[n]
	e.list, e.older, e.newer = n, l.newest, 0
	if l.newest != 0 {
		t.entry(l.newest).newer = i
	} else {
		l.oldest = i
	}
	l.newest = i
}

func (t *Table) leave(i uint32) {
	e := t.entry(i)
	l := &t.lists[e.list]
	if e.older != 0 {
		t.entry(e.older).newer = e.newer
	} else {
		l.oldest = e.newer
	}
	if e.newer != 0 {
		t.entry(e.newer).older = e.older
	} else {
		l.newest = e.older
	}
}

func (t *Table) expired(e *entry) bool {
	return t.now-e.seen >= timeouts[e.list%uint8(classes)]
}

// Expire ends flows that have been idle too long, at most n, and returns how many
// it ended. A flow that nobody ends so ends when it is looked up, or when room is
// needed.
func (t *Table) Expire(now time.Time, n int) int {
	t.clock(now)
	return t.expire(n)
}

func (t *Table) expire(n int) (ended int) {
	for c := range t.lists {
		for ended < n {
			i := t.lists[c].oldest
			if i == 0 || !t.expired(t.entry(i)) {
				break
			}
			t.end(i)
			t.stats.Expired++
			ended++
		}
	}
	return ended
}

// evict ends the flow that is least worth keeping: of those without a rule before
// those with one, then of the unanswered, the one idle longest.
func (t *Table) evict() {
	best, bestRank := uint32(0), 0
	for n := range t.lists {
		i := t.lists[n].oldest
		if i == 0 {
			continue
		}
		rank := 0
		if n >= int(classes) {
			rank += 2
		}
		if class(n % int(classes)).answered() {
			rank++
		}
		if best == 0 || rank < bestRank || rank == bestRank && t.entry(i).seen < t.entry(best).seen {
			best, bestRank = i, rank
		}
	}
	if best != 0 {
		t.end(best)
		t.stats.Evicted++
	}
}
