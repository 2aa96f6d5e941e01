package engine_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tunscript/tunscript/engine"
)

func TestForward(t *testing.T) {
	var scope *engine.Scope
	b := virtual(t, engine.ProgramFunc("way", func(s *engine.Scope) error { scope = s; return nil }))
	b.step(0, udp(t, 7, "across"))
	if got := b.got(1); len(got) != 1 || scope.Way("tun0") != "tun1" {
		t.Errorf("across: %v, by %q", got, scope.Way("tun0"))
	}
	if err := scope.Forward("tun0", "tun0"); err != nil {
		t.Fatal(err)
	}
	b.step(0, udp(t, 7, "back"))
	if diff := cmp.Diff([]string{"back"}, b.got(0)); diff != "" {
		t.Error(diff)
	}
	if err := scope.Forward("tun0", ""); err != nil {
		t.Fatal(err)
	}
	b.step(0, udp(t, 7, "nowhere"))
	if n := b.Stats().Reasons[engine.ReasonUnforwarded]; n != 1 {
		t.Errorf("%d unforwarded, want 1", n)
	}
	if a, b := scope.Way("tun0"), scope.Way("tun9"); a != "" || b != "" {
		t.Errorf("nowhere is %q and %q", a, b)
	}
	for _, d := range [][2]string{{"tun9", "tun0"}, {"tun0", "tun9"}} {
		if err := scope.Forward(d[0], d[1]); err == nil {
			t.Errorf("%s to %s is taken", d[0], d[1])
		}
	}
}
