package engine_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
)

// One device that fails is the run's error, as it is.
func TestTheOnlyDeviceIsLost(t *testing.T) {
	dev := newMemory("tun0")
	var gone []string
	eng := made(t, engine.Config{Observer: engine.ObserverFunc(func(e *engine.Event) {
		if e.Kind == engine.Gone {
			gone = append(gone, e.Device)
		}
	})}, "", dev)
	wait := ran(t, eng)
	dev.set(func() { dev.readErr = errPulled })
	err := wait()
	if le, ok := err.(*engine.LostError); !ok || le.Device != "tun0" || !errors.Is(err, errPulled) {
		t.Errorf("Run returns %T %v, want the *LostError itself", err, err)
	}
	if len(gone) != 1 || gone[0] != "tun0" {
		t.Errorf("Gone was observed of %q", gone)
	}
}

func TestOneOfTwoDevicesIsLost(t *testing.T) {
	a, b := newMemory("tun0"), newMemory("tun1")
	eng := made(t, engine.Config{}, "tun1", a, b)
	wait := ran(t, eng)
	b.set(func() { b.readErr = errPulled })
	for eng.Stats().Devices["tun1"].Lost == 0 { // what would leave by it is counted
		a.give(text(t, "x"))
		time.Sleep(time.Millisecond)
	}
	a.set(func() { a.ended = true })
	if err := wait(); err != nil {
		t.Errorf("Run returns %v: one device has ended well", err)
	}
}

// A write that fails loses the device and its packets, and what was read before
// is still handled: the run ends.
func TestAWriteFails(t *testing.T) {
	a := newMemory("tun0")
	a.wrote = errPulled
	handled := 0
	sent := 0
	eng := made(t, engine.Config{
		Observer: engine.ObserverFunc(func(e *engine.Event) {
			if e.Kind == engine.Sent {
				sent++
			}
		}),
		Programs: []engine.ProgramConfig{{Program: on(func(*engine.Scope, *packet.Packet) engine.Verdict {
			if handled++; handled <= 16 {
				time.Sleep(100 * time.Microsecond) // so the batch is broken off after 16
			}
			return engine.Pass()
		})}},
	}, "tun0", a)
	for range 60 {
		a.give(text(t, "x"))
	}
	err := ran(t, eng)()
	var le *engine.LostError
	if !errors.As(err, &le) {
		t.Errorf("Run returns %v, want a LostError", err)
	}
	s := eng.Stats().Devices["tun0"]
	if handled != 60 || s.Lost != 60 || s.Sent != 0 || sent != 0 {
		t.Errorf("%d handled, %+v, %d seen as sent: want 60 handled and lost, none sent", handled, s, sent)
	}
}

// Status and error come out as they are.
func TestWhatRunReturns(t *testing.T) {
	for status, want := range map[int]bool{0: false, 3: true} {
		eng := made(t, standing(), "")
		if err := eng.Add(engine.ProgramFunc("p", func(s *engine.Scope) error {
			_, err := s.After(time.Second, func() { s.Stop(status); s.Stop(9) })
			return err
		})); err != nil {
			t.Fatal(err)
		}
		err := eng.Run(context.Background())
		if ee, ok := err.(*engine.ExitError); ok != want || ok && ee.Status != status {
			t.Errorf("stop(%d): Run returns %T %v", status, err, err)
		}
	}
}

// What cannot be said in nanoseconds since 1970 is never due, rather than at once.
func TestATimerFarAway(t *testing.T) {
	config := standing()
	config.Programs = []engine.ProgramConfig{{Program: engine.ProgramFunc("p", func(s *engine.Scope) error {
		s.After(1<<63-1, func() { t.Error("292 years went by") })
		s.Started(func() { s.Every(1<<63-1, func() { t.Error("292 years went by") }) })
		return nil
	})}}
	config.Clock = engine.Virtual(time.Unix(1e9, 0))
	if err := made(t, config, "", newMemory("tun0")).Advance(time.Hour); err != nil {
		t.Error(err)
	}
}

// A virtual clock that was not told where to start stands at the first packet.
func TestTheClockStartsAtTheFirstPacket(t *testing.T) {
	first := time.Unix(1e9, 0)
	d := &tape{name: "in.pcap", frame: text(t, "x").Bytes(), times: []time.Duration{time.Duration(first.UnixNano())}}
	var started time.Time
	eng, err := engine.New(engine.Config{
		Clock: engine.Virtual(time.Time{}), Devices: []engine.DeviceConfig{{Device: d}},
		Programs: []engine.ProgramConfig{{Program: engine.ProgramFunc("p", func(s *engine.Scope) error {
			started = s.Now()
			return nil
		})}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := eng.Run(context.Background()); err != nil || !started.Equal(first) {
		t.Errorf("started at %v (%v), want %v", started, err, first)
	}
}
