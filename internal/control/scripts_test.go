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

// Lua from outside runs in the script's globals; what is wrong with it is a script's
// error with its line.
func TestEval(t *testing.T) {
	r := newRig(t, echo)
	c := r.dial()
	r.udp(7)
	eventually(t, "a packet", func() bool {
		got, err := c.Eval(t.Context(), "hits", "", 0)
		return err == nil && len(got) == 1 && got[0] == "1"
	})
	if got, err := c.Eval(t.Context(), "hits = 7", "gate", 1); err != nil || len(got) != 0 {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := c.Eval(t.Context(), "hits, 'x'", "gate", 1); err != nil || strings.Join(got, " ") != "7 x" {
		t.Errorf("%q, %v", got, err)
	}
	for _, tt := range []struct {
		source, script string
		worker         int
		kind           Kind
		want           string
	}{
		{"hits +", "", 0, KindScript, "eval:1:7: unexpected symbol"},
		{"error('no')", "", 0, KindFailed, "eval:1: no"},
		{"while true do end", "", 0, KindFailed, "instructions"},
		{"1", "gat", 0, KindUsage, `there is no script "gat"`},
		{"1", "", 2, KindUsage, "worker 2"},
	} {
		_, err := c.Eval(t.Context(), tt.source, tt.script, tt.worker)
		e, ok := err.(*Error)
		if !ok || e.Kind != tt.kind || !strings.Contains(e.Text, tt.want) {
			t.Errorf("%s: %v, want %q", tt.source, err, tt.want)
		}
	}
}

// With two workers each has globals of its own, a reload is of both, and the counters of
// each are there.
func TestWorkers(t *testing.T) {
	r := newRigOf(t, echo, 2)
	c := r.dial()
	for w, want := range []string{"1", "2"} {
		got, err := c.Eval(t.Context(), "worker", "", w+1)
		if err != nil || got[0] != want {
			t.Errorf("worker %s: %q, %v", want, got, err)
		}
	}
	if _, err := c.Eval(t.Context(), "mine = 7", "", 2); err != nil {
		t.Error(err)
	}
	for w, want := range []string{"nil", "7"} {
		if got, err := c.Eval(t.Context(), "mine", "", w+1); err != nil || got[0] != want {
			t.Errorf("worker %d: %q, %v; want %s", w+1, got, err, want)
		}
	}
	if got, err := c.Reload(t.Context(), "gate"); err != nil || len(got.Done) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := c.Eval(t.Context(), "mine", "", 2); err != nil || got[0] != "nil" {
		t.Errorf("after a reload: %q, %v", got, err)
	}
	r.udp(7)
	eventually(t, "a packet", func() bool {
		s, err := c.Stats(t.Context())
		if err != nil || len(s.Workers) != 2 {
			t.Fatalf("%+v, %v", s.Workers, err)
		}
		return s.Workers[0].Queues[0].Received+s.Workers[1].Queues[0].Received == 1 && s.Devices[0].Received == 1 && s.Handlers[0].Calls == 1
	})
}
