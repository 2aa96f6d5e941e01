package control

import (
	"strings"
	"testing"
)

// A reload shows a mistake at its line and column, and what ran goes on; mended, it is
// exchanged.
func TestReload(t *testing.T) {
	r := newRig(t, echo)
	c := r.dial()
	r.source = "on('udp' function() end)"
	got, err := c.Reload(t.Context(), "")
	if err != nil || len(got.Done) > 0 || len(got.Failed) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	if e := got.Failed[0]; e.Kind != KindScript || !strings.HasPrefix(e.Text, "gate.lua:1:10: ") || !strings.HasSuffix(e.Detail(), "\n             ^") {
		t.Errorf("%+v", e)
	}
	r.udp(7)
	eventually(t, "the old one goes on", func() bool {
		s, err := c.Stats(t.Context())
		return err == nil && s.Reasons["seen"] == 1
	})
	r.source = `on(function() return "drop", "new" end)`
	if got, err = c.Reload(t.Context(), "gate"); err != nil || len(got.Done) != 1 || got.Done[0] != "gate" {
		t.Errorf("%+v, %v", got, err)
	}
	r.udp(7)
	eventually(t, "the new one", func() bool {
		s, err := c.Stats(t.Context())
		return err == nil && s.Reasons["new"] == 1
	})
}

// An option is set by a reload; a value that does not suit it leaves all as it was.
func TestSet(t *testing.T) {
	r := newRig(t, echo)
	c := r.dial()
	if got, err := c.Set(t.Context(), "n", "5"); err != nil || len(got.Done) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	got, err := c.Set(t.Context(), "n", "10")
	if err != nil || len(got.Failed) != 1 || got.Failed[0].Kind != KindUsage {
		t.Errorf("%+v, %v", got, err)
	}
	if r.tell["n"] != "5" {
		t.Errorf("n is %q, want 5 as before", r.tell["n"])
	}
}
