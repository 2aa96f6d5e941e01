package impair_test

import (
	"testing"

	"github.com/tunscript/tunscript/engine/impair"
)

// losses sends n packets over a link and returns how many are lost, and in how
// many bursts.
func losses(t *testing.T, o impair.Options, seed uint64, n int) (lost, bursts float64) {
	t.Helper()
	l, c, p := rule(t, o).Link(), chance(seed), datagram(t, 10)
	before := false
	for range n {
		gone := l.Decide(p, start, c).Drop == impair.Lost
		if gone {
			lost++
			if !before {
				bursts++
			}
		}
		before = gone
	}
	return lost, bursts
}

// One packet in ten, whatever the seed. The standard deviation of 100,000 throws
// is 0.095%: half a percent is more than five.
func TestLoss(t *testing.T) {
	const n = 100_000
	for seed := range uint64(20) {
		lost, bursts := losses(t, impair.Options{Loss: 0.1}, seed, n)
		within(t, "loss", lost/n, 0.1, 0.005)
		// Independent losses follow one another by chance: 1/(1-0.1) in a row.
		within(t, "mean burst", lost/bursts, 1/0.9, 0.02)
	}
}

func TestLossOfAllAndNone(t *testing.T) {
	for _, tt := range []struct {
		o    impair.Options
		lost float64
	}{
		{impair.Options{Loss: 1}, 1000},
		{impair.Options{Duplicate: 1}, 0},
		{impair.Options{Gilbert: &impair.Gilbert{P: 1, R: 0, Bad: 1}}, 999}, // the first finds it good
		{impair.Options{Gilbert: &impair.Gilbert{Good: 1}}, 1000},
		{impair.Options{Gilbert: &impair.Gilbert{P: 1, R: 1, Bad: 1}}, 500}, // turn by turn
	} {
		if lost, _ := losses(t, tt.o, 1, 1000); lost != tt.lost {
			t.Errorf("%+v: lost %v of 1000, want %v", tt.o, lost, tt.lost)
		}
	}
}

// Loss and Burst are a mean loss and a mean length of bursts.
func TestBurst(t *testing.T) {
	const n = 200_000
	for _, tt := range []struct{ loss, burst float64 }{{0.05, 4}, {0.01, 10}, {0.3, 2}, {0.5, 1}} {
		for seed := range uint64(20) {
			lost, bursts := losses(t, impair.Options{Loss: tt.loss, Burst: tt.burst}, seed, n)
			// Bursts are geometric: their number and length vary by about 1/sqrt(bursts).
			give := 6 / sqrt(bursts)
			within(t, "loss", lost/n, tt.loss, tt.loss*give)
			within(t, "mean burst", lost/bursts, tt.burst, tt.burst*give)
		}
	}
}

// A link of two states loses what its stationary distribution says.
func TestGilbert(t *testing.T) {
	const n = 200_000
	for _, g := range []impair.Gilbert{
		{P: 0.01, R: 0.25, Good: 0, Bad: 1},
		{P: 0.02, R: 0.1, Good: 0.01, Bad: 0.6},
		{P: 0.5, R: 0.5, Good: 0.1, Bad: 0.3},
	} {
		for seed := range uint64(20) {
			lost, bursts := losses(t, impair.Options{Gilbert: &g}, seed, n)
			within(t, "mean loss", lost/n, g.MeanLoss(), 6*g.MeanLoss()/sqrt(n*g.P/4))
			if g.Good == 0 && g.Bad == 1 {
				within(t, "mean burst", lost/bursts, 1/g.R, 6/g.R/sqrt(bursts))
			}
		}
	}
	if got := (impair.Gilbert{Good: 0.2, Bad: 1}).MeanLoss(); got != 0.2 {
		t.Errorf("a link that stays good loses %v, want 0.2", got)
	}
}
