package engine_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/impair"
	"github.com/tunscript/tunscript/engine/packet"
)

const ms = time.Millisecond

// bad is a bench on a virtual clock whose links have faults.
func bad(t testing.TB, faults []engine.ImpairConfig, programs ...engine.Program) *bench {
	return newBench(t, func(c *engine.Config) {
		c.Clock, c.Impair = engine.Virtual(time.Unix(1000, 0)), faults
	}, programs...)
}

func faults(o impair.Options, devices ...string) []engine.ImpairConfig {
	return []engine.ImpairConfig{{Devices: devices, Options: o}}
}

// after steps the bench by d and wants exactly these payloads to have left by tun0
// and tun1 meanwhile.
func (b *bench) after(d time.Duration, want ...[]string) {
	b.t.Helper()
	b.step(d)
	for i, w := range append(want, nil, nil)[:2] {
		if diff := cmp.Diff(w, b.got(i)); diff != "" {
			b.t.Errorf("after another %v at tun%d (-want +got):\n%s", d, i, diff)
		}
	}
}

// A delayed packet goes on through the chain when its time has come, to the
// nanosecond, and that is its time.
func TestDelay(t *testing.T) {
	var at []time.Duration
	b := bad(t, faults(impair.Options{Delay: 40 * ms}), on(func(s *engine.Scope, p *packet.Packet) engine.Verdict {
		if !p.Time.Equal(s.Now()) {
			t.Errorf("it says %v at %v", p.Time, s.Now())
		}
		at = append(at, p.Time.Sub(time.Unix(1000, 0)))
		return engine.Pass()
	}))
	b.give(udp(t, 7, "a"))
	b.step(15 * ms)
	b.give(udp(t, 7, "b"))
	b.after(25*ms - 1)
	b.after(1, nil, []string{"a"})
	b.after(15*ms-1, nil, nil)
	b.after(1, nil, []string{"b"})
	if diff := cmp.Diff([]time.Duration{40 * ms, 55 * ms}, at); diff != "" {
		t.Errorf("handlers saw them at (-want +got):\n%s", diff)
	}
	if s := b.Stats(); s.Faults.Delayed != 2 || s.Faults.Held != 0 {
		t.Errorf("counted %+v, want 2 delayed and none held", s.Faults)
	}
}

// A packet meets a rule once: a forwarded one where it comes in, or, where the rule
// is about the way out alone, there; a question when it comes and its answer when it
// leaves.
func TestOnce(t *testing.T) {
	delay := impair.Options{Delay: 10 * ms}
	in, out := delay, delay
	in.Direction, out.Direction = impair.In, impair.Out
	answer := on(func(_ *engine.Scope, p *packet.Packet) engine.Verdict { return engine.Replace(p.Reply()) })
	copies := on(func(s *engine.Scope, p *packet.Packet) engine.Verdict {
		q := p.Clone()
		s.After(0, func() { s.Send(q) })
		return engine.Drop("")
	})
	for _, tt := range []struct {
		name    string
		faults  []engine.ImpairConfig
		program engine.Program
		want    time.Duration // until it leaves
		by      int
	}{
		{"forwarded, both devices", faults(delay), on(passes), 10 * ms, 1},
		{"forwarded, where it comes in", faults(delay, "tun0"), on(passes), 10 * ms, 1},
		{"forwarded, where it leaves", faults(delay, "tun1"), on(passes), 10 * ms, 1},
		{"forwarded, the way in of both", faults(in), on(passes), 10 * ms, 1},
		{"forwarded, the way out of both", faults(out), on(passes), 10 * ms, 1},
		{"forwarded, the way in where it leaves", faults(in, "tun1"), on(passes), 0, 1},
		{"forwarded, the way out where it comes in", faults(out, "tun0"), on(passes), 0, 1},
		{"forwarded, two rules", append(faults(in), faults(out)...), on(passes), 20 * ms, 1},
		{"forwarded, two rules on one device", append(faults(delay, "tun0"), faults(delay, "tun0")...), on(passes), 20 * ms, 1},
		{"a copy is the packet", faults(delay), copies, 10 * ms, 1},
		{"answered", faults(delay), answer, 20 * ms, 0},
		{"answered, the way in", faults(in), answer, 10 * ms, 0},
		{"answered, the way out", faults(out), answer, 10 * ms, 0},
		{"answered, another device", faults(delay, "tun1"), answer, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := bad(t, tt.faults, tt.program)
			b.give(udp(t, 7, "x"))
			if tt.want > 0 {
				b.after(tt.want - 1)
				b.step(1)
			} else {
				b.step(0)
			}
			if got := b.got(tt.by); len(got) != 1 {
				t.Errorf("after %v %q left, want the packet", tt.want, got)
			}
		})
	}
}

func passes(*engine.Scope, *packet.Packet) engine.Verdict { return engine.Pass() }

// What is lost on arrival nobody sees; what is lost on leaving could not be sent.
// Both say why.
func TestLostOnTheWay(t *testing.T) {
	var events []string
	watch := engine.ObserverFunc(func(e *engine.Event) { events = append(events, fmt.Sprintf("%s %v %s", e.Device, e.Kind, e.Reason)) })
	answer := on(func(_ *engine.Scope, p *packet.Packet) engine.Verdict { return engine.Replace(p.Reply()) })
	for _, tt := range []struct {
		dir  impair.Direction
		want []string
		lost uint64
	}{
		{impair.In, []string{"tun0 received ", "tun0 drop impair_loss"}, 0},
		{impair.Out, []string{"tun0 received ", "tun0 replace ", "tun0 lost impair_loss"}, 1},
	} {
		events = nil
		b := bad(t, faults(impair.Options{Loss: 1, Direction: tt.dir}), answer)
		b.Observe(watch, nil)
		b.step(0, udp(t, 7, "x"))
		if diff := cmp.Diff(tt.want, events); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.dir, diff)
		}
		s := b.Stats()
		if s.Reasons[engine.Reason(impair.Lost)] != 1 || s.Devices["tun0"].Lost != tt.lost || s.Devices["tun0"].Sent != 0 {
			t.Errorf("%s: counted %v and %+v", tt.dir, s.Reasons, s.Devices["tun0"])
		}
	}
}

// Of a delayed packet an observer sees that it is held, and later its verdict.
func TestObservedDelay(t *testing.T) {
	var events []string
	b := bad(t, faults(impair.Options{Delay: ms, Direction: impair.In}))
	b.Observe(engine.ObserverFunc(func(e *engine.Event) {
		events = append(events, fmt.Sprintf("%v %v %s %s", e.Time.Sub(time.Unix(1000, 0)), e.Kind, e.Reason, e.Packet.Payload()))
	}), nil)
	b.step(0, udp(t, 7, "x"))
	b.step(ms)
	want := []string{"0s received  x", "0s hold impair_delay x", "1ms released  x", "1ms pass  x", "1ms sent  x"}
	if diff := cmp.Diff(want, events); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCopies(t *testing.T) {
	b := bad(t, faults(impair.Options{Duplicate: 1, Delay: 10 * ms, Jitter: 5 * ms}))
	b.give(udp(t, 7, "x"))
	b.after(5*ms - 1)
	b.after(10*ms+1, nil, []string{"x", "x"})

	b = bad(t, faults(impair.Options{Duplicate: 1}))
	b.give(udp(t, 7, "x"))
	b.after(0, nil, []string{"x", "x"})
	if s := b.Stats(); s.Faults.Duplicated != 1 || s.Verdicts["pass"] != 2 {
		t.Errorf("counted %+v and %v", s.Faults, s.Verdicts)
	}
}

// A packet is damaged on the wire: handlers see it as it arrived, and what is sent
// leaves damaged behind every fix-up.
func TestDamage(t *testing.T) {
	wrong := func(p *packet.Packet) string {
		layer, _ := p.Valid()
		return layer
	}
	var seen []string
	b := bad(t, faults(impair.Options{Corrupt: 1, CorruptPart: impair.Payload, Direction: impair.In}), on(func(_ *engine.Scope, p *packet.Packet) engine.Verdict {
		seen = append(seen, wrong(p))
		return engine.Pass()
	}))
	b.step(0, udp(t, 7, "hello"))
	for _, p := range b.left(1) {
		seen = append(seen, wrong(p))
	}
	b = bad(t, faults(impair.Options{Corrupt: 1, CorruptPart: impair.Payload, Direction: impair.Out}), on(func(_ *engine.Scope, p *packet.Packet) engine.Verdict {
		seen = append(seen, wrong(p))
		p.SetPayload([]byte("world"))
		return engine.Pass()
	}))
	b.step(0, udp(t, 7, "hello"))
	for _, p := range b.left(1) {
		seen = append(seen, wrong(p))
	}
	if diff := cmp.Diff([]string{"udp", "udp", "", "udp"}, seen); diff != "" {
		t.Errorf("what is wrong (-want +got):\n%s", diff)
	}
}

// On the way out a link carries what the device is given: fragments, each with a
// fate of its own.
func TestFaultsOnFragments(t *testing.T) {
	b := bad(t, faults(impair.Options{MTU: 1000, Direction: impair.Out}))
	b.give(large(t, 4, 2000)) // the pipe takes more than its MTU
	b.step(0)
	got := b.left(1)
	if len(got) != 1 || got[0].Len() > 1000 {
		t.Errorf("%d pieces of 2028 bytes got through an MTU of 1500 and a link of 1000, want the last alone", len(got))
	}
	if n := b.Stats().Reasons[engine.Reason(impair.TooBig)]; n != 1 {
		t.Errorf("counted %d, want 1", n)
	}
}

// Faults come before a program that waits: it waits for what arrives.
func TestFaultsBeforeAwait(t *testing.T) {
	program, st := tell(func(st *story) { st.await("a", engine.Await{}) })
	b := bad(t, faults(impair.Options{Delay: 2 * time.Second}), program)
	b.give(udp(t, 7, "x"))
	b.step(5 * time.Second)
	if diff := cmp.Diff([]string{"2 a: x"}, st.lines); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// At one instant packets come before timers, those that were delayed as well.
func TestReleasedBeforeTimers(t *testing.T) {
	program, st := tell(func(st *story) {
		st.timer(2*time.Second, "timer")
		if _, err := st.s.Handle(engine.Handler{Run: func(p *packet.Packet) engine.Verdict {
			st.add("packet")
			return engine.Pass()
		}}); err != nil {
			t.Error(err)
		}
	})
	b := bad(t, faults(impair.Options{Delay: 2 * time.Second}), program)
	b.give(udp(t, 7, "x"))
	b.step(5 * time.Second)
	if diff := cmp.Diff([]string{"2 packet", "2 timer"}, st.lines); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A window is open at its times, counted from the rule's first.
func TestWindow(t *testing.T) {
	b := bad(t, faults(impair.Options{Blackhole: true, At: 5 * time.Second, For: 2 * time.Second}))
	for i := range 10 {
		b.give(udp(t, 7, fmt.Sprint(i)))
		b.step(time.Second)
	}
	if diff := cmp.Diff([]string{"0", "1", "2", "3", "4", "7", "8", "9"}, b.got(1)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := b.Stats().Reasons["impair_blackhole"]; n != 2 {
		t.Errorf("counted %d, want 2", n)
	}
}

// No more packets are held than may be; the others are dropped, and counted.
func TestHeldIsBounded(t *testing.T) {
	b := newBench(t, func(c *engine.Config) {
		c.Clock, c.Held, c.Impair = engine.Virtual(time.Unix(1000, 0)), 10, faults(impair.Options{Delay: time.Second})
	})
	for range 25 {
		b.give(udp(t, 7, "x"))
	}
	b.step(0)
	if s := b.Stats(); s.Faults.Held != 10 || s.Reasons[engine.Reason(impair.HeldFull)] != 15 {
		t.Errorf("%d are held and %d dropped, want 10 and 15", s.Faults.Held, s.Reasons[engine.Reason(impair.HeldFull)])
	}
	b.step(time.Second)
	if n := len(b.got(1)); n != 10 {
		t.Errorf("%d left, want 10", n)
	}
}

// The order in which packets leave is that of their times, then of their coming.
func TestReleasedInOrder(t *testing.T) {
	b := bad(t, faults(impair.Options{Delay: 10 * ms, Gap: 3}))
	for i := range 6 {
		b.give(udp(t, 7, fmt.Sprint(i)))
	}
	b.after(0, nil, []string{"2", "5"})
	b.after(10*ms, nil, []string{"0", "1", "3", "4"})
}

// A packet from a capture that ends is still delayed to its end.
func TestRunEndsBehindTheLastDelay(t *testing.T) {
	d := &tape{name: "in.pcap", frame: udp(t, 7, "x").Bytes(), times: []time.Duration{time.Second, 2 * time.Second}}
	var at []float64
	eng, err := engine.New(engine.Config{
		Clock: engine.Virtual(time.Unix(0, 0)), Impair: faults(impair.Options{Delay: 90 * time.Second}),
		Devices: []engine.DeviceConfig{{Device: d, Forward: "in.pcap"}},
		Programs: []engine.ProgramConfig{{Program: on(func(s *engine.Scope, p *packet.Packet) engine.Verdict {
			at = append(at, s.Now().Sub(time.Unix(0, 0)).Seconds())
			return engine.Pass()
		})}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := eng.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]float64{91, 92}, at); diff != "" || d.sent != 2 {
		t.Errorf("%d were sent, at (-want +got):\n%s", d.sent, diff)
	}
}

// What is held when the run ends is counted.
func TestHeldAtTheEnd(t *testing.T) {
	b := bad(t, faults(impair.Options{Delay: time.Second}))
	b.step(0, udp(t, 7, "x"))
	b.Close()
	if n := b.Stats().Reasons[engine.ReasonDelayed]; n != 1 {
		t.Errorf("counted %d, want 1", n)
	}
}

func TestImpairMistakes(t *testing.T) {
	for _, tt := range []struct {
		config engine.Config
		want   string
	}{
		{engine.Config{Impair: faults(impair.Options{Loss: 2})}, "impair 1: impair: loss: 2 is out of range, 0 to 1: did you mean 0.02 (2%)?"},
		{engine.Config{Impair: append(faults(impair.Options{Loss: 0.1}), faults(impair.Options{Loss: 1}, "tun9")...)}, `impair 2: no device "tun9": there is none`},
		{engine.Config{Held: -1}, "held: -1 packets cannot be held: 0 is 1000"},
	} {
		_, err := engine.New(tt.config)
		var ce *engine.ConfigError
		if !errors.As(err, &ce) || err.Error() != tt.want {
			t.Errorf("got  %v\nwant %s", err, tt.want)
		}
	}
}
