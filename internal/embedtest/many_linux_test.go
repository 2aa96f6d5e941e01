package embedtest

import (
	"os/exec"
	"testing"
)

// The program many starts 300 engines, exchanges scripts under traffic, and looks
// for what was left behind. It needs no device.
func TestMany(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), build(t, "many")).CombinedOutput()
	if want := "clean: 300 engines, 2000 packets, 14 swaps, 6 refused\n"; err != nil || string(out) != want {
		t.Errorf("many says %q and ends with %v, want %q", out, err, want)
	}
}
