package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev"
)

// events keeps the kinds of what an observer sees of devices.
func events(all *[]string) engine.Observer {
	return engine.ObserverFunc(func(e *engine.Event) {
		if e.Kind == engine.Gone || e.Kind == engine.Back || e.Kind == engine.Changed {
			*all = append(*all, e.Kind.String()+" "+e.Device)
		}
	})
}

// A device is lost under packets, the other goes on, and it comes back: all on a
// virtual clock.
func TestADeviceComesBack(t *testing.T) {
	var seen []string
	b := newBench(t, func(c *engine.Config) {
		c.Clock = engine.Virtual(time.Unix(1000, 0))
		c.Observer = events(&seen)
	}, handler("p", engine.Handler{Run: say("!")}))
	b.step(0, udp(t, 7, "before"))
	if got := b.got(1); !slices.Equal(got, []string{"before!"}) {
		t.Errorf("tun1 got %q", got)
	}

	b.wire[1].Lose()
	b.step(time.Minute, udp(t, 7, "meanwhile"))
	if s := b.Stats(); s.Devices["tun1"].Gone != 1 || s.Devices["tun1"].Lost != 1 || s.Reasons[engine.ReasonGone] != 1 {
		t.Errorf("while tun1 is away: %+v, reasons %v", s.Devices["tun1"], s.Reasons)
	}

	b.wire[1].Restore()
	b.step(0, udp(t, 7, "after"))
	if got := b.got(1); !slices.Equal(got, []string{"after!"}) {
		t.Errorf("tun1 got %q", got)
	}
	if _, err := b.wire[1].Write(udp(t, 7, "back").Bytes()); err != nil {
		t.Fatal(err)
	}
	b.step(0)
	if got := b.got(0); !slices.Equal(got, []string{"back!"}) {
		t.Errorf("tun0 got %q", got)
	}
	if want := []string{"gone tun1", "back tun1"}; !slices.Equal(seen, want) {
		t.Errorf("seen: %q, want %q", seen, want)
	}
	for text, times := range map[string]int{"a device is lost": 1, "is not back yet": 1, "a device is back": 1} {
		if n := strings.Count(b.log.String(), text); n != times {
			t.Errorf("%q stands %d times in the log, want %d:\n%s", text, n, times, b.log)
		}
	}
}

// On the system's clock the same, many times, while packets flow.
func TestADeviceComesAndGoesUnderLoad(t *testing.T) {
	b := newBench(t, nil).run()
	stop := make(chan struct{})
	go func() {
		p := udp(t, 7, "x").Bytes()
		for {
			select {
			case <-stop:
				return
			default:
				b.wire[0].Write(p)
			}
		}
	}()
	defer close(stop)
	go func() { // the pipe would be full
		buf := make([]byte, 2048)
		for {
			if _, err := b.wire[1].Read(buf); err != nil {
				return
			}
		}
	}()
	until := func(what string, ok func(engine.DeviceStats) bool) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
			if ok(b.Stats().Devices["tun1"]) {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%s: not within 10 s: %+v", what, b.Stats().Devices)
			}
		}
	}
	for i := range uint64(20) {
		sent := b.Stats().Devices["tun1"].Sent
		until("packets leave", func(s engine.DeviceStats) bool { return s.Sent > sent })
		b.wire[1].Lose()
		until("the loss", func(s engine.DeviceStats) bool { return s.Gone == i+1 })
		b.wire[1].Restore()
	}
	if err := b.end(); err != nil {
		t.Errorf("Run returns %v", err)
	}
}

// With "stop" the loss is the run's error, though the other device is well.
func TestALossThatStops(t *testing.T) {
	b := newBench(t, func(c *engine.Config) { c.Devices[1].OnLost = engine.OnLostStop }).run()
	b.wire[1].Lose()
	var err error
	within(t, 10*time.Second, "the end", func() { err = <-b.done })
	le, ok := err.(*engine.LostError)
	if !ok || le.Device != "tun1" || !errors.Is(err, tundev.ErrGone) {
		t.Errorf("Run returns %T %v, want a *LostError about tun1", err, err)
	}
}

// Whoever waits for all of its devices goes on until it is told to stop.
func TestAllDevicesAreAway(t *testing.T) {
	b := newBench(t, nil).run()
	b.wire[0].Lose()
	b.wire[1].Lose()
	for b.Stats().Devices["tun0"].Gone+b.Stats().Devices["tun1"].Gone < 2 {
		time.Sleep(time.Millisecond)
	}
	if err := b.end(); err != nil {
		t.Errorf("Run returns %v", err)
	}
}

// Closing a device that is away ends it, and nobody waits for it any more.
func TestALostDeviceIsClosed(t *testing.T) {
	dev, wire := tundev.Pipe(tundev.Config{Name: "tun0"})
	eng, err := engine.New(engine.Config{Devices: []engine.DeviceConfig{{Device: dev}}})
	if err != nil {
		t.Fatal(err)
	}
	wait := ran(t, eng)
	wire.Lose()
	for eng.Stats().Devices["tun0"].Gone == 0 {
		time.Sleep(time.Millisecond)
	}
	dev.Close()
	if err := wait(); err != nil {
		t.Errorf("Run returns %v", err)
	}
}

// A stubborn device reopens only when its context ends, and closes what it had.
type stubborn struct {
	*memory
	trying chan struct{}
}

func (s *stubborn) Reopen(ctx context.Context) ([]engine.Queue, error) {
	close(s.trying)
	<-ctx.Done()
	return []engine.Queue{memoryQueue{s.memory}}, nil
}

func TestARunEndsWhileADeviceIsReopened(t *testing.T) {
	s := &stubborn{newMemory("tun0"), make(chan struct{})}
	eng, err := engine.New(engine.Config{Devices: []engine.DeviceConfig{{Device: s}}})
	if err != nil {
		t.Fatal(err)
	}
	wait := ran(t, eng)
	s.set(func() { s.readErr = errPulled })
	within(t, 10*time.Second, "the first try", func() { <-s.trying })
	if err := eng.Close(); err != nil {
		t.Error(err)
	}
	if err := wait(); err != nil {
		t.Errorf("Run returns %v", err)
	}
}

// A smaller MTU counts from the next packet on: for the packets that are cut to it, and
// for the scripts that ask.
func TestTheMTUChanges(t *testing.T) {
	var seen []string
	var asked, carried int
	b := newBench(t, func(c *engine.Config) {
		c.Clock = engine.Virtual(time.Unix(1000, 0))
		c.Observer = events(&seen)
	}, on(func(s *engine.Scope, p *packet.Packet) engine.Verdict {
		in, _ := s.Device("tun1")
		asked, carried = in.MTU, p.Out.MTU
		return engine.Pass()
	}))
	large := string(make([]byte, 1200))
	b.step(0, udp(t, 7, large))
	if n := len(b.got(1)); n != 1 || asked != 1500 || carried != 1500 {
		t.Errorf("%d packets left, the MTU is said to be %d and %d", n, asked, carried)
	}
	if err := b.wire[1].SetMTU(576); err != nil {
		t.Fatal(err)
	}
	b.step(0, udp(t, 7, large))
	if n := b.wire[1].Pending(); n != 3 || asked != 576 || carried != 576 {
		t.Errorf("%d packets left, the MTU is said to be %d and %d", n, asked, carried)
	}
	if err := b.wire[1].SetMTU(67); !errors.Is(err, tundev.ErrBadConfig) {
		t.Errorf("SetMTU(67): %v", err)
	}
	if !slices.Equal(seen, []string{"changed tun1"}) {
		t.Errorf("seen: %q", seen)
	}
}
