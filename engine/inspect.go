package engine

import (
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/tunscript/tunscript/engine/flow"
)

// ErrNotRunning says that what was asked of an engine needs one that runs.
var ErrNotRunning = errors.New("the engine does not run: call Run, or Advance, first")

// Do calls fn on a worker, from 1, between packets, with the scope that p has there; and
// waits for it. Worker and packets wait for fn, so it must be short. It fails with
// ErrNotRunning before the run, ErrStopped after it, ErrOnWorker, and *ConfigError for a
// worker or program that there is not.
func (e *Engine) Do(worker int, p Program, fn func(*Scope)) error {
	if worker < 1 || worker > len(e.workers) {
		return &ConfigError{fmt.Sprintf("worker %d", worker), fmt.Errorf("there is none: give 1 to %d", len(e.workers))}
	}
	w := e.workers[worker-1]
	found := false
	err := e.between(w, func() {
		i := slices.IndexFunc(w.scopes, func(s *Scope) bool { return s.program == p })
		if i >= 0 {
			found = true
			w.scopes[i].call(func() { fn(w.scopes[i]) })
		}
	})
	if err == nil && !found {
		return &ConfigError{"program " + p.Name(), errors.New("the engine does not have it")}
	}
	return err
}

// between runs fn on the worker, between packets, and waits for it.
func (e *Engine) between(w *worker, fn func()) error {
	if e.onWorker() {
		return ErrOnWorker
	}
	e.mu.Lock()
	state := e.state
	e.mu.Unlock()
	switch state {
	case made:
		return ErrNotRunning
	case stopped:
		return ErrStopped
	case stepped: // who has the turn is the worker
		if err := e.take(); err != nil {
			return err
		}
		defer e.release()
		if w.ended {
			return ErrStopped
		}
		fn()
		return nil
	}
	done := make(chan error, 1)
	sent := w.mail.send(func() {
		if w.ended {
			done <- ErrStopped
			return
		}
		fn()
		done <- nil
	}, w.wake)
	if !sent {
		return ErrStopped
	}
	return <-done
}

// FlowInfo is a flow of one worker.
type FlowInfo struct {
	Worker int // from 1
	flow.Info
}

// flowPage is how many places of a flow table are looked at between two packets.
const flowPage = 256

// Flows goes through the flows of all workers, a page at a time; the loop's body runs on
// the caller's goroutine and may take its time. What keeps it from going on, as Do fails,
// comes last.
func (e *Engine) Flows() iter.Seq2[FlowInfo, error] {
	return func(yield func(FlowInfo, error) bool) {
		for _, w := range e.workers {
			for from, more := uint32(0), true; more; more = from != 0 {
				var page []FlowInfo
				err := e.between(w, func() {
					if t := w.flows.table; t != nil {
						from = t.List(w.now, from, flowPage, func(f flow.Info) { page = append(page, FlowInfo{w.index + 1, f}) })
					}
				})
				if err != nil {
					yield(FlowInfo{}, err)
					return
				}
				for _, f := range page {
					if !yield(f, nil) {
						return
					}
				}
			}
		}
	}
}

// Unrule takes back the rules about these flows, see flow.Flow.Unrule, and returns about
// how many there were some. It fails as Do does.
func (e *Engine) Unrule(flows []FlowInfo) (n int, err error) {
	for _, w := range e.workers {
		for page := range slices.Chunk(flows, flowPage) {
			err := e.between(w, func() {
				for _, f := range page {
					if f.Worker == w.index+1 && f.Flow.Unrule() {
						n++
					}
				}
			})
			if err != nil {
				return n, err
			}
		}
	}
	return n, nil
}
