package engine_test

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev"
)

func TestRunEndsWithItsContext(t *testing.T) {
	b := newBench(t, nil).run()
	if err := b.end(); err != nil {
		t.Errorf("Run returns %v, want nil", err)
	}
	if err := b.Run(context.Background()); !errors.Is(err, engine.ErrStopped) {
		t.Errorf("a second Run returns %v, want ErrStopped", err)
	}
	if err := b.Close(); err != nil {
		t.Errorf("Close afterwards: %v", err)
	}
}

func TestRunEndsWithItsInput(t *testing.T) {
	b := newBench(t, nil, saying("a")).run()
	b.give(udp(t, 7, "x"))
	b.wire[0].Close()
	b.wire[1].Close()
	if err := <-b.done; err != nil {
		t.Errorf("Run returns %v, want nil", err)
	}
}

func TestStop(t *testing.T) {
	for status, want := range map[int]error{0: nil, 3: &engine.ExitError{Status: 3}} {
		b := newBench(t, nil, engine.ProgramFunc("p", func(s *engine.Scope) error {
			_, err := s.Handle(engine.Handler{Run: func(*packet.Packet) engine.Verdict {
				s.Stop(status)
				return engine.Pass()
			}})
			return err
		})).run()
		b.give(udp(t, 7, "x"))
		if err := <-b.done; !cmp.Equal(err, want) {
			t.Errorf("stop(%d): Run returns %v, want %v", status, err, want)
		}
		if got := b.got(1); len(got) != 1 {
			t.Errorf("stop(%d): the packet in hand did not leave", status)
		}
	}
}

func TestCloseWhileRunning(t *testing.T) {
	b := newBench(t, nil).run()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := b.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
	wg.Wait()
	if err := <-b.done; err != nil && !errors.Is(err, engine.ErrStopped) {
		t.Errorf("Run returns %v", err)
	}
}

func TestCloseBeforeRun(t *testing.T) {
	b := newBench(t, nil)
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if _, err := b.wire[0].Write(udp(t, 7, "x").Bytes()); err == nil {
		t.Error("the devices are still open")
	}
	if err := b.Run(context.Background()); !errors.Is(err, engine.ErrStopped) {
		t.Errorf("Run returns %v, want ErrStopped", err)
	}
}

// A broken device fails when told to.
type broken struct {
	tape
	fail atomic.Bool
	err  error
}

func (d *broken) Attach(env engine.Env) ([]engine.Queue, error) {
	d.env = env
	return []engine.Queue{d}, nil
}
func (d *broken) Read(ps []*packet.Packet, pool *packet.Pool) (int, error) {
	if d.fail.Load() {
		return 0, d.err
	}
	return 0, nil
}

// One device of two is lost: it is told once, and the other goes on.
func TestLoss(t *testing.T) {
	cause := errors.New("descriptor in a bad state")
	dead := &broken{tape: tape{name: "tun2"}, err: cause}
	var gone []string
	b := newBench(t, func(c *engine.Config) {
		c.Devices = append(c.Devices, engine.DeviceConfig{Device: dead})
		c.Observer = engine.ObserverFunc(func(e *engine.Event) {
			if e.Kind == engine.Gone {
				gone = append(gone, e.Device+": "+e.Err.Error())
			}
		})
	}, saying("a")).run()
	b.give(udp(t, 7, "x"))
	buf := make([]byte, 1500)
	b.wire[1].Read(buf)
	dead.fail.Store(true)
	dead.env.Wake(0)
	for b.give(udp(t, 7, "y")); ; {
		if n, err := b.wire[1].Read(buf); err != nil || n > 0 {
			break
		}
	}
	if err := b.end(); err != nil {
		t.Errorf("Run returns %v, want nil: other devices were left", err)
	}
	if diff := cmp.Diff([]string{"tun2: device tun2 is lost: descriptor in a bad state"}, gone); diff != "" {
		t.Error(diff)
	}
	if n := strings.Count(b.log.String(), "a device is lost"); n != 1 {
		t.Errorf("the loss is logged %d times", n)
	}
}

func TestAllLost(t *testing.T) {
	cause := errors.New("descriptor in a bad state")
	dead := &broken{tape: tape{name: "tun0"}, err: cause}
	dead.fail.Store(true)
	eng, err := engine.New(engine.Config{Devices: []engine.DeviceConfig{{Device: dead}}})
	if err != nil {
		t.Fatal(err)
	}
	var le *engine.LostError
	if err := eng.Run(t.Context()); !errors.As(err, &le) || !errors.Is(err, cause) || le.Device != "tun0" {
		t.Errorf("Run returns %v, want a LostError", err)
	}
}

// New takes all devices or none.
func TestNewTakesAllOrNone(t *testing.T) {
	good, wire := tundev.Pipe(tundev.Config{Name: "tun0"})
	used, wire2 := tundev.Pipe(tundev.Config{Name: "tun1"})
	defer wire.Close()
	defer wire2.Close()
	first, err := engine.New(engine.Config{Devices: []engine.DeviceConfig{{Device: used}}})
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	config := engine.Config{Devices: []engine.DeviceConfig{{Device: good}, {Device: used}}}
	if _, err := engine.New(config); !errors.Is(err, engine.ErrInUse) {
		t.Errorf("a device in use: %v, want ErrInUse", err)
	}
	config.Devices = config.Devices[:1]
	again, err := engine.New(config)
	if err != nil {
		t.Fatalf("the device that was free is not free any more: %v", err)
	}
	again.Close()
}

func TestConfigErrors(t *testing.T) {
	pipe := func(name string) engine.Device {
		dev, wire := tundev.Pipe(tundev.Config{Name: name})
		t.Cleanup(func() { wire.Close(); dev.Close() })
		return dev
	}
	p := saying("p")
	for _, tt := range []struct {
		name   string
		config engine.Config
		want   string
	}{
		{"no device", engine.Config{Devices: []engine.DeviceConfig{{}}}, "device 1: Device is nil"},
		{"two of a name", engine.Config{Devices: []engine.DeviceConfig{{Device: pipe("a")}, {Device: pipe("a")}}}, "device a: two devices have this name"},
		{"forward to nowhere", engine.Config{Devices: []engine.DeviceConfig{{Device: pipe("a"), Forward: "b"}}}, `device a: forward: no device "b": there is a`},
		{"no program", engine.Config{Programs: []engine.ProgramConfig{{}}}, "program 1: Program is nil"},
		{"a program twice", engine.Config{Programs: []engine.ProgramConfig{{Program: p}, {Program: p}}}, "program p: it stands twice"},
		{"a program that cannot be compared", engine.Config{Programs: []engine.ProgramConfig{{Program: uncomparable{}}}}, "use a pointer"},
		{"a device of a program", engine.Config{Programs: []engine.ProgramConfig{{Program: p, Devices: []string{"a"}}}}, `program p: no device "a": there is none`},
		{"prio", engine.Config{Programs: []engine.ProgramConfig{{Program: p, Prio: 101}}}, "prio is 101, want -100 to 100"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := engine.New(tt.config)
			var ce *engine.ConfigError
			if !errors.As(err, &ce) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want a ConfigError with %q", err, tt.want)
			}
		})
	}
	for name, h := range map[string]engine.Handler{
		"Run is nil":          {},
		"prio is -101":        {Prio: -101, Run: say("")},
		`no device "x"`:       {Device: "x", Run: say("")},
		`did you mean "port"`: {Filter: "udp prot 7", Run: say("")},
	} {
		if err := virtual(t, handler("h", h)).Check(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want one with %q", err, name)
		}
	}
}

type uncomparable struct{ _ []int }

func (uncomparable) Name() string              { return "u" }
func (uncomparable) Start(*engine.Scope) error { return nil }

// 300 engines, ten at a time, leave no goroutine and no descriptor.
func TestNothingIsLeft(t *testing.T) {
	open := func() int {
		files, _ := os.ReadDir("/proc/self/fd")
		return len(files)
	}
	once := func() {
		b := newBench(t, func(c *engine.Config) { c.Wait = engine.Prompt }, saying("a")).run()
		b.give(udp(t, 7, "x"))
		if _, err := b.wire[1].Read(make([]byte, 1500)); err != nil {
			t.Error(err)
		}
		if err := b.end(); err != nil {
			t.Error(err)
		}
	}
	once()
	files, goroutines := open(), runtime.NumGoroutine()
	for range 30 {
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(once)
		}
		wg.Wait()
	}
	for range 100 { // the last goroutine may be on its way out
		if runtime.NumGoroutine() <= goroutines {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if f, g := open(), runtime.NumGoroutine(); f > files || g > goroutines {
		t.Errorf("descriptors %d -> %d, goroutines %d -> %d", files, f, goroutines, g)
	}
}

// Posts come from any goroutine, in order, and are refused when too many wait.
func TestPost(t *testing.T) {
	var s *engine.Scope
	var got []int
	b := virtual(t, engine.ProgramFunc("p", func(sc *engine.Scope) error { s = sc; return nil }))
	b.step(0)
	full := false
	posted := 0
	for i := range 10_000 {
		if err := s.Post(func() { got = append(got, i) }); err != nil {
			full = errors.Is(err, engine.ErrFull)
			break
		}
		posted++
	}
	b.step(0)
	if !full || len(got) != posted {
		t.Errorf("posted %d, ran %d, refused at last: %v", posted, len(got), full)
	}
	for i, v := range got {
		if v != i {
			t.Fatalf("post %d ran as number %d", v, i)
		}
	}
	b.Close()
	if err := s.Post(func() {}); err == nil {
		t.Error("a post after the end is not refused")
	}
	if err := s.Send(udp(t, 7, "x")); !errors.Is(err, engine.ErrScopeClosed) {
		t.Errorf("Send after the end: %v", err)
	}
	if _, err := s.Handle(engine.Handler{Run: say("")}); !errors.Is(err, engine.ErrScopeClosed) {
		t.Errorf("Handle after the end: %v", err)
	}
	if _, err := s.After(0, func() {}); !errors.Is(err, engine.ErrScopeClosed) {
		t.Errorf("After after the end: %v", err)
	}
}

func TestAdvanceErrors(t *testing.T) {
	if err := newBench(t, nil).Advance(0); err == nil {
		t.Error("Advance on the system's clock is not refused")
	}
	if err := virtual(t).Advance(-1); err == nil {
		t.Error("time goes back")
	}
	b := virtual(t)
	b.step(0)
	if err := b.Run(context.Background()); !errors.Is(err, engine.ErrRunning) {
		t.Errorf("Run after Advance: %v, want ErrRunning", err)
	}
}

var _ io.Closer = (*engine.Engine)(nil)
