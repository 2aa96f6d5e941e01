package impair_test

import (
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/impair"
)

// A line that is never idle carries its rate to the nanosecond, for as long as it
// may take: no rounding adds up.
func TestRateIsExact(t *testing.T) {
	for _, rate := range []int64{3, 9_600, 1_000_003, 12_345_678, 10_000_000_000} {
		l, c := rule(t, impair.Options{Rate: rate, Queue: impair.MaxQueue}).Link(), chance(1)
		p := datagram(t, 1000-28)
		const n = 10_000
		var last time.Duration
		for range n {
			d := l.Decide(p, start, c)
			if d.Drop != "" {
				t.Fatalf("%d bit/s: %s with %v to wait", rate, d.Drop, last)
			}
			last = d.Delay
		}
		if want := time.Duration(uint64(n) * 8000 * uint64(time.Second) / uint64(rate)); last != want {
			t.Errorf("%d bit/s: 10 MB take %v, want %v", rate, last, want)
		}
	}
}

// A packet waits for those before it; on a line that is free again for none.
func TestLineIsFreeAgain(t *testing.T) {
	l, c, p := rule(t, impair.Options{Rate: 8_000, Delay: 5 * time.Millisecond}).Link(), chance(1), datagram(t, 100-28)
	for _, tt := range []struct{ at, want time.Duration }{
		{0, 100 * time.Millisecond},
		{0, 200 * time.Millisecond},
		{50 * time.Millisecond, 250 * time.Millisecond},
		{300 * time.Millisecond, 100 * time.Millisecond}, // just free
		{time.Second, 100 * time.Millisecond},
	} {
		d := l.Decide(p, start.Add(tt.at), c)
		if d.Delay != tt.want+5*time.Millisecond {
			t.Errorf("sent at %v: %v, want %v and the delay", tt.at, d.Delay, tt.want)
		}
	}
}

// What does not fit the queue is dropped, and takes no time on the line.
func TestQueue(t *testing.T) {
	l, c, p := rule(t, impair.Options{Rate: 8_000, Queue: 500}).Link(), chance(1), datagram(t, 100-28)
	passed := 0
	for range 20 {
		d := l.Decide(p, start, c)
		switch d.Drop {
		case "":
			passed++
		case impair.QueueFull:
		default:
			t.Errorf("dropped for %s", d.Drop)
		}
	}
	if passed != 5 {
		t.Errorf("%d packets of 100 bytes went into 500 bytes, want 5", passed)
	}
	if d := l.Decide(p, start.Add(250*time.Millisecond), c); d.Drop != "" || d.Delay != 350*time.Millisecond {
		t.Errorf("two packets later: %+v, want room and 350 ms", d)
	}
	// The line takes what its queue could not.
	big := rule(t, impair.Options{Rate: 8_000, Queue: 50}).Link()
	if d := big.Decide(p, start, c); d.Drop != "" {
		t.Errorf("a free line drops for %s", d.Drop)
	}
}

// Two packets a second through a line for one: half are dropped, and the queue that
// stands is as long as it may be.
func TestOverload(t *testing.T) {
	l, c, p := rule(t, impair.Options{Rate: 8_000}).Link(), chance(1), datagram(t, 100-28)
	passed, longest := 0.0, time.Duration(0)
	const n = 100_000
	for i := range n {
		d := l.Decide(p, start.Add(time.Duration(i)*50*time.Millisecond), c)
		if d.Drop == "" {
			passed++
			longest = max(longest, d.Delay)
		}
	}
	within(t, "part that passes", passed/n, 0.5, 0.002)
	within(t, "seconds in the queue", longest.Seconds(), impair.DefaultQueue/1000, 0.1)
}

func TestMTU(t *testing.T) {
	l, c := rule(t, impair.Options{MTU: 500}).Link(), chance(1)
	if d := l.Decide(datagram(t, 500-28), start, c); d.Drop != "" {
		t.Errorf("500 bytes: %s", d.Drop)
	}
	if d := l.Decide(datagram(t, 501-28), start, c); d.Drop != impair.TooBig {
		t.Errorf("501 bytes: %q, want %s", d.Drop, impair.TooBig)
	}
}
