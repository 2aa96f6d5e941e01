package flow_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tunscript/tunscript/engine/flow"
)

// lines are the flows of t, a line each.
func lines(t *flow.Table, now time.Time) (all []string) {
	t.List(now, 0, 1000, func(f flow.Info) {
		l := fmt.Sprintf("%d %v > %v %s %v/%v", f.Proto, f.Src, f.Dst, f.State, f.Age, f.Idle)
		if f.Rule != "" {
			l += " " + f.Rule
		}
		if f.OutSrc != f.Src || f.OutDst != f.Dst {
			l += fmt.Sprintf(", leaves as %v > %v", f.OutSrc, f.OutDst)
		}
		all = append(all, l)
	})
	return all
}

func TestList(t *testing.T) {
	w := newWorld(t, 0)
	w.get(tcp(t, host, 4000, server, 80, "S", ""))
	w.get(echo(t, host, server, 9, false))
	masked := w.get(udp(t, host6, 4000, server6, 53, "?"))
	if err := masked.Rewrite(gate, flow.Rewrite{Src: public6, Sport: 61000}); err != nil {
		t.Fatal(err)
	}
	w.Settle(masked, true, 1, 2)
	dropped := w.get(udp(t, host, 4001, server, 53, "?"))
	if err := dropped.Bypass(watch, flow.Drop); err != nil {
		t.Fatal(err)
	}
	w.Settle(dropped, false, 1, flow.NoWay)
	want := []string{
		"6 192.0.2.1:4000 > 198.51.100.80:80 opening 30s/30s",
		"1 192.0.2.1:9 > 198.51.100.80:9 unanswered 30s/30s",
		"17 [2001:db8::1]:4000 > [2001:db8:1::80]:53 unanswered 30s/30s rewrite, leaves as [2001:db8:2::1]:61000 > [2001:db8:1::80]:53",
		"17 192.0.2.1:4001 > 198.51.100.80:53 unanswered 30s/30s drop",
	}
	if diff := cmp.Diff(want, lines(w.Table, start.Add(30*time.Second))); diff != "" {
		t.Error(diff)
	}
	// Those idle too long are over, though nobody has ended them.
	if got := lines(w.Table, start.Add(3*time.Minute)); len(got) != 1 || !strings.HasPrefix(got[0], "6 ") {
		t.Errorf("after three minutes there is %q, want the connection alone", got)
	}
}

// A list in small pages has every flow once, though some end between two of them.
func TestListInPages(t *testing.T) {
	w := newWorld(t, 0)
	const n = 1000
	all := make([]flow.Flow, n)
	for i := range n {
		all[i] = w.get(udp(t, host, uint16(1+i), server, 53, ""))
	}
	seen := map[uint16]int{}
	pages := 0
	for from, more := uint32(0), true; more; more = from != 0 {
		from = w.List(start, from, 64, func(f flow.Info) { seen[f.Src.Port()]++ })
		pages++
	}
	if len(seen) != n || pages != (n+63)/64 {
		t.Errorf("%d flows in %d pages", len(seen), pages)
	}
	for port, times := range seen {
		if times != 1 {
			t.Errorf("port %d comes %d times", port, times)
		}
	}
}

// Without its rule a flow goes through handlers again; one that was rewritten is over.
func TestUnrule(t *testing.T) {
	w := newWorld(t, 0)
	plain := w.get(udp(t, host, 1, server, 53, ""))
	if plain.Unrule() {
		t.Error("there was no rule")
	}
	done := w.get(udp(t, host, 2, server, 53, ""))
	done.SetValue(gate, "kept")
	done.Bypass(gate, flow.Pass)
	done.Bypass(watch, flow.Drop)
	w.Settle(done, true, 1, 2)
	masked := w.get(udp(t, host, 3, server, 53, ""))
	masked.Rewrite(gate, flow.Rewrite{Src: public})
	w.Settle(masked, true, 1, 2)

	if !done.Unrule() || done.Ruled() || done.Dropped() || done.Passed(gate) || done.Way() != flow.NoWay || done.Value(gate) != "kept" {
		t.Errorf("ruled %v, dropped %v, passed %v, way %d, value %v", done.Ruled(), done.Dropped(), done.Passed(gate), done.Way(), done.Value(gate))
	}
	if !masked.Unrule() || masked.Live() || w.Rewriting() {
		t.Error("the rewritten flow lives on")
	}
	if w.Len() != 2 {
		t.Errorf("%d flows", w.Len())
	}
}
