package shared

import (
	"slices"
	"time"
)

// Dict is one dictionary.
type Dict struct {
	store *Store
	name  string
	m     map[string]*entry
}

// Name is its name in the store.
func (d *Dict) Name() string { return d.name }

// Get is the value of key.
func (d *Dict) Get(now time.Time, key string) (Value, bool) {
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	if e := d.find(now, key); e != nil && e.list == nil {
		return e.value, true
	}
	return Value{}, false
}

// Set stores v; with a ttl above 0 for so long, otherwise for good. It takes the place
// of whatever the key held.
func (d *Dict) Set(now time.Time, key string, v Value, ttl time.Duration) error {
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	return d.set(now, key, v, expiry(now, ttl))
}

// Add is Set where the key holds nothing; false where it does.
func (d *Dict) Add(now time.Time, key string, v Value, ttl time.Duration) (bool, error) {
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	if d.find(now, key) != nil {
		return false, nil
	}
	err := d.set(now, key, v, expiry(now, ttl))
	return err == nil, err
}

// Incr adds n to the number of key, from 0, and returns the sum. The expiry stays. It is
// one step: of several workers none loses the other's.
func (d *Dict) Incr(now time.Time, key string, n float64) (float64, error) {
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	if e := d.find(now, key); e != nil {
		if e.list != nil || e.value.kind != number {
			return 0, ErrType
		}
		e.value.num += n
		return e.value.num, nil
	}
	if err := d.set(now, key, Number(n), never); err != nil {
		return 0, err
	}
	return n, nil
}

// Delete takes the key away and reports whether it held anything.
func (d *Dict) Delete(now time.Time, key string) bool {
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	e := d.find(now, key)
	if e != nil {
		d.store.remove(e)
	}
	return e != nil
}

// TTL is how long the key will hold its value; 0 for good, and less than 0 if it holds
// none.
func (d *Dict) TTL(now time.Time, key string) time.Duration {
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	switch e := d.find(now, key); {
	case e == nil:
		return -1
	case e.expires == never:
		return 0
	default:
		return time.Duration(e.expires - now.UnixNano())
	}
}

// Expire changes how long the key holds what it holds, 0 for good, and reports whether
// it holds anything.
func (d *Dict) Expire(now time.Time, key string, ttl time.Duration) bool {
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	e := d.find(now, key)
	if e != nil {
		e.expires = expiry(now, ttl)
		d.store.order.moved(e)
	}
	return e != nil
}

// Push adds v to the end of the list of key, and returns the list's length.
func (d *Dict) Push(now time.Time, key string, v Value) (int, error) {
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	e, err := d.entry(now, key)
	switch {
	case err != nil:
		return 0, err
	case e.at >= 0 && e.list == nil:
		return 0, ErrType
	case !d.store.makeRoom(e, e.items+1, e.with(v)):
		return 0, ErrFull
	}
	return d.store.push(e, v), nil
}

// Pop takes the first of the list of key: what was pushed first.
func (d *Dict) Pop(now time.Time, key string) (Value, bool) {
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	e := d.find(now, key)
	if e == nil || e.list == nil {
		return Value{}, false
	}
	return d.store.pop(e), true
}

// Len is how many keys there are, those included whose time has come since.
func (d *Dict) Len() int {
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	return len(d.m)
}

// Keys are all keys, sorted.
func (d *Dict) Keys(now time.Time) []string {
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	d.store.expire(now)
	keys := make([]string, 0, len(d.m))
	for k := range d.m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// find is the entry of key, unless its time has come.
func (d *Dict) find(now time.Time, key string) *entry {
	e := d.m[key]
	if e != nil && e.expires <= now.UnixNano() {
		d.store.expired++
		d.store.remove(e)
		return nil
	}
	return e
}

// entry is that of key, made if there is none.
func (d *Dict) entry(now time.Time, key string) (*entry, error) {
	if key == "" || len(key) > MaxKey {
		return nil, ErrKey
	}
	d.store.expire(now)
	if e := d.m[key]; e != nil {
		return e, nil
	}
	return &entry{dict: d, key: key, at: -1, expires: never}, nil
}

// set stores v alone under key.
func (d *Dict) set(now time.Time, key string, v Value, expires int64) error {
	e, err := d.entry(now, key)
	if err != nil {
		return err
	}
	if !d.store.makeRoom(e, 1, len(key)+cost(v)) {
		return ErrFull
	}
	d.store.put(e, v, expires)
	return nil
}
