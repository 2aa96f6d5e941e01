package engine

import (
	"cmp"
	"context"
	"errors"
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
