package keeper

import (
	"errors"
	"fmt"
	"time"

	"github.com/tunscript/tunscript/tundev/host"
)

// ErrElsewhere is about a leftover in another network namespace than the caller's.
var ErrElsewhere = errors.New("it is in another network namespace")

// A Leftover is what a run that was killed together with its keeper has left on this
// host.
type Leftover struct {
	Path      string    // its journal
	PID       int       // the keeper that is gone
	Since     time.Time // when it began
	Namespace string    // the network namespace, as /proc/PID/ns/net names it: "net:[4026531840]"
	Here      bool      // Namespace is the caller's: only then can it be undone
	// Changes are in the order in which they were made. None if the machine was
	// restarted since, which has undone them.
	Changes []host.Change
}

// String is one line for people.
func (l Leftover) String() string {
	return fmt.Sprintf("%s: %d changes of a run that was killed (keeper %d, %s)",
		l.Path, len(l.Changes), l.PID, l.Since.Format(time.DateTime))
}
