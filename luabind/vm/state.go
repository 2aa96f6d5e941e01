package vm

import (
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

	// Roots visits the Lua values that the embedder holds outside of Lua, such as
	// handlers. The walk behind Limits.Memory and Limits.Coroutines starts there
	// too. Values in the registry table of the state need not be visited.
	Roots func(visit func(lua.LValue))
}

// State is one Lua world. It may be used by one goroutine at a time.
type State struct {
	l   *lua.LState
	opt Options
	lim Limits

	broken bool
	ret    []lua.LValue
}

// New makes a state with its library and nothing else in it.
func New(opt Options) (*State, error) {
	s := &State{opt: opt, lim: opt.Limits.orDefault()}
	s.l = lua.NewState()
	return s, nil
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
func (s *State) Close() { s.l.Close() }
