package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/tunscript/tunscript/engine/filter"
	"github.com/tunscript/tunscript/engine/flow"
)

// Errors of an Engine.
var (
	ErrStopped  = errors.New("the engine has stopped: make a new one")
	ErrRunning  = errors.New("the engine runs already: it runs once")
	ErrOnWorker = errors.New("this would wait for the worker it is called on: call it from another goroutine")
)

// An Engine reads packets from its devices, has its programs decide about them,
// and writes what comes out. It runs once. Its methods are safe from any
// goroutine.
type Engine struct {
	cfg     Config
	log     *slog.Logger
	seed    uint64
	devices []*device
	workers []*worker // at least one; the first runs on the goroutine of Run

	callsLeft error // at the end of the run
	outcome   error // of the run, of who ended it first
	ending    bool  // somebody has: mu

	observers atomic.Pointer[[]observer]
	stores    stores
	directory *flow.Directory // of several workers
	owners    atomic.Uint32   // numbers of programs in flow tables, given out so far

	// turn is held while programs start, are exchanged or are stepped; never in a
	// run that has started. User code runs under it, so who asks for it on the
	// goroutine that holds it is refused (see take).
	turn   sync.Mutex
	holder atomic.Uint64 // that goroutine, 0 for none

	mu       sync.Mutex // no user code runs under it
	state    state
	programs []ProgramConfig
	profiles int           // how many want handlers timed
	done     chan struct{} // closed when everything has ended
}

type state uint8

const (
	made state = iota
	stepped
	running
	stopped
)

type device struct {
	dev     Device
	name    string
	config  DeviceConfig
	forward int
	queues  []Queue
	loss    error // why it is lost for good: Engine.mu
}

type observer struct {
	Observer
	filter *filter.Filter
	id     *int // identity: an Observer need not be comparable
}

// New checks all of the configuration and makes an engine, which takes the
// devices over. Programs start with Run, or the first Advance. If New fails the
// devices stay the caller's. Errors are *ConfigError, or a device's own.
func New(c Config) (*Engine, error) {
	devices, programs, err := c.check()
	if err != nil {
		return nil, err
	}
	e := &Engine{cfg: c, log: c.Log, seed: c.Seed, devices: devices, programs: programs, done: make(chan struct{})}
	if e.log == nil {
		e.log = slog.New(slog.DiscardHandler)
	}
	if e.seed == 0 {
		e.seed = rand.Uint64()
	}
	e.observers.Store(new([]observer))
	if !isNil(c.Observer) {
		e.addObserver(observer{c.Observer, nil, new(int)})
	}
	if err := e.hire(max(c.Workers, 1)); err != nil {
		return nil, err
	}
	if err := e.attach(); err != nil {
		e.dismiss()
		return nil, err
	}
	e.share()
	if w := e.workers[0]; c.Clock.virtual && c.Clock.start.IsZero() {
		w.moveTo(w.firstStamp())
	}
	return e, nil
}

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

// Run runs the engine on the calling goroutine until ctx ends, all input has
// ended, a program stops it, or all devices are lost. It returns nil when ctx
// ends, at the end of all input and after a stop with status 0; *ExitError after
// a stop with another status; *HandlerError where on_error says stop;
// *LostError; or what a program's Start returned. Afterwards devices are closed
// and nothing is left behind.
func (e *Engine) Run(ctx context.Context) (err error) {
	if ctx == nil {
		return errors.New("Run needs a context: give it context.Background()")
	}
	if err := e.take(); err != nil {
		return err
	}
	if err := e.begin(running); err != nil {
		e.release()
		return err
	}
	w := e.workers[0]
	w.goroutine.Store(goroutineID())
	defer w.goroutine.Store(0) // the last to happen: what runs at the end is on the worker, too
	defer func() {
		e.end()
		err = cmp.Or(err, e.callsLeft)
	}()
	stop := context.AfterFunc(ctx, func() { w.mail.send(func() { w.stop(nil) }, w.wake) })
	defer stop()
	err = e.startAll()
	e.release()
	switch {
	case err != nil:
		return err
	case e.cfg.Clock.virtual:
		return e.runVirtual()
	}
	e.work()
	return e.outcome
}

// take takes the turn, which release gives back. On the worker, and in what
// runs under the turn, it would wait for ever: ErrOnWorker.
func (e *Engine) take() error {
	if e.onWorker() {
		return ErrOnWorker
	}
	e.turn.Lock()
	e.holder.Store(goroutineID())
	return nil
}

func (e *Engine) release() {
	e.holder.Store(0)
	e.turn.Unlock()
}

// begin moves the engine on to the state s.
func (e *Engine) begin(s state) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.state == stopped:
		return ErrStopped
	case e.state == running, e.state == stepped && s == running:
		return ErrRunning
	}
	e.state = s
	return nil
}

// end takes everything down, once, on the worker or by who has the turn.
func (e *Engine) end() {
	e.mu.Lock()
	e.state = stopped
	e.mu.Unlock()
	e.closeWorkers()
	for _, d := range e.devices {
		if err := d.dev.Close(); err != nil {
			e.log.Warn("a device did not close cleanly", "device", d.name, "error", err)
		}
	}
	close(e.done)
}

// startAll starts every program in every worker, all or none, and lets them take effect.
func (e *Engine) startAll() error {
	for _, w := range e.workers {
		w.refresh()
	}
	all := make([][]*Scope, len(e.workers))
	for _, pc := range e.programs { // changed by who has the turn only
		scopes, err := e.prepareAll(pc)
		if err != nil {
			for _, scopes := range all {
				closeScopes(scopes)
			}
			return err
		}
		for i, s := range scopes {
			all[i] = append(all[i], s)
		}
	}
	for i, w := range e.workers {
		w.scopes = all[i]
		w.refresh()
		w.impair(w.impairments...)
		for _, s := range w.scopes {
			s.attach()
		}
		w.rebuild()
	}
	for _, w := range e.workers {
		for _, s := range w.scopes {
			s.start()
		}
		w.flush()
	}
	return nil
}

// prepareAll starts a program in a scope of each worker, all or none.
func (e *Engine) prepareAll(pc ProgramConfig) ([]*Scope, error) {
	var scopes []*Scope
	for _, w := range e.workers {
		s, err := w.prepare(pc)
		if err != nil {
			closeScopes(scopes)
			return nil, err
		}
		scopes = append(scopes, s)
	}
	return scopes, nil
}

// closeScopes takes back programs that never took part.
func closeScopes(scopes []*Scope) {
	for _, s := range scopes {
		s.close()
	}
}

// prepare starts a program in a scope that takes no part yet.
func (w *worker) prepare(pc ProgramConfig) (*Scope, error) {
	var devices []int
	for _, name := range pc.Devices {
		devices = append(devices, w.e.deviceIndex(name))
	}
	s := newScope(w, pc, devices, w.generation.Add(1))
	if err := pc.Program.Start(s); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// Close stops a running engine and waits until it has ended; one that does not
// run closes its devices. On a worker it is ErrOnWorker. Closing twice does
// nothing.
func (e *Engine) Close() error {
	if e.onWorker() {
		return ErrOnWorker
	}
	w := e.workers[0]
	w.mail.send(func() { w.stop(nil) }, w.wake) // a run, or a step under way, ends
	if err := e.take(); err != nil {
		return err
	}
	e.mu.Lock()
	state := e.state
	e.mu.Unlock()
	if state == made || state == stepped {
		e.end()
	}
	e.release()
	<-e.done
	return e.callsLeft
}

// Observe adds an observer while the engine runs or before; filter may be nil
// for everything. Calling stop removes it; an event that is under way may still
// reach it.
func (e *Engine) Observe(o Observer, f *filter.Filter) (stop func()) {
	if isNil(o) {
		return func() {}
	}
	id := new(int)
	e.addObserver(observer{o, f, id})
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		rest := slices.DeleteFunc(slices.Clone(*e.observers.Load()), func(o observer) bool { return o.id == id })
		e.observers.Store(&rest)
	}
}

func (e *Engine) addObserver(o observer) {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := append(slices.Clone(*e.observers.Load()), o)
	e.observers.Store(&all)
}

// watched reports whether anybody observes: all that observing costs where
// nobody does.
func (e *Engine) watched() bool { return len(*e.observers.Load()) > 0 }

func (e *Engine) deviceIndex(name string) int {
	return slices.IndexFunc(e.devices, func(d *device) bool { return d.name == name })
}

func (e *Engine) deviceNames() string { return names(e.devices) }

// lossError is what Run returns when all input has ended: nil unless every
// device is lost.
func (e *Engine) lossError() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	var losses []error
	for _, d := range e.devices {
		if d.loss != nil {
			losses = append(losses, d.loss)
		}
	}
	switch {
	case len(losses) < len(e.devices):
		return nil
	case len(losses) == 1:
		return losses[0]
	}
	return errors.Join(losses...)
}
