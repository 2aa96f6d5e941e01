package impair

import "time"

// A line carries a number of bits per second, one packet at a time. Nothing is
// kept: when the line is free again is all there is to know of those that wait.
type line struct {
	free time.Time // when the last packet is through
	rest uint64    // and of the nanosecond behind that, in 1/rate: no rounding adds up
}

// take puts n bytes at the end of the queue and returns when they are through, from
// now; false if the queue, whose bytes the line carries in room, is full. A packet
// that finds the line free always passes, however short the queue.
func (l *line) take(n int, now time.Time, rate int64, room time.Duration) (time.Duration, bool) {
	wait := l.free.Sub(now)
	rest := l.rest
	if wait < 0 {
		wait, rest = 0, 0
	}
	// At most 525,000 bits: times 10^9 that is far below 2^63.
	sum := uint64(n)*8*uint64(time.Second) + rest
	through := wait + time.Duration(sum/uint64(rate))
	if wait > 0 && through > room {
		return 0, false
	}
	l.free, l.rest = now.Add(through), sum%uint64(rate)
	return through, true
}
