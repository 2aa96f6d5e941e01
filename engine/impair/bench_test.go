package impair_test

import (
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/impair"
)

// everything is a rule with every fault that lets packets live.
var everything = impair.Options{
	Filter: "udp port 7", At: time.Second, For: time.Hour, Every: 2 * time.Hour,
	Loss: 0.1, Burst: 3, MTU: 1400,
	Delay: 10 * time.Millisecond, Jitter: 5 * time.Millisecond, Distribution: impair.Normal, KeepOrder: true,
	Reorder: 0.1, Gap: 3, Rate: 1_000_000_000,
	Duplicate: 0.1, Corrupt: 0.5, Truncate: 0.1,
}

func TestNothingIsAllocated(t *testing.T) {
	r, c, whole := rule(t, everything), chance(1), datagram(t, 1000)
	l, p := r.Link(), whole.Clone()
	now := start
	if n := testing.AllocsPerRun(1000, func() {
		now = now.Add(time.Millisecond)
		if err := p.Set(whole.Frame(), whole.Link()); err != nil {
			t.Error(err)
		}
		if !r.Wants(p, 2*time.Second) {
			t.Error("not wanted")
		}
		d := l.Decide(p, now, c)
		d.Apply(p)
	}); n != 0 {
		t.Errorf("%v allocations for each packet", n)
	}
}

func BenchmarkDecide(b *testing.B) {
	for _, bb := range []struct {
		name string
		o    impair.Options
	}{
		{"loss", impair.Options{Loss: 0.1}},
		{"delay", impair.Options{Delay: 10 * time.Millisecond, Jitter: time.Millisecond}},
		{"rate", impair.Options{Rate: 1_000_000_000}},
		{"everything", everything},
	} {
		b.Run(bb.name, func(b *testing.B) {
			r, c, p := rule(b, bb.o), chance(1), datagram(b, 1000)
			l, now := r.Link(), start
			b.ReportAllocs()
			for b.Loop() {
				now = now.Add(10 * time.Microsecond)
				if r.Wants(p, 2*time.Second) {
					l.Decide(p, now, c)
				}
			}
		})
	}
}
