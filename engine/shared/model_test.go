package shared_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/shared"
)

// A plain is the same dictionary without a heap, without counting and without shame: a
// slice that is searched from one end to the other.
type plain struct {
	all   []*plainEntry
	limit int
	seq   int
}

type plainEntry struct {
	key     string
	list    bool
	values  []shared.Value
	expires time.Time // zero: never
	seq     int
}

func (p *plain) find(now time.Time, key string) *plainEntry {
	p.all = slices.DeleteFunc(p.all, func(e *plainEntry) bool { return !e.expires.IsZero() && !e.expires.After(now) })
	for _, e := range p.all {
		if e.key == key {
			return e
		}
	}
	return nil
}

func (p *plain) items() (n int) {
	for _, e := range p.all {
		n += len(e.values)
	}
	return n
}

// room throws out what goes first, other than e, until n more items fit.
func (p *plain) room(e *plainEntry, n int) bool {
	if e != nil && len(e.values)+n > p.limit {
		return false
	}
	for p.items()+n > p.limit {
		var first *plainEntry
		for _, o := range p.all {
			if o != e && (first == nil || p.before(o, first)) {
				first = o
			}
		}
		p.all = slices.DeleteFunc(p.all, func(o *plainEntry) bool { return o == first })
	}
	return true
}

func (p *plain) before(a, b *plainEntry) bool {
	switch {
	case a.expires.Equal(b.expires):
		return a.seq < b.seq
	case a.expires.IsZero() || b.expires.IsZero():
		return b.expires.IsZero()
	}
	return a.expires.Before(b.expires)
}

func (p *plain) set(now time.Time, key string, v shared.Value, ttl time.Duration) string {
	e := p.find(now, key)
	if e != nil {
		p.room(e, 1-len(e.values))
	} else {
		p.room(nil, 1)
		e = &plainEntry{key: key}
		p.all = append(p.all, e)
	}
	e.values, e.list, e.expires = []shared.Value{v}, false, time.Time{}
	if ttl > 0 {
		e.expires = now.Add(ttl)
	}
	p.seq++
	e.seq = p.seq
	return "<nil>"
}

func (p *plain) push(now time.Time, key string, v shared.Value) string {
	e := p.find(now, key)
	if e != nil && !e.list {
		return fmt.Sprint(0, shared.ErrType)
	}
	if !p.room(e, 1) {
		return fmt.Sprint(0, shared.ErrFull)
	}
	if e == nil {
		e = &plainEntry{key: key, list: true}
		p.all = append(p.all, e)
	}
	e.values = append(e.values, v)
	p.seq++
	e.seq = p.seq
	return fmt.Sprint(len(e.values), nil)
}

func (p *plain) pop(now time.Time, key string) string {
	e := p.find(now, key)
	if e == nil || !e.list {
		return fmt.Sprint(shared.Value{}, false)
	}
	v := e.values[0]
	if e.values = e.values[1:]; len(e.values) == 0 {
		p.all = slices.DeleteFunc(p.all, func(o *plainEntry) bool { return o == e })
	}
	return fmt.Sprint(v, true)
}

func TestAgainstThePlainVersion(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		limit := 1 + rng.IntN(8)
		_, d := open(t, shared.Limits{Entries: limit}, "d")
		p := &plain{limit: limit}
		now := start
		for step := range 300 {
			key := fmt.Sprint(rng.IntN(10))
			v := shared.Number(float64(step))
			ttl := time.Duration(rng.IntN(4)) * time.Second
			var got, want, what string
			switch rng.IntN(6) {
			case 0:
				what = "set"
				got, want = fmt.Sprint(d.Set(now, key, v, ttl)), p.set(now, key, v, ttl)
			case 1:
				what = "push"
				n, err := d.Push(now, key, v)
				got, want = fmt.Sprint(n, err), p.push(now, key, v)
			case 2:
				what = "pop"
				x, ok := d.Pop(now, key)
				got, want = fmt.Sprint(x, ok), p.pop(now, key)
			case 3:
				what = "delete"
				e := p.find(now, key)
				got, want = fmt.Sprint(d.Delete(now, key)), fmt.Sprint(e != nil)
				p.all = slices.DeleteFunc(p.all, func(o *plainEntry) bool { return o == e })
			case 4:
				what = "get"
				x, ok := d.Get(now, key)
				got = fmt.Sprint(x, ok)
				want = fmt.Sprint(shared.Value{}, false)
				if e := p.find(now, key); e != nil && !e.list {
					want = fmt.Sprint(e.values[0], true)
				}
			case 5:
				what = "time"
				now = now.Add(time.Duration(rng.IntN(1500)) * time.Millisecond)
			}
			if got != want {
				t.Fatalf("seed %d, step %d, %s %s: %s, the plain version %s", seed, step, what, key, got, want)
			}
			p.find(now, "")
			var keys []string
			for _, e := range p.all {
				keys = append(keys, e.key)
			}
			slices.Sort(keys)
			if got := d.Keys(now); !slices.Equal(got, keys) {
				t.Fatalf("seed %d, step %d, %s %s: keys %v, the plain version %v", seed, step, what, key, got, keys)
			}
		}
	}
}
