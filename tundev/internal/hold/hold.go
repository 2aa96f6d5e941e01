// Package hold keeps who has a device: its owner, an engine, or nobody any more.
//
// A descriptor that is closed while another goroutine reads it may be a stranger's
// by the time of the read: the kernel gives the number to the next file. So the
// device of an engine is closed in two steps. [Hold.Close] marks and wakes; the
// worker sees the mark at its next read and releases what it alone uses.
package hold

import (
	"sync"
	"sync/atomic"

	"github.com/tunscript/tunscript/engine"
)

// Hold is embedded in a device with one queue. The zero value is an open device
// that nobody uses. Safe for concurrent use.
type Hold struct {
	mu     sync.Mutex
	env    engine.Env
	used   bool
	marked bool
	closed atomic.Bool // marked, for the packet path
}

// Attach gives the device to an engine: engine.ErrClosed, engine.ErrInUse or nil.
func (h *Hold) Attach(env engine.Env) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.marked:
		return engine.ErrClosed
	case h.used:
		return engine.ErrInUse
	}
	h.env, h.used = env, true
	return nil
}

// Detach takes Attach back. It calls release if the device was closed meanwhile:
// no worker will.
func (h *Hold) Detach(release func() error) {
	h.mu.Lock()
	late := h.used && h.marked
	h.env, h.used = engine.Env{}, false
	h.mu.Unlock()
	if late {
		release()
	}
}

// Close marks the device as closed. In use it wakes the worker, which releases;
// else it calls release itself. The second call does nothing.
func (h *Hold) Close(release func() error) error {
	h.mu.Lock()
	first := !h.marked
	used, wake := h.used, h.env.Wake
	h.marked = true
	h.closed.Store(true)
	h.mu.Unlock()
	switch {
	case !first:
		return nil
	case !used:
		return release()
	case wake != nil:
		wake(0)
	}
	return nil
}

// Release marks the device as closed for good: its worker released it.
func (h *Hold) Release() {
	h.mu.Lock()
	h.marked = true
	h.closed.Store(true)
	h.env, h.used = engine.Env{}, false
	h.mu.Unlock()
}

// Closed reports that somebody closed the device.
func (h *Hold) Closed() bool { return h.closed.Load() }

// Env is what the engine gave; false if there is no engine.
func (h *Hold) Env() (engine.Env, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.env, h.used
}
