package tundev

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/tundev/internal/hold"
)

// Device is a TUN or TAP device, or an end of a Pipe. It is an engine.Device: an
// engine reads and writes it. Safe for concurrent use.
type Device struct {
	hold  hold.Hold
	info  atomic.Pointer[engine.Info]
	mu    sync.Mutex // of changes to what follows, and to info
	queue queue
}

// queue is the one lane of a device.
type queue interface {
	engine.Queue
	attached(env engine.Env) // before the worker's first call
	detached()
	marked() // by Close, from any goroutine

	// retire lets go of what was lost; the queue may be reopened or closed after it.
	retire()
	// reopen is the queue of the device that is back; the old one has retired.
	reopen(ctx context.Context) (queue, error)
}

var _ engine.Reopener = (*Device)(nil)

// Info is what the device is. In use it follows what the kernel says; else it is what
// that said when the device was opened.
func (d *Device) Info() engine.Info { return *d.info.Load() }

// Attach gives the device to an engine, which then closes it.
func (d *Device) Attach(env engine.Env) ([]engine.Queue, error) {
	if err := d.hold.Attach(env); err != nil {
		return nil, err
	}
	q := d.lane()
	q.attached(env)
	return []engine.Queue{q}, nil
}

// Reopen gets a lost device back, for the engine that has it. One that Open created is
// made anew, with all its settings; one that was there before is waited for. A device of
// FromFD comes back by Config.Reopen. Without an engine it is an engine.ErrClosed.
func (d *Device) Reopen(ctx context.Context) ([]engine.Queue, error) {
	env, ok := d.hold.Env()
	if !ok || d.hold.Closed() {
		return nil, engine.ErrClosed
	}
	old := d.lane()
	old.retire()
	q, err := old.reopen(ctx)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	d.queue = q
	d.mu.Unlock()
	q.attached(env)
	return []engine.Queue{q}, nil
}

// update changes the snapshot, and has the engine look at it.
func (d *Device) update(change func(*engine.Info)) {
	d.mu.Lock()
	var in engine.Info
	if was := d.info.Load(); was != nil {
		in = *was
	}
	change(&in)
	d.info.Store(&in)
	d.mu.Unlock()
	if env, ok := d.hold.Env(); ok && env.Changed != nil {
		env.Changed()
	}
}

// Detach takes Attach back.
func (d *Device) Detach() {
	q := d.lane()
	q.detached()
	d.hold.Detach(q.Close)
}

// lane is the queue as it is now.
func (d *Device) lane() queue {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.queue
}

// Close ends the device. In use it returns before the engine has let go of it.
func (d *Device) Close() error {
	q := d.lane()
	err := d.hold.Close(q.Close)
	q.marked()
	return err
}
