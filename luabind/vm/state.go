package vm

import (
	"math/rand/v2"
	"runtime/metrics"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// Rand is the source of math.random. *rand.Rand of math/rand and math/rand/v2 are.
type Rand interface {
	// Float64 is a number in [0, 1).
	Float64() float64
}

// Module is what a [Options.Require] hook found: a chunk to run once, or a value.
type Module struct {
	Chunk *Chunk
	Value lua.LValue
}

// Options say what a state is made of. The zero value is a locked-down state with
// the default limits.
type Options struct {
	Limits Limits

	// Trusted opens the whole standard library of gopher-lua (io, os, debug, load at
	// any time). Limits hold all the same.
	Trusted bool

	// Print receives each line that print makes, without newline. nil drops them.
	Print func(line string)

	// Now is the clock behind os.time, os.clock and os.date. nil is time.Now.
	Now func() time.Time

	// Rand is the source behind math.random; math.randomseed does not touch it. nil
	// is one with a fixed seed.
	Rand Rand

	// Require finds the module of a name that has not been required before in this
	// state. nil means that there are no modules.
	Require func(s *State, name string) (Module, error)

	// Turn numbers what the embedder has in hand, a packet for example. The entries of one
	// turn share a budget, however many functions are called for it; 0 is no turn, and nil
	// means that each entry has its own.
	Turn func() uint64

	// Roots visits the Lua values that the embedder holds outside of Lua, such as
	// handlers. The walk behind Limits.Memory and Limits.Coroutines starts there
	// too. Values in the registry table of the state need not be visited.
	Roots func(visit func(lua.LValue))
}

// State is one Lua world. It may be used by one goroutine at a time.
type State struct {
	l     *lua.LState
	opt   Options
	lim   Limits
	m     meter
	start time.Time

	turn     uint64 // of the last entry
	depth    int    // entries running, one inside the other: 0 or 1
	nest     int    // coroutines resumed inside each other
	loading  bool   // the entry is Run
	broken   bool
	brokenBy Reason
	entries  int
	ret      []lua.LValue

	fatal     *Error     // what ends the entry whatever Lua code does
	failure   *Error     // what rescue made of the error that ended the entry
	throwing  lua.LValue // what the next step raises in the coroutine it resumes
	thrown    lua.LValue // the same, once it is resumed
	threw     lua.LValue // the same, until the task has ended or waits again
	cause     error      // the Go error that was raised last, and the text it became
	causeText string

	threads   map[*lua.LState]*thread
	idle      []*thread // pool of pcall
	coros     int       // the script's own coroutines in threads
	event     event
	resuming  *Task
	fresh     *lua.LState // resumed for the first time, see launch
	panicHook func(*lua.LState)

	heap     [1]metrics.Sample // a field, as metrics.Read has it escape
	heapBase uint64            // bytes on the heap at the first look in this entry
	lookedIn int               // the entry of heapBase
	heapSeen uint64            // at the last walk between entries
	lookNext bool              // the last entry was long enough to fill much: look before the next one
	made     int               // bytes of strings made in Go since the last look at the heap

	locked  map[*lua.LTable]*lua.LTable // read-only tables, and what they show
	modules map[string]lua.LValue
	helpers map[string]*lua.LFunction

	fnCreate, fnWorker, fnPcall, fnResume, fnBadHandler, fnNext, fnIpairs, fnRefuse *lua.LFunction
}

// Sizes of gopher-lua's stacks. Registers grow in steps, calls by eights.
const (
	stateRegs    = 256
	threadRegs   = 160
	registerGrow = 1024
)

// New makes a state with its library and nothing else in it.
func New(opt Options) (*State, error) {
	if inner.err != nil {
		return nil, inner.err
	}
	s := &State{opt: opt, lim: opt.Limits.orDefault(), threads: map[*lua.LState]*thread{}}
	if s.opt.Now == nil {
		s.opt.Now = time.Now
	}
	if s.opt.Rand == nil {
		s.opt.Rand = rand.New(rand.NewPCG(1, 2))
	}
	if s.opt.Print == nil {
		s.opt.Print = func(string) {}
	}
	s.start = s.opt.Now()
	s.m.s = s
	L := lua.NewState(lua.Options{
		SkipOpenLibs:        true,
		MinimizeStackMemory: true,
		CallStackSize:       maxFrames,
		RegistrySize:        stateRegs,
		RegistryMaxSize:     maxRegisters,
		RegistryGrowStep:    registerGrow,
		IncludeGoStackTrace: true,
	})
	s.l = L
	L.G.MainThread, L.G.CurrentThread = L, L // else the first call would run without a budget
	L.Options.CallStackSize = maxThreadFrame // of the coroutines to come
	L.Options.RegistrySize = threadRegs
	L.Options.RegistryMaxSize = maxThreadRegs

	s.fnCreate = L.NewFunction(coCreate)
	s.fnPcall = L.NewFunction(s.pcall)
	s.fnResume = L.NewFunction(s.resumeTask)
	s.fnBadHandler = L.NewFunction(func(L *lua.LState) int { raise(L, "bad handler"); return 0 })
	s.panicHook = s.onPanic
	s.makeHelpers()
	if err := s.makeWorker(); err != nil {
		return nil, err
	}
	s.openLibrary()
	L.SetContext(&s.m)
	return s, nil
}

// makeWorker makes the function that pcall's coroutines run.
func (s *State) makeWorker() error {
	proto, err := workerProto()
	if err != nil {
		return err
	}
	s.l.Push(s.l.NewFunctionFromProto(proto))
	s.l.Push(s.l.NewFunction(s.done))
	s.l.Call(1, 1)
	s.fnWorker = s.l.Get(-1).(*lua.LFunction)
	s.l.SetTop(0)
	return nil
}

// instantiate is a function of this state that runs c.
func (s *State) instantiate(c *Chunk) *lua.LFunction {
	fn := s.l.NewFunctionFromProto(c.proto)
	for i, name := range c.proto.DbgUpvalues {
		uv := &lua.Upvalue{}
		uv.Close()
		uv.SetValue(s.helpers[name])
		fn.Upvalues[i] = uv
	}
	return fn
}

// L is the state as gopher-lua knows it, for bindings to register globals and
// userdata types. Do not enter Lua through it from outside: that has no budget.
func (s *State) L() *lua.LState { return s.l }

// Limits are the limits in force.
func (s *State) Limits() Limits { return s.lim }

// Broken reports whether a Go panic, or more memory than allowed, has left the
// state unusable. Every further entry fails; discard it and load a fresh one.
func (s *State) Broken() bool { return s.broken }

// Close releases the state. It must not be used afterwards.
func (s *State) Close() {
	s.broken, s.brokenBy = true, Runtime
	s.threads, s.idle = nil, nil
	s.l.Close()
}
