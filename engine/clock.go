package engine

import "time"

// A Clock is where an engine's time comes from. The zero Clock is the system's.
type Clock struct {
	virtual bool
	start   time.Time
	linger  time.Duration // after the last input; 0 is the default
	speed   float64       // virtual seconds a real one; 0 does not wait
}

// Virtual is a clock that stands at start and moves only when the engine has
// nothing left to do at that instant: waiting costs nothing, and a run is
// repeatable. A zero start is the first packet's time, of a device that is
// [Timed], else 1970. See Engine.Advance.
func Virtual(start time.Time) Clock { return Clock{virtual: true, start: start, linger: linger} }

// Linger is how long, on a virtual clock, a Run goes on at most after the last
// input, when timers and tasks are still waiting. The default is a minute.
func (c Clock) Linger(d time.Duration) Clock {
	c.linger = max(d, 0)
	return c
}

// Paced makes a virtual clock wait, so that Run lets speed virtual seconds go by
// in a real one: 1 is the pace of the capture. What the programs see is the same
// as without; 0 does not wait. Advance is not slowed down.
func (c Clock) Paced(speed float64) Clock {
	c.speed = max(speed, 0)
	return c
}

// A pace says when, in real time, a virtual instant is due.
type pace struct {
	speed   float64
	virtual time.Time // the instant where the run began, and when that was
	real    time.Time
}

func newPace(speed float64, virtual time.Time) pace {
	return pace{speed, virtual, time.Now()}
}

// due is when the virtual instant at comes; the zero time if there is nothing to
// wait for.
func (p pace) due(at time.Time) time.Time {
	if p.speed <= 0 {
		return time.Time{}
	}
	due := p.real.Add(time.Duration(float64(at.Sub(p.virtual)) / p.speed))
	if !due.After(time.Now()) {
		return time.Time{}
	}
	return due
}
