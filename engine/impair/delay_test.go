package impair_test

import (
	"math"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/impair"
)

func sqrt(x float64) float64 { return math.Sqrt(x) }

func TestDelayIsExact(t *testing.T) {
	l, c, p := rule(t, impair.Options{Delay: 40 * time.Millisecond}).Link(), chance(1), datagram(t, 10)
	for i := range 100 {
		if d := l.Decide(p, start.Add(time.Duration(i)), c); d.Delay != 40*time.Millisecond || d.Drop != "" || d.Copy {
			t.Fatalf("packet %d: %+v, want 40 ms and nothing else", i, d)
		}
	}
}

// Mean and standard deviation of each distribution are what its name says. The tail
// of Pareto is cut at 20 standard deviations, which takes 0.2% off the mean and, of
// a variance that a few late packets make, some percent.
func TestJitter(t *testing.T) {
	const (
		n      = 200_000
		delay  = 100 * time.Millisecond
		jitter = 10 * time.Millisecond
	)
	for _, tt := range []struct {
		dist              impair.Distribution
		sigma, give       float64 // of one jitter
		earliest, soonest time.Duration
	}{
		{"", 1 / sqrt(3), 0.01, delay - jitter, delay - jitter*99/100},
		{impair.Uniform, 1 / sqrt(3), 0.01, delay - jitter, delay - jitter*99/100},
		{impair.Normal, 1, 0.02, delay - 7*jitter, delay - 3*jitter},
		{impair.Pareto, 1, 0.1, delay - jitter*578/1000, delay - jitter*577/1000},
	} {
		for seed := range uint64(5) {
			l, c, p := rule(t, impair.Options{Delay: delay, Jitter: jitter, Distribution: tt.dist}).Link(), chance(seed), datagram(t, 10)
			sum, squares, first := 0.0, 0.0, time.Hour
			for range n {
				d := l.Decide(p, start, c).Delay
				x := float64(d-delay) / float64(jitter)
				sum, squares, first = sum+x, squares+x*x, min(first, d)
			}
			mean := sum / n
			within(t, string(tt.dist)+" mean", mean, 0, 0.015)
			within(t, string(tt.dist)+" sigma", sqrt(squares/n-mean*mean), tt.sigma, tt.give)
			if first < tt.earliest || first > tt.soonest {
				t.Errorf("%s: the earliest came after %v, want between %v and %v", tt.dist, first, tt.earliest, tt.soonest)
			}
		}
	}
}

// No packet comes before it was sent.
func TestDelayIsNeverNegative(t *testing.T) {
	l, c, p := rule(t, impair.Options{Jitter: 10 * time.Millisecond}).Link(), chance(1), datagram(t, 10)
	atOnce := 0
	for range 1000 {
		d := l.Decide(p, start, c).Delay
		if d < 0 {
			t.Fatalf("a delay of %v", d)
		}
		if d == 0 {
			atOnce++
		}
	}
	within(t, "part at once", float64(atOnce)/1000, 0.5, 0.1)
}

// overtaken sends a packet each millisecond and counts those that arrive before one
// that was sent earlier.
func overtaken(t *testing.T, o impair.Options, n int) (overtaken, jumped int) {
	t.Helper()
	l, c, p := rule(t, o).Link(), chance(1), datagram(t, 10)
	var last time.Time
	for i := range n {
		now := start.Add(time.Duration(i) * time.Millisecond)
		d := l.Decide(p, now, c)
		at := now.Add(d.Delay)
		if at.Before(last) {
			overtaken++
		} else {
			last = at
		}
		if d.Jumped {
			jumped++
		}
	}
	return overtaken, jumped
}

func TestOrder(t *testing.T) {
	const n = 20_000
	jitter := impair.Options{Delay: 50 * time.Millisecond, Jitter: 20 * time.Millisecond}
	if late, _ := overtaken(t, jitter, n); late < n/2 {
		t.Errorf("with 20 ms of jitter %d of %d packets a millisecond apart overtake, want most", late, n)
	}
	jitter.KeepOrder = true
	if late, _ := overtaken(t, jitter, n); late != 0 {
		t.Errorf("%d packets overtake though they keep their order", late)
	}
}

func TestReorder(t *testing.T) {
	const n = 100_000
	delay := 10 * time.Millisecond
	for _, tt := range []struct {
		o    impair.Options
		want float64
	}{
		{impair.Options{Reorder: 0.02}, 0.02},
		{impair.Options{Reorder: 0.25}, 0.25},
		{impair.Options{Reorder: 1}, 1},
		{impair.Options{Gap: 5}, 0.2},
		// Four packets wait, and from then on half of them jump: one in 4+2.
		{impair.Options{Gap: 5, Reorder: 0.5}, 1.0 / 6},
	} {
		tt.o.Delay = delay
		late, jumped := overtaken(t, tt.o, n)
		within(t, "part that jumps", float64(jumped)/n, tt.want, 0.003)
		if tt.want < 1 && (late < jumped*9/10 || late > jumped) {
			t.Errorf("%+v: %d jump and %d overtake", tt.o, jumped, late)
		}
	}
	// Every fifth exactly, and it goes at once.
	l, c, p := rule(t, impair.Options{Delay: delay, Gap: 5}).Link(), chance(1), datagram(t, 10)
	for i := range 50 {
		d := l.Decide(p, start, c)
		if want := i%5 == 4; d.Jumped != want || want && d.Delay != 0 {
			t.Errorf("packet %d: %+v", i, d)
		}
	}
}

// A copy goes the rest of the way on its own, and is as often as it should be.
func TestDuplicate(t *testing.T) {
	const n = 100_000
	l, c, p := rule(t, impair.Options{Duplicate: 0.1, Delay: 10 * time.Millisecond, Jitter: time.Millisecond}).Link(), chance(1), datagram(t, 10)
	copies, together := 0.0, 0.0
	for range n {
		if d := l.Decide(p, start, c); d.Copy {
			copies++
			if d.CopyDelay == d.Delay {
				together++
			}
			within(t, "delay of a copy", d.CopyDelay.Seconds(), 0.010, 0.001)
		}
	}
	within(t, "part that comes twice", copies/n, 0.1, 0.005)
	if together > copies/100 {
		t.Errorf("%v of %v copies come with their original", together, copies)
	}
}
