package shared

import (
	"math"
	"time"
)

// never is the expiry of what stays.
const never = math.MaxInt64

func expiry(now time.Time, ttl time.Duration) int64 {
	at := now.UnixNano()
	if ttl <= 0 || at > math.MaxInt64-int64(ttl) {
		return never
	}
	return at + int64(ttl)
}

// An entry is what a key holds: a value, or a list of them. It is in its dictionary
// and in the order in which entries go, or in neither.
type entry struct {
	dict    *Dict
	key     string
	value   Value
	list    []Value // not nil for a list
	head    int     // the first item that was not popped
	expires int64   // nanoseconds since 1970
	seq     uint64  // when it was set last
	at      int     // place in the order, -1 outside
	items   int     // what it counts in the store
	bytes   int
}

func cost(v Value) int { return len(v.str) + overhead }

// with is what e counts in bytes when v comes to its list.
func (e *entry) with(v Value) int { return max(e.bytes, len(e.key)) + cost(v) }

// put makes e hold v alone.
func (s *Store) put(e *entry, v Value, expires int64) {
	e.value, e.list, e.head = v, nil, 0
	e.expires = expires
	s.keep(e)
	s.count(e, 1, len(e.key)+cost(v))
}

// push adds v to e's list.
func (s *Store) push(e *entry, v Value) int {
	e.list = append(e.list, v)
	s.keep(e)
	s.count(e, e.items+1, e.with(v))
	return e.items
}

// pop takes the first item; an empty list is no entry. The popped half of a long list
// is given back now and then, so that a queue costs what it holds.
func (s *Store) pop(e *entry) Value {
	v := e.list[e.head]
	e.list[e.head] = Value{}
	e.head++
	if e.head == len(e.list) {
		s.remove(e)
		return v
	}
	s.count(e, e.items-1, e.bytes-cost(v))
	if e.head > 32 && e.head > len(e.list)/2 {
		n := copy(e.list, e.list[e.head:])
		clear(e.list[n:])
		e.list, e.head = e.list[:n], 0
	}
	return v
}

// keep has e in its dictionary, as the one set last.
func (s *Store) keep(e *entry) {
	s.seq++
	e.seq = s.seq
	if e.at < 0 {
		e.dict.m[e.key] = e
		s.order.add(e)
		return
	}
	s.order.moved(e)
}

// remove has it there no longer.
func (s *Store) remove(e *entry) {
	s.count(e, 0, 0)
	delete(e.dict.m, e.key)
	s.order.remove(e)
}

// count makes e count so much.
func (s *Store) count(e *entry, items, bytes int) {
	s.entries += items - e.items
	s.bytes += bytes - e.bytes
	e.items, e.bytes = items, bytes
}

// expire removes what has had its time.
func (s *Store) expire(now time.Time) {
	for at := now.UnixNano(); len(s.order) > 0 && s.order[0].expires <= at; {
		s.expired++
		s.remove(s.order[0])
	}
}

// makeRoom removes entries other than e until e can count so much. False if it cannot.
func (s *Store) makeRoom(e *entry, items, bytes int) bool {
	fits := func(entries, held int) bool {
		return entries-e.items+items <= s.limits.Entries && held-e.bytes+bytes <= s.limits.Bytes
	}
	if fits(s.entries, s.bytes) {
		return true
	}
	if !fits(e.items, e.bytes) { // not even alone
		return false
	}
	stays := e.at >= 0
	if stays {
		s.order.remove(e)
	}
	for !fits(s.entries, s.bytes) {
		s.evicted++
		s.remove(s.order[0])
	}
	if stays {
		s.order.add(e)
	}
	return true
}
