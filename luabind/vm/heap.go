package vm

import (
	"fmt"
	"runtime/metrics"

	lua "github.com/yuin/gopher-lua"
)

// gopher-lua has no allocator to hook into, and the heap of the process is also
// the embedder's. So the heap says only when to look; who holds what is known from
// a walk over the values of the state.

const (
	heapMetric  = "/memory/classes/heap/objects:bytes"
	heapEntries = 256 // short entries between looks at the heap; a power of two
)

func (s *State) heapBytes() uint64 {
	s.heap[0].Name = heapMetric
	metrics.Read(s.heap[:])
	return s.heap[0].Value.Uint64()
}

// heapGrown looks at the heap in the middle of an entry. If it has grown by the
// state's limit since the first look, and the state does hold that much, the entry
// ends: true.
func (s *State) heapGrown(L *lua.LState) bool {
	s.lookNext = true
	now := s.heapBytes()
	if s.lookedIn != s.entries {
		s.lookedIn, s.heapBase = s.entries, now
		return false
	}
	if now < s.heapBase {
		s.heapBase = now
	}
	if now-s.heapBase < uint64(s.lim.Memory)*3/4 {
		return false
	}
	held := s.Memory()
	if held <= s.lim.Memory*7/8 {
		s.heapBase = now - uint64(held)
		if s.heapBase > now {
			s.heapBase = now
		}
		return false
	}
	s.outOfMemory(L, held)
	return true
}

// overMemory looks between entries, and reports whether the state holds more than
// its limit. It is broken then: there is no telling which of its values could go.
func (s *State) overMemory() bool {
	now := s.heapBytes()
	if now < s.heapSeen+uint64(s.lim.Memory)/4 && s.heapSeen != 0 {
		s.heapSeen = min(s.heapSeen, now)
		return false
	}
	s.heapSeen = now
	held := s.Memory()
	if held <= s.lim.Memory {
		return false
	}
	s.outOfMemory(nil, held)
	return true
}

func (s *State) outOfMemory(L *lua.LState, held int) {
	s.broken, s.brokenBy = true, Memory
	msg := fmt.Sprintf("holds %d MiB, more than its %d MiB (limits: memory)", held>>20, s.lim.Memory>>20)
	if L != nil {
		s.fail(L, Memory, msg)
		return
	}
	s.fatal = &Error{Reason: Memory, Message: msg}
}
