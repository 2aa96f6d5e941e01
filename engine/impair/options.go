package impair

import (
	"time"

	"github.com/tunscript/tunscript/engine/filter"
)

// Options are the faults of a link. The zero value of each is its absence;
// probabilities are 0 to 1.
type Options struct {
	// Which packets, and when.

	Filter    string         // pcap-filter(7) text; "": every packet
	Match     *filter.Filter // the same, compiled; used instead of Filter if not nil
	Direction Direction
	At        time.Duration // from when on, after the rule has taken effect
	For       time.Duration // for how long; 0: for ever
	Every     time.Duration // and again every so often, counted from At; more than For

	// Whether they arrive.

	Blackhole bool     // none does
	Loss      float64  // probability
	Burst     float64  // mean number of packets in a row that Loss takes; 0: each on its own
	Gilbert   *Gilbert // losses by a chain of two states, in place of Loss
	MTU       int      // bytes of the largest IP packet that passes

	// When they arrive.

	Delay        time.Duration
	Jitter       time.Duration // how far Delay goes up and down: see Distribution
	Distribution Distribution
	KeepOrder    bool    // jitter does not let packets overtake one another
	Reorder      float64 // probability that a packet jumps the queue: it skips Delay
	Gap          int     // and only every so many packets; alone, Reorder is 1
	Rate         int64   // bits per second
	Queue        int     // bytes that wait for Rate; 0: those of 100 ms, at least DefaultQueue

	// In what state.

	Duplicate   float64
	Corrupt     float64
	CorruptUnit Unit
	CorruptPart Part
	Mend        bool    // checksums follow what Corrupt does, so that the damage is delivered
	Truncate    float64 // probability that the end is missing
	TruncateTo  int     // bytes of the IP packet that stay; 0: drawn for each
}

// DefaultQueue is the smallest queue, in bytes, that Queue 0 means.
const DefaultQueue = 15_000

// Gilbert is the chain of Gilbert and Elliott (E. O. Elliott, "Estimates of Error
// Rates for Codes on Burst-Noise Channels", Bell System Technical Journal 42,
// 1963), as gemodel in tc-netem(8): a link is good or bad, each with losses of its
// own, and before each packet but the first it may change. It begins good.
type Gilbert struct {
	P    float64 // probability that a good link turns bad
	R    float64 // probability that a bad one turns good: bad times last 1/R packets in the mean
	Good float64 // probability of loss while good; netem's 1-k
	Bad  float64 // probability of loss while bad; netem's 1-h
}

// MeanLoss is the part of all packets that is lost in the long run.
func (g Gilbert) MeanLoss() float64 {
	if g.P+g.R == 0 {
		return g.Good // it never leaves the state it began in
	}
	bad := g.P / (g.P + g.R)
	return bad*g.Bad + (1-bad)*g.Good
}

// Direction says which way packets go, as seen from a device.
type Direction string

// The directions; "" means Both, which acts once for each packet: when it arrives,
// or, if it was made here, when it leaves.
const (
	Both Direction = "both"
	In   Direction = "in"  // those that arrive from the device
	Out  Direction = "out" // those that leave by it, wherever they came from
)

// Distribution says how Jitter is spread.
type Distribution string

// The distributions; "" means Uniform. A delay below 0 counts as 0, so with a Jitter that is larger
// than Delay the mean grows.
const (
	Uniform Distribution = "uniform" // evenly between Delay-Jitter and Delay+Jitter, as netem without a table
	Normal  Distribution = "normal"  // with Jitter as standard deviation
	Pareto  Distribution = "pareto"  // with Jitter as standard deviation and a long tail of late packets
)

// Unit is what Corrupt changes.
type Unit string

// The units; "" means Bit.
const (
	Bit  Unit = "bit"  // one bit is another one
	Byte Unit = "byte" // one byte is another one
)

// Part is where Corrupt may hit. Ethernet's own header never is hit: a frame whose
// checksum is wrong does not get past the network card.
type Part string

// The parts of a packet; "" means Anywhere.
const (
	Anywhere Part = "packet" // the whole IP packet; with Mend the payload
	Header   Part = "header"
	Payload  Part = "payload"
)

// A Reason says why a packet was dropped; package engine counts and shows it.
type Reason string

// The reasons.
const (
	Blackholed Reason = "impair_blackhole"
	Lost       Reason = "impair_loss"
	TooBig     Reason = "impair_mtu"
	QueueFull  Reason = "impair_queue"
	HeldFull   Reason = "impair_held" // the engine's: it keeps as many packets as it may
)
