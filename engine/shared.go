package engine

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/tunscript/tunscript/engine/flow"
	"github.com/tunscript/tunscript/engine/shared"
)

// stores are the dictionaries of an engine: those that programs have in common, each
// with a store of its own so that none can push out another's entries. A program's
// own stand with its place in the configuration, and so outlive a Swap.
type stores struct {
	mu     sync.Mutex
	common map[string]*shared.Store
}

// own is what is one program's and outlives a Swap.
type own struct {
	mu    sync.Mutex
	store *shared.Store // of its dictionaries, made when it is first asked for
	flows atomic.Uint32 // its flow.Owner; 0 until it asks for a flow
}

// owner is the program's number in flow tables, 0 until it asks for a flow.
func (o *own) owner() flow.Owner { return flow.Owner(o.flows.Load()) }

// Shared is the dictionary of that name: one that ProgramConfig.Shared names is the same
// for every program that does; any other is this program's own, in all workers and after
// every Swap. It fails with shared.ErrDicts. Times are the caller's to give: Scope.Now.
func (s *Scope) Shared(name string) (*shared.Dict, error) {
	e := s.w.e
	if slices.Contains(s.config.Shared, name) {
		e.stores.mu.Lock()
		defer e.stores.mu.Unlock()
		if e.stores.common[name] == nil {
			if e.stores.common == nil {
				e.stores.common = map[string]*shared.Store{}
			}
			e.stores.common[name] = shared.NewStore(e.cfg.Shared)
		}
		return e.stores.common[name].Dict(name)
	}
	o := s.config.own
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.store == nil {
		o.store = shared.NewStore(e.cfg.Shared)
	}
	return o.store.Dict(name)
}

// sharedStats are those of all dictionaries together.
func (e *Engine) sharedStats() (sum shared.Stats) {
	add := func(s *shared.Store) {
		if s == nil {
			return
		}
		st := s.Stats()
		sum.Entries += st.Entries
		sum.Bytes += st.Bytes
		sum.Evicted += st.Evicted
		sum.Expired += st.Expired
	}
	e.stores.mu.Lock()
	defer e.stores.mu.Unlock()
	for _, s := range e.stores.common {
		add(s)
	}
	for _, o := range *e.workers[0].owns.Load() {
		o.mu.Lock()
		add(o.store)
		o.mu.Unlock()
	}
	return sum
}
