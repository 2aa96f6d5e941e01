package control

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/shared"
)

// Whatever was bounded is counted under the key of [limits] that bounds it, and what was
// not hit is not there.
func TestLimits(t *testing.T) {
	got := limits(engine.Stats{
		Failures: map[string]uint64{"runtime": 7, "instructions": 1, "tasks": 2, "inboxes": 1},
		Reasons:  map[engine.Reason]uint64{engine.ReasonInboxFull: 3, engine.ReasonRing: 4, engine.ReasonTooBig: 5},
		Flows:    engine.FlowStats{Evicted: 6},
		Shared:   shared.Stats{Evicted: 8},
	})
	want := map[string]uint64{"instructions": 1, "tasks": 2, "inboxes": 1, "held": 3, "ring": 4, "flows": 6, "shared": 8}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
