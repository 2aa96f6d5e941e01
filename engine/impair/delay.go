package impair

import (
	"math"
	"math/rand/v2"
	"time"
)

// The Pareto distribution has the shape of netem's table, 3: its mean is 3/2 and its
// variance 3/4, which are taken off and divided out.
const (
	paretoMean  = 1.5
	paretoSigma = 0.8660254037844386 // sqrt(3)/2
	// paretoMost bounds the tail, in standard deviations; netem's table ends at 4.
	paretoMost = 20
)

// delay draws how long a packet is on its way.
func (o *Options) delay(chance *rand.Rand) time.Duration {
	if o.Jitter == 0 {
		return o.Delay
	}
	return max(0, o.Delay+time.Duration(math.Round(o.Distribution.draw(chance)*float64(o.Jitter))))
}

// draw gives a number whose mean is 0: of Uniform within -1 and 1, of the others
// with a standard deviation of 1.
func (d Distribution) draw(chance *rand.Rand) float64 {
	switch d {
	case Normal:
		return chance.NormFloat64()
	case Pareto:
		x := 1 / math.Cbrt(1-chance.Float64()) // in (0, 1], so never a division by 0
		return min((x-paretoMean)/paretoSigma, paretoMost)
	}
	return 2*chance.Float64() - 1
}
