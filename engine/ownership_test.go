package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
)

func step(t *testing.T, eng *engine.Engine) {
	t.Helper()
	if err := eng.Advance(0); err != nil {
		t.Fatal(err)
	}
}

func standing() engine.Config { return engine.Config{Seed: 1, Clock: engine.Virtual(time.Unix(0, 0))} }

// A packet that cannot leave goes back into the pool once: two answers made
// afterwards are two packets.
func TestALostPacketIsPutBackOnce(t *testing.T) {
	for _, c := range []struct {
		name string
		lose func(*packet.Packet) engine.Verdict
	}{
		{"too big", func(p *packet.Packet) engine.Verdict {
			grow(p)
			return engine.Replace(p)
		}},
		{"no way out", func(p *packet.Packet) engine.Verdict {
			p.Out = nil
			return engine.Replace(p, p)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			lose := true
			config := standing()
			config.Programs = []engine.ProgramConfig{{Program: on(func(s *engine.Scope, p *packet.Packet) engine.Verdict {
				if lose {
					return c.lose(p)
				}
				a, b := p.Reply(), p.Reply()
				if a == b || a == p || b == p {
					t.Fatal("one buffer is two packets")
				}
				return engine.Replace(a, b)
			})}}
			dev := newMemory("tun0")
			eng := made(t, config, "tun0", dev)
			dev.give(text(t, "lost"))
			step(t, eng)
			lose = false
			dev.give(text(t, "1"), text(t, "2"))
			step(t, eng)
			if want := []string{"1", "1", "2", "2"}; !slices.Equal(dev.got(), want) {
				t.Errorf("left %q, want %q", dev.got(), want)
			}
		})
	}
}

// A received packet has the forward of its device or no way out; Send does not
// give it another, nor its copies.
func TestSendLeavesTheWayOutAlone(t *testing.T) {
	var errs []error
	config := standing()
	config.Programs = []engine.ProgramConfig{{Program: on(func(s *engine.Scope, p *packet.Packet) engine.Verdict {
		errs = append(errs, s.Send(p), s.Send(p.Clone()))
		if p.Out != nil {
			t.Error("Send gave the packet in hand a way out")
		}
		if err := s.Send(text(t, "made")); err != nil {
			t.Errorf("one made from nothing: %v", err)
		}
		return engine.Pass()
	})}}
	dev := newMemory("tun0")
	eng := made(t, config, "", dev)
	dev.give(text(t, "x"))
	step(t, eng)
	for _, err := range errs {
		if !errors.Is(err, engine.ErrNoWayOut) {
			t.Errorf("Send says %v, want ErrNoWayOut", err)
		}
	}
	if !slices.Equal(dev.got(), []string{"made"}) || eng.Stats().Reasons[engine.ReasonUnforwarded] != 1 {
		t.Errorf("left %q, reasons %v", dev.got(), eng.Stats().Reasons)
	}
}

// An answer that may not be given is a drop, to observers as well.
func TestAnEmptyAnswerIsADrop(t *testing.T) {
	var seen []string
	config := standing()
	config.Observer = engine.ObserverFunc(func(e *engine.Event) { seen = append(seen, e.Kind.String()+" "+e.Reason) })
	config.Programs = []engine.ProgramConfig{{Program: on(func(_ *engine.Scope, p *packet.Packet) engine.Verdict {
		return engine.Replace(nil, p.RST())
	})}}
	dev := newMemory("tun0")
	eng := made(t, config, "tun0", dev)
	dev.give(text(t, "x"))
	step(t, eng)
	if want := []string{"received ", "drop empty"}; !slices.Equal(seen, want) {
		t.Errorf("observed %q, want %q", seen, want)
	}
	if v := eng.Stats().Verdicts; v["drop"] != 1 || v["replace"] != 0 {
		t.Errorf("verdicts %v", v)
	}
}

// Nothing that a program gives is a panic.
func TestNilIsRefused(t *testing.T) {
	config := standing()
	config.Programs = []engine.ProgramConfig{{Program: engine.ProgramFunc("p", func(s *engine.Scope) error {
		s.Started(nil)
		s.OnEnd(nil)
		s.OnStop(nil)
		s.OnReload(nil)
		after, err := s.After(time.Second, nil)
		after.Cancel()
		_, every := s.Every(time.Second, nil)
		_, handle := s.Handle(engine.Handler{})
		for i, err := range []error{err, every, handle, s.Send(nil), s.SetOut(nil, "tun0"), s.Post(nil)} {
			if err == nil {
				t.Errorf("call %d takes nil", i)
			}
		}
		return nil
	})}}
	eng := made(t, config, "", newMemory("tun0"))
	eng.Observe(nil, nil)()
	step(t, eng)
	var none *memory
	var ce *engine.ConfigError
	for name, err := range map[string]error{
		"Swap": eng.Swap(nil, nil), "Add": eng.Add(nil), "Remove": eng.Remove(nil),
	} {
		if !errors.As(err, &ce) {
			t.Errorf("%s of nil: %v, want a ConfigError", name, err)
		}
	}
	//lint:ignore SA1012 that is the test
	if err := eng.Run(nil); err == nil {
		t.Error("Run takes a nil context")
	}
	for _, d := range []engine.Device{nil, none, newMemory("")} {
		if _, err := engine.New(engine.Config{Devices: []engine.DeviceConfig{{Device: d}}}); !errors.As(err, &ce) {
			t.Errorf("New with device %v: %v, want a ConfigError", fmt.Sprintf("%T", d), err)
		}
	}
}
