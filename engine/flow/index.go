package flow

// The index is a hash table of chained nodes. Node n is the key of entry n/2 in
// direction n%2, so a chain is threaded through the entries themselves.
//
// It grows by linear hashing (Litwin 1980): each key added beyond the number of
// buckets splits one bucket, in turn, into itself and a new one at the end. No
// packet ever waits for a table to be built anew.
type index struct {
	heads []uint32 // first node of each bucket, 0 for none
	mask  uint64   // of the buckets that a round began with
	nodes int
}

const minBuckets = 64

func node(i uint32, d Dir) uint32 { return i<<1 | uint32(d) }

// bucket is where a hash belongs: by one more bit, unless that bucket has not
// been split off yet.
func (x *index) bucket(h uint64) *uint32 {
	i := h & (x.mask<<1 | 1)
	if i >= uint64(len(x.heads)) {
		i &= x.mask
	}
	return &x.heads[i]
}

// find is the flow that packets of k belong to and their direction, 0 if none.
func (t *Table) find(k *tuple) (uint32, Dir) {
	if t.index.heads == nil {
		return 0, 0
	}
	n := *t.index.bucket(k.hash(&t.seeds))
	for n != 0 {
		e, d := t.entry(n>>1), Dir(n&1)
		if e.key[d] == *k {
			return n >> 1, d
		}
		n = e.next[d]
	}
	return 0, 0
}

// link puts the key of flow i in direction d into the index, where no equal one
// may be. The table has claimed it.
func (t *Table) link(i uint32, d Dir) {
	x := &t.index
	if x.heads == nil {
		x.heads, x.mask = make([]uint32, minBuckets), minBuckets-1
	}
	if x.nodes++; x.nodes > len(x.heads) {
		t.split()
	}
	e := t.entry(i)
	head := x.bucket(e.key[d].hash(&t.seeds))
	e.next[d], *head = *head, node(i, d)
	e.held[d] = true
}

// split divides the next bucket in turn.
func (t *Table) split() {
	x := &t.index
	at, to := uint64(len(x.heads))-x.mask-1, uint64(len(x.heads))
	x.heads = append(x.heads, 0)
	n := x.heads[at]
	x.heads[at] = 0
	for n != 0 {
		e, d := t.entry(n>>1), n&1
		next := e.next[d]
		head := &x.heads[at]
		if e.key[d].hash(&t.seeds)&(x.mask<<1|1) == to {
			head = &x.heads[to]
		}
		e.next[d], *head = *head, n
		n = next
	}
	if to == x.mask<<1|1 {
		x.mask = to
	}
}

// unlink takes the key of flow i in direction d out of the index, if it is there, and
// gives it up.
func (t *Table) unlink(i uint32, d Dir) {
	if t.drop(i, d) && t.dir != nil {
		t.dir.release(&t.entry(i).key[d])
	}
}

// drop takes the key out of the index alone, and reports whether it was there.
func (t *Table) drop(i uint32, d Dir) bool {
	e := t.entry(i)
	if !e.held[d] {
		return false
	}
	at := t.index.bucket(e.key[d].hash(&t.seeds))
	for *at != node(i, d) {
		at = &t.entry(*at >> 1).next[*at&1]
	}
	*at = e.next[d]
	e.held[d] = false
	t.index.nodes--
	return true
}
