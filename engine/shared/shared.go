// Package shared is dictionaries that outlive the program that filled them, and that
// several programs and workers may use: of strings, numbers and booleans, bounded, with
// an expiry for those who want one.
//
// A [Store] holds the dictionaries that are bounded together. When it is full the entry
// nearest to its expiry goes, then the oldest, and is counted: a flood of keys costs a
// script its old entries and nobody memory. The package knows neither packets nor
// clocks: every call says what time it is. So a store is repeatable on a virtual clock,
// where it has one worker.
//
// Everything here is safe for concurrent use; one lock guards a store, as a program's
// workers mean the same entries.
package shared

import (
	"cmp"
	"errors"
	"fmt"
	"sync"
)

// Bounds that are no configuration's.
const (
	MaxDicts = 1000    // dictionaries in a store
	MaxKey   = 1 << 10 // bytes of a key
	overhead = 160     // bytes that an entry costs beside key and value, measured
)

// Errors of a dictionary. They end with what to do, and are a script's misuse but for
// ErrType and ErrFull.
var (
	ErrKey   = fmt.Errorf("a key has 1 to %d bytes: use a shorter one", MaxKey)
	ErrDicts = fmt.Errorf("more than %d dictionaries: use keys for what varies, not names", MaxDicts)
	ErrType  = errors.New("the key holds something else: delete it first")
	ErrFull  = errors.New("the value does not fit: raise limits.shared or limits.memory, or store less")
)

// Limits bound a store.
type Limits struct {
	Entries int // entries and items of lists; 0: 100,000
	Bytes   int // of keys and values, and what they cost; 0: 64 MiB
}

// Store is dictionaries that are bounded together.
type Store struct {
	mu      sync.Mutex
	limits  Limits
	dicts   map[string]*Dict
	order   order
	seq     uint64
	entries int
	bytes   int
	evicted uint64
	expired uint64
}

// NewStore is an empty one.
func NewStore(l Limits) *Store {
	return &Store{
		limits: Limits{cmp.Or(l.Entries, 100_000), cmp.Or(l.Bytes, 64<<20)},
		dicts:  map[string]*Dict{},
	}
}

// Stats counts what a store holds and has lost.
type Stats struct {
	Entries, Bytes   int
	Evicted, Expired uint64 // for want of room; as their time had come
}

// Stats are those of now.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{s.entries, s.bytes, s.evicted, s.expired}
}

// Dict is the dictionary of that name, made if there is none.
func (s *Store) Dict(name string) (*Dict, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.dicts[name]; d != nil {
		return d, nil
	}
	if len(s.dicts) >= MaxDicts {
		return nil, ErrDicts
	}
	d := &Dict{store: s, name: name, m: map[string]*entry{}}
	s.dicts[name] = d
	return d, nil
}
