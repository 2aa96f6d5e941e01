package engine

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/tunscript/tunscript/engine/packet"
)

// Errors of a Scope.
var (
	ErrScopeClosed = errors.New("the program has ended: its scope does nothing any more")
	ErrDetached    = errors.New("nothing can be sent while a program starts: use Scope.Started, or a handler or timer")
	ErrTaken       = errors.New("the packet was given away before: send a Clone of it")
	ErrNoWayOut    = errors.New("the packet has no way out: set one with Scope.SetOut, or name a device's forward")
	ErrFull        = errors.New("the queue of posts is full: try again later")

	errNoPacket   = errors.New("the packet is nil: look at the error of what made it")
	errNoFunction = errors.New("the function is nil: there is nothing to call")
)

// A Scope is what a program does everything through: one for each worker and
// start of the program. Closing it, which the engine does, takes all of it back.
// It is used on its worker only, and by Program.Start; Post alone is safe from
// any goroutine.
type Scope struct {
	w       *worker
	program Program
	config  ProgramConfig
	devices []int // indexes the program is attached to; nil: all
	home    int   // index of the device that SetHome said, plus 1

	handles     []*Handle
	timers      map[*Timer]struct{}
	waiting     []*Timer // made while detached
	waits       *waits   // nil until the first Await
	impairments []*Impairment
	started     []func()
	onStop      func() any
	onEnd       []func()
	onReload    func(any)
	rand        *rand.Rand
	value       any
	born        time.Time // what Now says while detached
	made        int       // handlers registered so far
	attached    bool
	closed      bool
	conduct     conduct
	restarts    int       // since then
	since       time.Time // of the first Restart that counts

	post struct { // any goroutine
		sync.Mutex
		early  []func() // posted while detached
		on     bool     // attached
		closed bool
	}
}

func newScope(w *worker, c ProgramConfig, devices []int, generation uint64) *Scope {
	seed := w.seed + 0x9e3779b97f4a7c15*(generation+1)
	var name uint64 = 14695981039346656037 // FNV-1a: programs of one engine draw different numbers
	for _, b := range []byte(c.Program.Name()) {
		name = (name ^ uint64(b)) * 1099511628211
	}
	return &Scope{
		w: w, program: c.Program, config: c, devices: devices,
		timers: map[*Timer]struct{}{},
		rand:   rand.New(rand.NewPCG(seed, name)),
		born:   w.clock(),
	}
}

// Name is the program's name.
func (s *Scope) Name() string { return s.program.Name() }

// Now is the engine's time: on the system's clock that of the batch in hand.
func (s *Scope) Now() time.Time {
	if !s.attached { // on the goroutine of a Swap
		return s.born
	}
	return s.w.now
}

// Rand is the program's source of chance, seeded from the engine's seed.
func (s *Scope) Rand() *rand.Rand { return s.rand }

// Worker is this worker's number, from 1.
func (s *Scope) Worker() int { return s.w.index + 1 }

// SetValue has the scope keep v, for who meets it again: in Engine.Do.
func (s *Scope) SetValue(v any) { s.value = v }

// Value is what SetValue was given last.
func (s *Scope) Value() any { return s.value }

// Attached reports whether the program takes part: Start has returned and the
// exchange that brings it in has happened.
func (s *Scope) Attached() bool { return s.attached && !s.closed }

// Devices are the devices that the program is attached to, as they are now.
func (s *Scope) Devices() []Info {
	var out []Info
	for i, d := range s.w.e.devices {
		if s.sees(i) {
			out = append(out, d.dev.Info())
		}
	}
	return out
}

// Device is the engine's device of that name, as it is now.
func (s *Scope) Device(name string) (Info, bool) {
	i := s.w.e.deviceIndex(name)
	if i < 0 {
		return Info{}, false
	}
	return s.w.e.devices[i].dev.Info(), true
}

func (s *Scope) sees(device int) bool {
	if s.devices == nil {
		return true
	}
	for _, d := range s.devices {
		if d == device {
			return true
		}
	}
	return false
}

// Pool is the worker's pool of packets; nil, which allocates, while the program
// starts.
func (s *Scope) Pool() *packet.Pool {
	if !s.attached {
		return nil
	}
	return &s.w.pool
}

// Started calls fn when the program takes effect, when its devices are open and
// packets can be sent; at once if it has already.
func (s *Scope) Started(fn func()) {
	switch {
	case fn == nil || s.closed:
	case s.attached:
		fn()
	default:
		s.started = append(s.started, fn)
	}
}

// OnStop calls fn when the program ends. What it returns is handed to OnReload
// of the program that comes in its place.
func (s *Scope) OnStop(fn func() any) { s.onStop = fn }

// OnEnd calls fn when the scope has been closed, whether its program took effect
// or not: for what Start has opened; at once if it is closed already.
func (s *Scope) OnEnd(fn func()) {
	switch {
	case fn == nil:
	case s.closed:
		fn()
	default:
		s.onEnd = append(s.onEnd, fn)
	}
}

// OnReload calls fn when the program comes in another's place, with what that
// one's OnStop returned, nil if nothing.
func (s *Scope) OnReload(fn func(old any)) { s.onReload = fn }

// Post calls fn on the worker, between packets; what is posted while the program
// starts waits until it takes effect. It is safe from any goroutine, never waits,
// and returns ErrFull when too many calls are waiting and ErrScopeClosed when the
// program has ended.
func (s *Scope) Post(fn func()) error {
	if fn == nil {
		return errNoFunction
	}
	s.post.Lock()
	defer s.post.Unlock()
	switch {
	case s.post.closed:
		return ErrScopeClosed
	case s.post.on:
		return s.w.mail.post(func() { s.call(fn) }, s.w.wake)
	case len(s.post.early) >= ringRoom:
		return ErrFull
	}
	s.post.early = append(s.post.early, fn)
	return nil
}

// call runs fn as the program's, unless that has ended.
func (s *Scope) call(fn func()) {
	if !s.closed {
		s.w.last = s
		s.w.turn++
		fn()
	}
}

// Fail reports an error of the program that is no handler's: of a timer, say. It
// is counted and shown; of a program that starts, when it takes effect.
func (s *Scope) Fail(err error) {
	switch {
	case err == nil:
	case s.attached:
		s.noteFailure(err)
		s.w.report(s.Name(), "", err, nil)
	case s.closed: // it never took part, and this may be any goroutine
		s.w.e.log.Error("a program that did not start failed", "program", s.Name(), "error", err)
	default:
		s.started = append(s.started, func() { s.Fail(err) })
	}
}

// Turn numbers what the worker has in hand, a packet, timer or post: it is the same for
// all that a program does about one of them.
func (s *Scope) Turn() uint64 {
	if !s.attached {
		return 0
	}
	return s.w.turn
}

// Stop ends the run after the packet in hand: Run returns nil for status 0, an
// *ExitError for any other. With ProgramConfig.Confined it ends the program and nobody
// else.
func (s *Scope) Stop(status int) {
	switch {
	case !s.attached || s.closed:
	case s.config.Confined:
		s.w.e.log.Info("a program has ended itself", "program", s.Name(), "status", status)
		s.leave()
	default:
		s.w.stop(statusError(status))
	}
}

// prune forgets cancelled handlers; those that were switched off stay, to be
// counted.
func (s *Scope) prune() {
	s.handles = slices.DeleteFunc(s.handles, func(h *Handle) bool { return !h.on && !h.stats.off.Load() })
}

// dirty has the chain made anew before the next packet.
func (s *Scope) dirty() {
	if s.attached {
		s.w.stale = true
	}
}

// attach makes the scope take part. It cannot fail.
func (s *Scope) attach() {
	s.attached = true
	for _, t := range s.waiting {
		if t.fn != nil {
			t.due = later(s.w.now.UnixNano(), t.due)
			s.w.timers.add(t)
		}
	}
	s.waiting = nil
	s.w.impair(s.impairments...)
	s.w.stale = true
}

// start runs what waited for the devices. It comes after attach of all scopes of
// an exchange.
func (s *Scope) start() {
	s.w.last = s
	for len(s.started) > 0 && !s.closed {
		fn := s.started[0]
		s.started = s.started[1:]
		fn()
	}
	s.post.Lock()
	early := s.post.early
	s.post.early, s.post.on = nil, true
	s.post.Unlock()
	for _, fn := range early {
		s.call(fn)
	}
}

// close takes back everything and returns what OnStop says.
func (s *Scope) close() (old any) {
	if s.closed {
		return nil
	}
	if s.onStop != nil && s.attached {
		s.w.last = s
		old = s.onStop()
	}
	s.closed = true
	s.post.Lock()
	s.post.closed, s.post.early = true, nil
	s.post.Unlock()
	for t := range s.timers {
		t.Cancel()
	}
	for _, h := range s.handles {
		h.on = false
	}
	s.w.cancelCalls(s)
	for len(s.impairments) > 0 {
		s.impairments[0].Cancel()
	}
	s.started, s.waiting, s.waits = nil, nil, nil
	s.dirty()
	for _, fn := range s.onEnd {
		fn()
	}
	// What is kept with a flow holds the scope, and outlives it: not so all that the
	// program has.
	s.handles, s.timers, s.onEnd, s.onStop, s.onReload, s.value = nil, nil, nil, nil, nil, nil
	if s.w.last == s {
		s.w.last = nil // all that the program holds hangs on it
	}
	return old
}
