package engine

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// OnLost says what happens when a device fails while the engine runs.
type OnLost uint8

const (
	// OnLostWait goes on with the other devices, and takes this one back when it
	// returns. A device that is no Reopener cannot return: when all are lost so, Run
	// returns the losses.
	OnLostWait OnLost = iota
	OnLostStop        // ends the run with the *LostError
)

func (o OnLost) String() string {
	if o == OnLostStop {
		return "stop"
	}
	return "wait"
}

// A Reopener is a Device that may come back after it was lost.
type Reopener interface {
	Device

	// Reopen tries once to get the device back, and returns its new queues, as many as
	// Attach did. The Env of Attach still holds. The engine no longer uses the old
	// queues: Reopen closes them. It is called again, later and later (up to 2 s apart),
	// until it succeeds, and at once when the device calls Env.Wake. ErrClosed says that
	// the device was ended on purpose, errors.ErrUnsupported that it cannot come back.
	//
	// On the system's clock it has a goroutine of its own, may wait, and must return
	// soon after ctx ends. On a virtual clock it is called on the worker and must not
	// wait.
	Reopen(ctx context.Context) ([]Queue, error)
}

// How long after a loss, and then after each try, the next one comes: twice as long each
// time, as a device that is replaced by hand takes seconds or days.
const (
	reopenFirst = 50 * time.Millisecond
	reopenMost  = 2 * time.Second
)

// A LostError says that a device failed while the engine ran.
type LostError struct {
	Device string
	Err    error
}

func (e *LostError) Error() string { return "device " + e.Device + " is lost: " + e.Err.Error() }
func (e *LostError) Unwrap() error { return e.Err }

// away is a lane whose device is lost and may come back.
type away struct {
	loss     *LostError
	reopener Reopener
	since    time.Time
	pause    time.Duration // before the next try
	timer    *Timer        // of the next try
	cancel   context.CancelFunc
	busy     bool   // a try is under way
	said     string // the error of the last try
}

// endLane is told that no more packets will come from l for now, and why. The first
// worker sees to all devices that are lost.
func (w *worker) endLane(l *lane, err error) {
	w.leaveLane(l)
	if finished(err) {
		return
	}
	l.gone = true
	first := w.e.workers[0]
	if w == first {
		w.lose(l, err)
		return
	}
	first.mail.send(func() {
		if !first.ended {
			first.lose(first.devices[l.index], err)
		}
	}, first.wake)
}

// leaveLane has no more read from l.
func (w *worker) leaveLane(l *lane) {
	if !l.ended {
		l.ended = true
		w.waiter.remove(l.queue.FD())
	}
}

// lose sees to the loss of l's device, of which several workers may tell.
func (w *worker) lose(l *lane, err error) {
	if l.told {
		return
	}
	l.told, l.gone = true, true
	w.leaveLane(l)
	l.stats.gone.add(1)
	loss := &LostError{Device: l.name, Err: err}
	if w.e.watched() {
		w.observe(Event{Kind: Gone, Device: l.name, Err: loss, Reason: string(ReasonGone)})
	}
	r, returns := w.e.devices[l.index].dev.(Reopener)
	switch {
	case w.e.devices[l.index].config.OnLost == OnLostStop:
		w.e.log.Error("a device is lost, and the run ends with it", "device", l.name, "error", err)
		w.stop(loss)
	case !returns:
		w.e.log.Error("a device is lost", "device", l.name, "error", err)
		w.e.lostForGood(l.index, loss)
	default:
		w.e.log.Warn("a device is lost: it is taken back when it returns", "device", l.name, "error", err)
		l.ready.Store(false)
		l.away = &away{loss: loss, reopener: r, since: w.now, pause: reopenFirst}
		w.vacate(l)
	}
}

// lostForGood notes why a device will not come back.
func (e *Engine) lostForGood(device int, loss error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.devices[device].loss = loss
}

// vacate has the other workers let go of their queues of l's device, which its reopening
// closes, and then tries.
func (w *worker) vacate(l *lane) {
	others := w.e.workers[1:len(w.e.devices[l.index].queues)]
	left := len(others)
	if left == 0 {
		w.reopenLater(l)
	}
	for _, o := range others {
		o.mail.send(func() {
			if o.ended {
				return
			}
			theirs := o.devices[l.index]
			o.leaveLane(theirs)
			theirs.gone = true
			w.mail.send(func() {
				if left--; left == 0 && !w.ended {
					w.reopenLater(l)
				}
			}, w.wake)
		}, o.wake)
	}
}

// reopenLater has the next try come after a while.
func (w *worker) reopenLater(l *lane) {
	a := l.away
	a.timer = &Timer{fn: func() { w.reopen(l) }, due: later(w.now.UnixNano(), int64(a.pause)), at: -1}
	w.timers.add(a.timer)
	a.pause = min(2*a.pause, reopenMost)
}

// wokenAway tries at once to get those devices back that call for it. They come before
// the packets that may leave by them.
func (w *worker) wokenAway() {
	for _, l := range w.devices {
		if l.away != nil && !l.away.busy && l.ready.Swap(false) {
			w.reopen(l)
		}
	}
}

// reopen tries to get the device of l back.
func (w *worker) reopen(l *lane) {
	a := l.away
	switch {
	case a.timer == nil:
		return // not all workers have let go of it
	case a.timer.at >= 0:
		w.timers.remove(a.timer)
	}
	ctx, cancel := context.WithCancel(context.Background())
	a.busy, a.cancel = true, cancel
	if w.e.cfg.Clock.virtual {
		queues, err := a.reopener.Reopen(ctx)
		w.reopened(l, queues, err)
		return
	}
	c := &call{name: "reopening " + l.name}
	w.calls.begin(c)
	go func() {
		defer w.calls.end(c)
		queues, err := a.reopener.Reopen(ctx)
		if w.mail.send(func() { w.reopened(l, queues, err) }, w.wake) {
			return
		}
		cancel()
		// The run has ended meanwhile and left the old queues to this try.
		w.e.closeQueues(l.index)
		w.e.devices[l.index].queues = queues
		w.e.closeQueues(l.index)
	}()
}

// reopened takes the result of a try.
func (w *worker) reopened(l *lane, queues []Queue, err error) {
	a, d := l.away, w.e.devices[l.index]
	a.busy = false
	a.cancel()
	if err == nil && len(queues) != len(d.queues) {
		err = fmt.Errorf("it came back with %d queues and had %d", len(queues), len(d.queues))
	}
	if err == nil && d.dev.Info().Link != l.port.Link {
		err = errors.New("it came back with another kind of packets")
	}
	if len(queues) > 0 {
		d.queues = queues
	}
	switch {
	case w.ended: // and with the run all queues are closed
	case err == nil:
		l.away, l.told = nil, false
		for i, q := range queues[1:] {
			o := w.e.workers[i+1]
			o.mail.send(func() {
				if !o.ended {
					o.takeBack(o.devices[l.index], q)
				}
			}, o.wake)
		}
		w.takeBack(l, queues[0])
		w.e.log.Info("a device is back", "device", l.name, "after", w.now.Sub(a.since).Round(time.Millisecond))
		if w.e.watched() {
			w.observe(Event{Kind: Back, Device: l.name})
		}
	case finished(err):
		l.away = nil
	case errors.Is(err, errors.ErrUnsupported):
		l.away = nil
		w.e.lostForGood(l.index, a.loss)
		w.e.log.Error("a device is lost for good", "device", l.name, "error", err)
	default:
		if text := err.Error(); text != a.said {
			a.said = text
			w.e.log.Info("a lost device is not back yet", "device", l.name, "error", err)
		}
		w.reopenLater(l)
	}
}

// takeBack gives l the queue q of its device that has come back.
func (w *worker) takeBack(l *lane, q Queue) {
	l.ended, l.gone = false, false
	l.setQueue(q, q)
	w.idle.Store(false)
	l.ready.Store(true)
	w.change(l)
	if err := w.waiter.add(q.FD(), l.index); err != nil {
		w.endLane(l, err)
	}
}

// closeQueues closes what a device has for good.
func (e *Engine) closeQueues(device int) {
	d := e.devices[device]
	for _, q := range d.queues {
		if err := q.Close(); err != nil {
			e.log.Warn("a device did not close cleanly", "device", d.name, "error", err)
		}
	}
}
