package control

import (
	"fmt"
	"strings"
	"testing"
)

const ruling = `
seen = 0
on("udp", function(p)
	seen = seen + 1
	if p.udp.dport == 9 then p.flow:bypass("drop") else p.flow.n = 1 end
end)`

// Flows are listed by what a filter on their packets says, with the rules about them;
// without its rule one comes to the script again.
func TestFlows(t *testing.T) {
	r := newRig(t, ruling)
	c := r.dial()
	seen := func(want string) {
		t.Helper()
		eventually(t, "seen "+want, func() bool {
			got, err := c.Eval(t.Context(), "seen", "", 0)
			return err == nil && got[0] == want
		})
	}
	list := func(filter string, flush bool) (lines []string, flushed int) {
		t.Helper()
		flushed, err := c.Flows(t.Context(), filter, flush, func(f Flow) error {
			lines = append(lines, strings.TrimSpace(fmt.Sprint(f.Proto, " ", f.Src, " > ", f.Dst, " ", f.State, " ", f.Rule)))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return lines, flushed
	}
	if lines, _ := list("", false); len(lines) != 0 {
		t.Errorf("before any: %q", lines)
	}
	r.udp(7)
	r.udp(9)
	seen("2")
	for _, tt := range []struct{ filter, want string }{
		{"", "udp 192.0.2.1:4000 > 192.0.2.2:7 unanswered; udp 192.0.2.1:4000 > 192.0.2.2:9 unanswered drop"},
		{"dst port 9", "udp 192.0.2.1:4000 > 192.0.2.2:9 unanswered drop"},
		{"src port 9", "udp 192.0.2.1:4000 > 192.0.2.2:9 unanswered drop"}, // its answers
		{"tcp", ""},
		{"host 192.0.2.7", ""},
	} {
		if lines, _ := list(tt.filter, false); strings.Join(lines, "; ") != tt.want {
			t.Errorf("%q: %q, want %q", tt.filter, lines, tt.want)
		}
	}
	if _, flushed := list("port 7", true); flushed != 0 {
		t.Errorf("%d flushed, and there is no rule", flushed)
	}
	if _, flushed := list("", true); flushed != 1 {
		t.Errorf("%d flushed, want 1", flushed)
	}
	r.udp(9)
	seen("3")
	if _, err := c.Flows(t.Context(), "udp prot 7", false, nil); err == nil || !strings.Contains(err.Error(), "filter: ") {
		t.Error(err)
	}
}

// With two workers the flows of both are listed, each once, and flushed where they are.
func TestFlowsOfTwoWorkers(t *testing.T) {
	r := newRigOf(t, `on("udp", function(p) p.flow:bypass("drop") end)`, 2)
	c := r.dial()
	const n = 500
	for port := range uint16(n) {
		r.udp(1000 + port)
		if port%100 == 99 { // as many as a device in memory holds
			eventually(t, "they are seen", func() bool { return r.host.Engine.Stats().Flows.Made == uint64(port+1) })
		}
	}
	seen, workers := map[string]bool{}, map[int]int{}
	flushed, err := c.Flows(t.Context(), "", true, func(f Flow) error {
		seen[f.Dst] = true
		workers[f.Worker]++
		return nil
	})
	if err != nil || len(seen) != n || workers[1]+workers[2] != n || flushed != n {
		t.Errorf("%d flows, by worker %v, %d flushed, %v", len(seen), workers, flushed, err)
	}
	ruled := 0
	if _, err := c.Flows(t.Context(), "", false, func(f Flow) error {
		if f.Rule != "" {
			ruled++
		}
		return nil
	}); err != nil || ruled > 0 {
		t.Errorf("%d rules are left, %v", ruled, err)
	}
}
