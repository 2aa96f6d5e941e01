package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
)

// A story is what happened, each line with the seconds since the start.
type story struct {
	s     *engine.Scope
	start time.Time
	lines []string
}

func (st *story) add(format string, args ...any) {
	st.lines = append(st.lines, fmt.Sprintf("%v ", st.s.Now().Sub(st.start).Seconds())+fmt.Sprintf(format, args...))
}

func (st *story) timer(d time.Duration, word string) {
	st.s.After(d, func() { st.add("%s", word) })
}

// tell is a program whose story begins with the first step.
func tell(run func(st *story)) (engine.Program, *story) {
	st := &story{}
	return engine.ProgramFunc("story", func(s *engine.Scope) error {
		st.s, st.start = s, s.Now()
		run(st)
		return nil
	}), st
}

func TestVirtualTime(t *testing.T) {
	for _, tt := range []struct {
		name string
		run  func(st *story)
		step time.Duration
		want []string
	}{
		{"timers run when they are due, and in the order made", func(st *story) {
			st.timer(2*time.Second, "b")
			st.timer(time.Second, "a")
			st.timer(2*time.Second, "c")
			st.timer(3*time.Second, "too late")
		}, 2 * time.Second, []string{"1 a", "2 b", "2 c"}},
		{"what is made at an instant for that instant runs in it", func(st *story) {
			st.s.After(time.Second, func() { st.add("outer"); st.timer(0, "inner") })
		}, time.Second, []string{"1 outer", "1 inner"}},
		{"AfterLast comes after all of its instant", func(st *story) {
			st.s.AfterLast(time.Second, func() { st.add("last") })
			st.s.After(time.Second, func() { st.add("first"); st.timer(0, "second") })
		}, time.Second, []string{"1 first", "1 second", "1 last"}},
		{"every comes every time", func(st *story) {
			st.s.Every(time.Second, func() { st.add("tick") })
		}, 3 * time.Second, []string{"1 tick", "2 tick", "3 tick"}},
		{"every ends from within", func(st *story) {
			n := 0
			var tick *engine.Timer
			tick, _ = st.s.Every(time.Second, func() {
				st.add("tick")
				if n++; n == 2 {
					tick.Cancel()
				}
			})
		}, time.Minute, []string{"1 tick", "2 tick"}},
		{"a cancelled timer does not run", func(st *story) {
			tm, _ := st.s.After(time.Second, func() { st.add("never") })
			st.s.After(time.Second/2, func() { tm.Cancel(); tm.Cancel() })
		}, time.Minute, nil},
		{"Started runs first", func(st *story) {
			st.timer(0, "timer")
			st.s.Started(func() { st.add("started") })
		}, 0, []string{"0 started", "0 timer"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			program, st := tell(tt.run)
			virtual(t, program).step(tt.step)
			if diff := cmp.Diff(tt.want, st.lines); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// At one instant packets come before timers.
func TestPacketsBeforeTimers(t *testing.T) {
	program, st := tell(func(st *story) {
		st.timer(0, "timer")
		st.s.Handle(engine.Handler{Run: func(p *packet.Packet) engine.Verdict {
			st.add("packet %s", p.Payload())
			return engine.Drop("")
		}})
	})
	b := virtual(t, program)
	b.step(0, udp(t, 7, "1"), udp(t, 7, "2"))
	if diff := cmp.Diff([]string{"0 packet 1", "0 packet 2", "0 timer"}, st.lines); diff != "" {
		t.Error(diff)
	}
}

func TestEveryWantsMoreThanNothing(t *testing.T) {
	program, _ := tell(func(st *story) {
		if _, err := st.s.Every(0, func() {}); err == nil {
			t.Error("Every(0) is not refused")
		}
	})
	virtual(t, program).step(0)
}

func TestStuck(t *testing.T) {
	b := virtual(t, engine.ProgramFunc("spinner", func(s *engine.Scope) error {
		var again func()
		again = func() { s.After(0, again) }
		again()
		return nil
	}))
	err := b.Advance(time.Second)
	if !errors.Is(err, engine.ErrStuck) || !strings.Contains(err.Error(), "spinner") {
		t.Errorf("got %v, want ErrStuck that names the spinner", err)
	}
	if err := b.Advance(0); !errors.Is(err, engine.ErrStopped) {
		t.Errorf("after that Advance says %v, want ErrStopped", err)
	}
}

func TestSameSeedSameNumbers(t *testing.T) {
	draw := func(seed uint64, name string) (n []uint64) {
		b := newBench(t, func(c *engine.Config) { c.Clock, c.Seed = engine.Virtual(time.Unix(0, 0)), seed },
			engine.ProgramFunc(name, func(s *engine.Scope) error {
				n = append(n, s.Rand().Uint64(), s.Rand().Uint64())
				return nil
			}))
		b.step(0)
		return n
	}
	first := draw(7, "p")
	if diff := cmp.Diff(first, draw(7, "p")); diff != "" {
		t.Errorf("the same seed draws other numbers: %s", diff)
	}
	if cmp.Equal(first, draw(8, "p")) || cmp.Equal(first, draw(7, "q")) {
		t.Error("another seed or program draws the same numbers")
	}
}

// A tape is a device that plays packets at their times and then ends.
type tape struct {
	env   engine.Env
	name  string
	times []time.Duration // since 1970
	frame []byte
	sent  int
}

func (d *tape) Info() engine.Info { return engine.Info{Name: d.name, MTU: 1500} }
func (d *tape) Attach(env engine.Env) ([]engine.Queue, error) {
	d.env = env
	return []engine.Queue{d}, nil
}
func (d *tape) Detach()      {}
func (d *tape) Close() error { return nil }
func (d *tape) FD() int      { return -1 }
func (d *tape) Next() (time.Time, bool) {
	if len(d.times) == 0 {
		return time.Time{}, false
	}
	return time.Unix(0, int64(d.times[0])), true
}
func (d *tape) Read(ps []*packet.Packet, pool *packet.Pool) (n int, err error) {
	if len(d.times) == 0 {
		return 0, io.EOF
	}
	for n < len(ps) && len(d.times) > 0 && d.times[0] <= time.Duration(d.env.Now().UnixNano()) {
		ps[n] = pool.Get(len(d.frame))
		ps[n].Set(d.frame, packet.IP)
		d.times = d.times[1:]
		n++
	}
	return n, nil
}
func (d *tape) Write(ps []*packet.Packet, _ func(*packet.Packet, engine.Reason)) error {
	d.sent += len(ps)
	return nil
}

// play runs a program over packets that come at these seconds.
func play(t *testing.T, run func(st *story), seconds ...float64) ([]string, error) {
	t.Helper()
	return playOn(t.Context(), t, engine.Virtual(time.Unix(0, 0)), run, seconds...)
}

func playOn(ctx context.Context, t *testing.T, clock engine.Clock, run func(st *story), seconds ...float64) ([]string, error) {
	t.Helper()
	d := &tape{name: "in.pcap", frame: udp(t, 7, "x").Bytes()}
	for _, s := range seconds {
		d.times = append(d.times, time.Duration(s*1e9))
	}
	program, st := tell(run)
	eng, err := engine.New(engine.Config{
		Clock: clock, Seed: 1,
		Devices: []engine.DeviceConfig{{Device: d}}, Programs: []engine.ProgramConfig{{Program: program}},
	})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	err = eng.Run(ctx)
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("virtual time took %v", took)
	}
	return st.lines, err
}

func TestCaptureOnVirtualTime(t *testing.T) {
	onPacket := func(st *story) {
		st.s.Handle(engine.Handler{Run: func(p *packet.Packet) engine.Verdict {
			st.add("packet")
			return engine.Pass()
		}})
	}
	for _, tt := range []struct {
		name    string
		run     func(st *story)
		seconds []float64
		want    []string
	}{
		{"packets and timers in the order of their times", func(st *story) {
			onPacket(st)
			st.timer(1500*time.Millisecond, "timer")
		}, []float64{1, 2}, []string{"1 packet", "1.5 timer", "2 packet"}},
		{"a stamp that goes back counts as now", onPacket, []float64{3, 1, 4}, []string{"3 packet", "3 packet", "4 packet"}},
		{"one-shot timers outlive the input", func(st *story) { st.timer(59*time.Second, "late") }, []float64{0.5}, []string{"59 late"}},
		{"but not by more than a minute", func(st *story) { st.timer(61*time.Second, "never") }, []float64{0.5}, nil},
		{"every holds nothing open", func(st *story) {
			st.s.Every(time.Second, func() { st.add("tick") })
		}, []float64{2.5}, []string{"1 tick", "2 tick"}},
		{"an empty capture still loads the program", func(st *story) {
			st.s.Started(func() { st.add("started") })
		}, nil, []string{"0 started"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := play(t, tt.run, tt.seconds...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLinger(t *testing.T) {
	late := func(st *story) { st.timer(61*time.Second, "late"); st.timer(3*time.Second, "soon") }
	for _, tt := range []struct {
		linger time.Duration
		want   []string
	}{{2 * time.Minute, []string{"3 soon", "61 late"}}, {10 * time.Second, []string{"3 soon"}}, {0, nil}} {
		got, err := playOn(t.Context(), t, engine.Virtual(time.Unix(0, 0)).Linger(tt.linger), late, 0.5)
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("lingering %v: %v %s", tt.linger, err, diff)
		}
	}
}

// At ten times its pace a capture of 2 s takes 0.2 s, what happens is the same, and
// whoever waits can be interrupted.
func TestPaced(t *testing.T) {
	story := func(st *story) { st.timer(1500*time.Millisecond, "timer") }
	clock := engine.Virtual(time.Unix(0, 0)).Paced(10)
	start := time.Now()
	got, err := playOn(t.Context(), t, clock, story, 1, 2)
	if took := time.Since(start); took < 195*time.Millisecond {
		t.Errorf("2 s at 10 times the pace took %v", took)
	}
	if diff := cmp.Diff([]string{"1.5 timer"}, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	if _, err := playOn(ctx, t, clock, story, 1000); err != nil {
		t.Errorf("interrupted: %v", err)
	}
}

func TestVirtualRunWantsAnEnd(t *testing.T) {
	b := virtual(t)
	if err := b.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "Advance") {
		t.Errorf("Run over pipes says %v, want advice to step with Advance", err)
	}
}
