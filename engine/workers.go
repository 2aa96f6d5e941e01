package engine

import (
	"errors"
	"sync"
	"time"
)

// MaxWorkers is how many workers an engine may have: as many as a TUN device has queues.
const MaxWorkers = 256

// hire makes n workers, which have no queue yet.
func (e *Engine) hire(n int) error {
	for i := range n {
		w := newWorker(e, i)
		var err error
		if w.impairments, err = e.cfg.impairments(e.devices); err != nil {
			e.dismiss()
			return err
		}
		w.moveTo(e.cfg.Clock.start)
		for i, d := range e.devices {
			l := &lane{index: i, name: d.name}
			l.ready.Store(true)
			w.devices = append(w.devices, l)
		}
		if w.waiter, err = newWaiter(e.cfg.Wait, func(i int) { w.devices[i].ready.Store(true) }); err != nil {
			e.dismiss()
			return err
		}
		if n > 1 {
			w.over = make([][]item, n)
		}
		e.workers = append(e.workers, w)
	}
	return nil
}

// dismiss lets go of workers that have never worked.
func (e *Engine) dismiss() {
	for _, w := range e.workers {
		w.waiter.close()
	}
}

// part is a worker's part of what all may have together.
func (e *Engine) part(all int) int {
	n := max(e.cfg.Workers, 1)
	return (all + n - 1) / n
}

// seedOf is the worker's own share of chance, from which all its sources are seeded.
func seedOf(seed uint64, worker int) uint64 { return seed + uint64(worker)*0xd1342543de82ef95 }

// work runs until the run ends, on the system's clock: the first worker here, each other
// one on a goroutine of its own.
func (e *Engine) work() {
	var others sync.WaitGroup
	for _, w := range e.workers[1:] {
		others.Go(func() {
			w.goroutine.Store(goroutineID())
			w.loop()
		})
	}
	e.workers[0].loop()
	others.Wait()
	for _, w := range e.workers[1:] {
		w.goroutine.Store(0)
	}
}

// stop ends the run with err; the first worker to say so counts.
func (w *worker) stop(err error) {
	if w.ended {
		return
	}
	w.ended = true
	e := w.e
	e.mu.Lock()
	first := !e.ending
	if first {
		e.ending, e.outcome = true, err
	}
	e.mu.Unlock()
	if !first {
		return
	}
	for _, o := range e.workers {
		if o != w {
			o.mail.send(func() { o.stop(nil) }, o.wake)
		}
	}
}

// closeWorkers ends everything that the workers have. Their goroutines have ended, or
// there were none.
func (e *Engine) closeWorkers() {
	for _, w := range e.workers {
		w.closePrograms()
	}
	for i := len(e.workers) - 1; i >= 0; i-- {
		e.deliver(e.workers[i])
	}
	for _, w := range e.workers {
		w.flush()
		w.empty()
	}
	for i, l := range e.workers[0].devices {
		if l.away != nil && l.away.busy { // who tries to get it back closes it
			l.away.cancel()
			continue
		}
		e.closeQueues(i)
	}
	until := time.Now().Add(callsStay)
	var left []error
	for _, w := range e.workers {
		w.waiter.close()
		w.tellAgain()
		left = append(left, w.calls.settle(until))
	}
	e.callsLeft = errors.Join(left...)
	if len(left) == 1 {
		e.callsLeft = left[0]
	}
}
