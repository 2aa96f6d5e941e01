package engine

import (
	"errors"
	"fmt"
)

// attach takes the devices over, all or none.
func (e *Engine) attach() error {
	for i, d := range e.devices {
		if err := e.attachOne(i, d); err != nil {
			for j := range i {
				e.unwatch(j)
				e.devices[j].dev.Detach()
			}
			return &ConfigError{"device " + d.name, err}
		}
	}
	for _, w := range e.workers {
		for i, d := range e.devices {
			w.devices[i].apart = d.config.Apart
			if d.forward >= 0 {
				w.devices[i].way = w.devices[d.forward].port
			}
		}
	}
	return nil
}

// attachOne takes the device d over and gives each worker its queue of it.
func (e *Engine) attachOne(i int, d *device) (err error) {
	queues, err := d.dev.Attach(Env{Now: e.workers[0].clock, Virtual: e.cfg.Clock.virtual, Wake: func(queue int) {
		if queue < len(e.workers) {
			e.workers[queue].wakeQueue(i)
		}
	}, Changed: func() {
		for _, w := range e.workers {
			w.changed(w.devices[i])
		}
	}})
	if err != nil {
		return err
	}
	switch {
	case len(queues) == 0:
		err = errors.New("it has no queue")
	case len(queues) > len(e.workers):
		err = fmt.Errorf("it has %d queues and the engine %d workers: what comes in by the others would be lost", len(queues), len(e.workers))
	case e.cfg.Clock.virtual && queues[0].FD() >= 0:
		err = errors.New("it has a descriptor, and packets of the kernel do not keep to a virtual clock: use tundev.Pipe or a capture")
	default:
		d.queues = queues
		info := d.dev.Info()
		port := info.port(i)
		for k, w := range e.workers {
			l := w.devices[i]
			l.info, l.port = info, port
			if k >= len(queues) {
				l.ended = true // others read it
				l.setQueue(nil, queues[0])
				continue
			}
			if err = w.waiter.add(queues[k].FD(), i); err != nil {
				break
			}
			l.setQueue(queues[k], queues[0])
		}
	}
	if err != nil {
		e.unwatch(i)
		d.dev.Detach()
	}
	return err
}

// unwatch takes the queues of device i out of every sleep.
func (e *Engine) unwatch(i int) {
	for _, w := range e.workers {
		if q := w.devices[i].queue; q != nil {
			w.waiter.remove(q.FD())
		}
	}
}
