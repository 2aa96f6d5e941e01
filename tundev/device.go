package tundev

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/tundev/internal/hold"
)

// Device is a TUN or TAP device, or an end of a Pipe. It is an engine.Device: an
// engine reads and writes it. Safe for concurrent use.
type Device struct {
	hold   hold.Hold
	info   atomic.Pointer[engine.Info]
	mu     sync.Mutex // of changes to what follows, and to info
	queues []queue    // at least one
}

// queue is a lane of a device.
type queue interface {
	engine.Queue
	attached(env engine.Env) // before the worker's first call
	detached()
	marked() // by Close, from any goroutine

	// retire lets go of what was lost; the queue may be reopened or closed after it.
	retire()
	// reopen are the queues of the device that is back, asked of the first of the old
	// ones; all of them have retired.
	reopen(ctx context.Context) ([]queue, error)
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
	return d.attached(env), nil
}

// attached tells the queues of their engine.
func (d *Device) attached(env engine.Env) (all []engine.Queue) {
	for i, q := range d.lanes() {
		own := env
		if env.Wake != nil {
			own.Wake = func(int) { env.Wake(i) }
		}
		q.attached(own)
		all = append(all, q)
	}
	return all
}

// Reopen gets a lost device back, for the engine that has it. One that Open created is
// made anew, with all its settings; one that was there before is waited for. A device of
// FromFD comes back by Config.Reopen. Without an engine it is an engine.ErrClosed.
func (d *Device) Reopen(ctx context.Context) ([]engine.Queue, error) {
	env, ok := d.hold.Env()
	if !ok || d.hold.Closed() {
		return nil, engine.ErrClosed
	}
	old := d.lanes()
	for _, q := range old {
		q.retire()
	}
	queues, err := old[0].reopen(ctx)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	d.queues = queues
	d.mu.Unlock()
	return d.attached(env), nil
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
	for _, q := range d.lanes() {
		q.detached()
	}
	d.hold.Detach(d.release)
}

// lanes are the queues as they are now.
func (d *Device) lanes() []queue {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.queues
}

// release closes what no engine has.
func (d *Device) release() error {
	var errs []error
	for _, q := range d.lanes() {
		errs = append(errs, q.Close())
	}
	return errors.Join(errs...)
}

// Close ends the device. In use it returns before the engine has let go of it.
func (d *Device) Close() error {
	err := d.hold.Close(d.release)
	for i, q := range d.lanes() {
		q.marked()
		if env, ok := d.hold.Env(); ok && env.Wake != nil && i > 0 { // the first is woken
			env.Wake(i)
		}
	}
	return err
}
