package tundev

import (
	"sync/atomic"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/tundev/internal/hold"
)

// Device is a TUN or TAP device, or an end of a Pipe. It is an engine.Device: an
// engine reads and writes it. Safe for concurrent use.
type Device struct {
	hold  hold.Hold
	info  atomic.Pointer[engine.Info]
	queue queue
}

// queue is the one lane of a device.
type queue interface {
	engine.Queue
	attached(env engine.Env) // before the worker's first call
	detached()
	marked() // by Close, from any goroutine
}

var _ engine.Device = (*Device)(nil)

// Info is what the device is: for a TUN or TAP device what the kernel said when it was
// opened. An MTU that is raised later is noticed when the first packet comes that the
// buffers are too small for.
func (d *Device) Info() engine.Info { return *d.info.Load() }

// Attach gives the device to an engine, which then closes it.
func (d *Device) Attach(env engine.Env) ([]engine.Queue, error) {
	if err := d.hold.Attach(env); err != nil {
		return nil, err
	}
	d.queue.attached(env)
	return []engine.Queue{d.queue}, nil
}

// Detach takes Attach back.
func (d *Device) Detach() {
	d.queue.detached()
	d.hold.Detach(d.queue.Close)
}

// Close ends the device. In use it returns before the engine has let go of it.
func (d *Device) Close() error {
	err := d.hold.Close(d.queue.Close)
	d.queue.marked()
	return err
}
