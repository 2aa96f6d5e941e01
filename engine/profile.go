package engine

import (
	"time"

	"github.com/tunscript/tunscript/engine/packet"
)

const (
	timeEvery = 16                     // packets of a handler, of which one is timed
	timeAfter = 100 * time.Millisecond // or the first one after so long
)

// Profile has handlers timed, a sample of their packets, until stop is called:
// HandlerStats.Timed and Took. Where nobody has asked it costs nothing, as a handler that
// is timed has another function in the place of its own.
func (e *Engine) Profile() (stop func()) {
	e.profile(1)
	stopped := false
	return func() {
		e.mu.Lock()
		again := stopped
		stopped = true
		e.mu.Unlock()
		if !again {
			e.profile(-1)
		}
	}
}

func (e *Engine) profile(by int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	was := e.profiles > 0
	e.profiles += by
	on := e.profiles > 0
	if on == was {
		return
	}
	for _, w := range e.workers {
		w.mail.send(func() { w.timing, w.stale = on, true }, w.wake)
	}
}

// setTiming gives a handler's packets to its function, or to one that looks at the clock.
func (h *Handle) setTiming(on bool) {
	switch {
	case on && h.untimed == nil:
		h.untimed = h.h.Run
		h.h.Run = h.timed
	case !on && h.untimed != nil:
		h.h.Run, h.untimed = h.untimed, nil
	}
}

// timed is Run of a handler that is timed.
func (h *Handle) timed(p *packet.Packet) Verdict {
	now := h.scope.w.now
	if h.stats.packets.n%timeEvery != 0 && now.Sub(h.lastTimed) < timeAfter {
		return h.untimed(p)
	}
	h.lastTimed = now
	start := time.Now()
	v := h.untimed(p)
	h.stats.took.add(uint64(time.Since(start)))
	h.stats.timed.add(1)
	return v
}
