package engine

import "time"

// A Clock is where an engine's time comes from. The zero Clock is the system's.
type Clock struct {
	virtual bool
	start   time.Time
}

// Virtual is a clock that stands at start and moves only when the engine has
// nothing left to do at that instant: waiting costs nothing, and a run is
// repeatable. A zero start is the first packet's time, of a device that is
// [Timed], else 1970. See Engine.Advance.
func Virtual(start time.Time) Clock { return Clock{virtual: true, start: start} }
