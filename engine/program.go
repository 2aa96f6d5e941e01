package engine

import (
	"cmp"
	"fmt"
	"time"

	"github.com/tunscript/tunscript/engine/filter"
	"github.com/tunscript/tunscript/engine/packet"
)

// A Program is what decides: a Lua script, or Go. Programs are compared by
// identity, so an implementation is a pointer.
type Program interface {
	// Name is what log, counters and captures call it.
	Name() string

	// Start registers handlers and timers, once for every worker, one after the other,
	// and once more after every Swap that brings the program in. The scope is detached: nothing
	// can be sent yet, and timers count from the moment it takes effect. An error
	// means that the program does not start and changes nothing.
	Start(*Scope) error
}

// ProgramFunc is a Program made of a function.
func ProgramFunc(name string, start func(*Scope) error) Program {
	return &programFunc{name, start}
}

type programFunc struct {
	name  string
	start func(*Scope) error
}

func (p *programFunc) Name() string         { return p.name }
func (p *programFunc) Start(s *Scope) error { return p.start(s) }

// A Handler looks at packets and decides about them.
type Handler struct {
	Name   string         // for log, counters and captures; "" becomes the program's name and a number
	Filter string         // pcap-filter(7) text; "" wants everything
	Match  *filter.Filter // the same, compiled; used instead of Filter if not nil
	Place  string         // where it is written, such as "gate.lua:3", for who looks for it; "" if nobody knows
	Device string         // only packets that came in here; "" means all devices of the program
	Prio   int            // -100 to 100, lowest first
	Super  bool           // super-packets come whole; else in pieces of the MTU
	// Defrag has fragments come joined: to this handler, its filter included, and to
	// all behind it in the chain, of whatever program. What the program waits for
	// stands in front of its handlers of prio 0 and sees datagrams if one of less does.
	Defrag bool
	// OnError says what becomes of the packet when Run fails; zero means the program's.
	OnError OnError
	// DisableAfter is how many failures within 64 packets switch it off; 0: as many as the
	// program's, negative: none do.
	DisableAfter int
	// Run gets a packet that is borrowed until it returns. It must not wait.
	Run func(*packet.Packet) Verdict
}

// Limits of Handler.Prio and ProgramConfig.Prio.
const (
	MinPrio = -100
	MaxPrio = 100
)

// OnError says what becomes of a packet whose handler fails.
type OnError uint8

const (
	onErrorUnset OnError = iota
	OnErrorDrop          // the default
	OnErrorPass          // forward it as it now is
	OnErrorStop          // drop it, and end the run with the error
)

func (o OnError) String() string {
	switch o {
	case OnErrorPass:
		return "pass"
	case OnErrorStop:
		return "stop"
	}
	return "drop"
}

func (o OnError) or(other OnError) OnError { return cmp.Or(o, other) }

// A Handle is a registered handler.
type Handle struct {
	scope  *Scope
	order  int // of registration in its program
	h      Handler
	filter *filter.Filter
	on     bool
	device int // index, -1 for all

	history uint64 // one bit for each of the last 64 packets, set where it failed

	untimed   func(*packet.Packet) Verdict // what h.Run was before it was timed; nil: it is not
	lastTimed time.Time
	stats     handlerCounters
}

// Cancel ends the handler, from the next packet on. Cancelling twice does nothing.
func (h *Handle) Cancel() {
	if h != nil && h.on {
		h.on = false
		h.scope.dirty()
	}
}

// Name is the handler's name in log, counters and captures.
func (h *Handle) Name() string { return h.h.Name }

// Handle registers a handler. While the program starts it takes effect with the
// program, later from the next packet on. It fails for a filter that does not
// compile (*filter.SyntaxError), an unknown device, a Prio out of range, or a
// nil Run.
func (s *Scope) Handle(h Handler) (*Handle, error) {
	if s.closed {
		return nil, ErrScopeClosed
	}
	fail := func(format string, args ...any) (*Handle, error) {
		return nil, &ConfigError{Where: fmt.Sprintf("program %s, handler %s", s.Name(), cmp.Or(h.Name, fmt.Sprint(s.made+1))), Err: fmt.Errorf(format, args...)}
	}
	if h.Run == nil {
		return fail("Run is nil: give it a function")
	}
	if h.Prio < MinPrio || h.Prio > MaxPrio {
		return fail("prio is %d, want %d to %d", h.Prio, MinPrio, MaxPrio)
	}
	r := &Handle{scope: s, order: s.made, filter: h.Match, on: true, device: -1}
	if r.filter == nil && h.Filter != "" {
		f, err := filter.Compile(h.Filter)
		if err != nil {
			return fail("filter: %w", err)
		}
		r.filter = f
	}
	if h.Device != "" {
		r.device = s.w.e.deviceIndex(h.Device)
		if r.device < 0 {
			return fail("no device %q: %s", h.Device, s.w.e.deviceNames())
		}
	}
	if h.Name == "" {
		h.Name = fmt.Sprintf("%s#%d", s.Name(), r.order+1)
	}
	r.h = h
	s.made++
	s.handles = append(s.handles, r)
	s.dirty()
	return r, nil
}
