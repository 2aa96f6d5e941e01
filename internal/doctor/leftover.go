package doctor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tunscript/tunscript/internal/keeper"
	"github.com/tunscript/tunscript/tundev/host"
)

// checkLeftover: a run was killed together with its keeper, and what it had changed on
// this host is still so.
func checkLeftover(v *view) ([]Finding, error) {
	list, err := keeper.Leftovers()
	if err != nil {
		// Somebody else's, as seen by the root of a user namespace: in nobody's way.
		return []Finding{{Check: "leftover", Note: true, Problem: "the journals of changes cannot be read: " + err.Error(), Fix: []string{"ls -la /run/tunscript"}}}, nil
	}
	var found []Finding
	for _, l := range list {
		var undo []string
		for _, c := range slices.Backward(l.Changes) {
			undo = append(undo, c.String())
		}
		f := Finding{
			Check: "leftover",
			Problem: fmt.Sprintf("a run that began at %s was killed, and so was its keeper (pid %d): what it changed is still so",
				l.Since.Format(time.DateTime), l.PID),
			Fix:    []string{"tunscript doctor --fix"},
			repair: func(*host.Handle) error { return l.Undo() },
		}
		if len(undo) > 0 {
			f.Problem += "; to undo is: " + strings.Join(undo, "; ")
		}
		if !l.Here {
			f.Note = true
			f.Problem += "; it is in another network namespace, " + l.Namespace
		}
		found = append(found, f)
	}
	return found, nil
}
