package engine_test

import (
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
)

// Handlers are timed while somebody wants it, those that come meanwhile included, and
// not before or after.
func TestProfile(t *testing.T) {
	slow := func(s *engine.Scope) engine.Handler {
		return engine.Handler{Name: "slow", Run: func(*packet.Packet) engine.Verdict {
			time.Sleep(time.Millisecond)
			return engine.Pass()
		}}
	}
	var scope *engine.Scope
	b := virtual(t, engine.ProgramFunc("p", func(s *engine.Scope) error {
		scope = s
		_, err := s.Handle(slow(s))
		return err
	}))
	handler := func(i int) engine.HandlerStats { return b.Stats().Handlers[i] }
	b.step(0, udp(t, 7, "before"))
	if h := handler(0); h.Timed != 0 || h.Took != 0 {
		t.Errorf("timed unasked: %+v", h)
	}
	stop, other := b.Profile(), b.Profile()
	b.step(0, udp(t, 7, "first"))
	if h := handler(0); h.Timed != 1 || h.Took < time.Millisecond {
		t.Errorf("the first packet: %+v", h)
	}
	for range 3 * 16 {
		b.step(0, udp(t, 7, "one of many"))
	}
	if h := handler(0); h.Packets != 50 || h.Timed != 4 {
		t.Errorf("one in 16: %+v", h)
	}
	stop()
	stop() // does not count twice
	if _, err := scope.Handle(slow(scope)); err != nil {
		t.Fatal(err)
	}
	b.step(time.Second, udp(t, 7, "to a new one, too"))
	if h := handler(1); h.Timed != 1 {
		t.Errorf("a handler that came later: %+v", h)
	}
	other()
	timed := handler(0).Timed
	b.step(time.Second, udp(t, 7, "after"))
	if h := handler(0); h.Timed != timed || h.Packets != 52 {
		t.Errorf("timed after all: %+v", h)
	}
}

func TestNoAllocationsOfTimedPackets(t *testing.T) {
	const n = 100_000
	d := throughWith(t, n, wayConfig([]engine.Program{pass(10)}, false), func(e *engine.Engine) { e.Profile() })
	if got := d.after.Mallocs - d.before.Mallocs; got > 100 {
		t.Errorf("%d allocations over %d packets", got, n*9/10)
	}
}

func BenchmarkTimed(b *testing.B) {
	throughWith(b, b.N, wayConfig([]engine.Program{pass(10)}, false), func(e *engine.Engine) { e.Profile() })
}
