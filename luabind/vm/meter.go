package vm

import (
	"errors"
	"fmt"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// meter counts instructions. The VM asks its context's Done before each one, and
// select on a nil channel with a default is the cheapest thing Done can cause: the
// count costs some 2 ns an instruction and a new budget two stores, where a real
// context costs 5 ns and 140 ns. One meter serves a state and all its coroutines
// for life, since a coroutine keeps the context it was made under.
//
// It counts in slices of some 128 instructions. Between slices a checkpoint looks
// at what single instructions do not show: registers in use (an instruction may
// move all of them), and every 32 slices the heap.
type meter struct {
	tick int // instructions until the next checkpoint
	left int // instructions of the budget after those
	s    *State

	budget int
	slice  int    // length of the running slice
	rng    uint32 // of slice lengths, so that no loop stays out of step with checkpoints
	turns  int    // checkpoints since the last look at the heap
	deep   bool   // Done has fired because calls are nested too deep
	fine   bool   // short slices: there are strings that take a millisecond to compare
}

const (
	sliceMin   = 65
	sliceMask  = 127
	maxSlice   = sliceMin + sliceMask // no more calls than this can come between checkpoints
	heapTurns  = 32                   // checkpoints between looks at the heap, some 4,000 instructions
	wideFrame  = 256                  // registers above which an instruction is charged by what it may move
	hugeString = 64 << 10
	bytesAStep = 32 // bytes of a string made in Go that cost one instruction
)

var (
	errSpent = errors.New("not enough instructions left")
	errDepth = errors.New("stack overflow")
	closed   = func() chan struct{} { c := make(chan struct{}); close(c); return c }()
)

// Done counts one instruction. It returns nil, on which a select never fires, or
// at the end of the budget a closed channel, on which the VM raises Err's text.
func (m *meter) Done() <-chan struct{} {
	m.tick--
	if m.tick > 0 {
		return nil
	}
	return m.checkpoint()
}

func (m *meter) Err() error {
	if m.deep {
		m.deep = false
		return errDepth
	}
	return errSpent
}
func (m *meter) Deadline() (time.Time, bool) { return time.Time{}, false }
func (m *meter) Value(any) any               { return nil }

// reset starts a budget.
func (m *meter) reset(budget int) {
	m.budget = budget
	m.rng = 2463534242
	m.slice = 0
	m.tick = 0 // the first instruction is a checkpoint: see launch
	m.left = budget
	m.turns = 0
}

// resume goes on with what is left of a budget.
func (m *meter) resume(budget int) {
	left := max(0, m.left+m.tick)
	m.reset(budget)
	m.left = min(left, budget)
}

// used is what has been spent of the budget.
func (m *meter) used() int { return min(m.budget, m.budget-m.left-m.tick) }

// spend takes n instructions away and reports whether any are left.
func (m *meter) spend(n int) bool {
	m.left -= n
	if m.left >= 0 {
		return true
	}
	m.tick += m.left
	m.left = 0
	if m.tick > 0 {
		return true
	}
	m.tick = 0
	return false
}

// checkpoint ends a slice and starts the next one.
func (m *meter) checkpoint() <-chan struct{} {
	m.tick = 0
	s := m.s
	if s.fresh != nil {
		s.fresh.Panic = s.panicHook
		s.fresh = nil
	}
	if s.fatal != nil || s.thrown != nil {
		return closed
	}
	cur := s.l.G.CurrentThread
	frames := maxThreadFrame
	if cur == s.l {
		frames = maxFrames
	}
	if f := currentFrame(cur); f.ok() && f.depth() > frames-maxSlice {
		// Left to itself the VM would panic, and leave variables open.
		m.deep = true
		return closed
	}
	if top := cur.GetTop(); top > wideFrame && !m.spend(m.slice*top/8) || m.left <= 0 {
		s.spent(cur)
		return closed
	}
	m.turns++
	if m.fine || m.turns&1 == 0 {
		n := m.slice
		if !m.fine {
			n *= 2
		}
		if c := costOfNext(cur); c > 0 && !m.spend(n*c) {
			s.spent(cur)
			return closed
		}
	}
	if m.turns >= heapTurns {
		m.turns = 0
		if s.heapGrown(cur) {
			return closed
		}
	}
	m.rng ^= m.rng << 13
	m.rng ^= m.rng >> 17
	m.rng ^= m.rng << 5
	n := sliceMin + int(m.rng&sliceMask)
	if m.fine {
		n = 1 + n/16
	}
	m.slice = min(n, m.left)
	m.tick = m.slice
	m.left -= m.slice
	return nil
}

// spent makes the end of the budget the error of the entry.
func (s *State) spent(L *lua.LState) {
	s.fail(L, Instructions, fmt.Sprintf(
		"used up its %d instructions: an endless loop, or too much work for one go (limits: instructions)", s.m.budget))
}

// fail makes an error that no pcall catches and that ends the entry.
func (s *State) fail(L *lua.LState, reason Reason, message string) {
	if s.fatal != nil {
		return
	}
	e := &Error{Reason: reason, Message: message}
	s.locate(e, currentFrame(L), L)
	s.fatal = e
	s.m.tick = 0
	s.m.left = 0
}

// raiseFatal unwinds to whoever looks at s.fatal next.
func (s *State) raiseFatal(L *lua.LState) {
	L.Error(lua.LString(s.fatal.Message), 0)
}

// Charge spends n instructions of the running entry for work done in Go. It raises
// the budget's error in L, and so does not return, when none are left.
func (s *State) Charge(L *lua.LState, n int) {
	if !s.m.spend(n) {
		s.spent(L)
		s.raiseFatal(L)
	}
}

// Work is Charge for n bytes that a binding copies, makes or goes over, and needs no
// thread: where the budget is spent the entry ends with its next instruction. Outside of
// an entry it is nothing.
func (s *State) Work(n int) {
	if s.depth == 0 || s.fatal != nil {
		return
	}
	if s.made += n; s.made > 4<<20 {
		s.made = 0
		s.heapGrown(s.l.G.CurrentThread)
	}
	if s.fatal == nil && !s.m.spend(n/bytesAStep) {
		s.spent(s.l.G.CurrentThread)
	}
}

// chargeBytes charges for n bytes of string made in Go.
func (s *State) chargeBytes(L *lua.LState, n int) {
	s.Charge(L, n/bytesAStep)
	if s.made += n; s.made > 4<<20 {
		s.made = 0
		if s.heapGrown(L) {
			s.raiseFatal(L)
		}
	}
}

// ChargeString charges for a string of n bytes that is about to be made in Go, or
// raises the error about one that is longer than the limits allow.
func (s *State) ChargeString(L *lua.LState, n int) { s.limitString(L, n) }

// limitString charges for a string of n bytes about to be made, or fails if it may
// not be that long.
func (s *State) limitString(L *lua.LState, n int) {
	if n > s.lim.String || n < 0 {
		s.fail(L, String, fmt.Sprintf("made a string longer than %d bytes (limits: string)", s.lim.String))
		s.raiseFatal(L)
	}
	if n > hugeString {
		s.m.fine = true
	}
	s.chargeBytes(L, n)
}
