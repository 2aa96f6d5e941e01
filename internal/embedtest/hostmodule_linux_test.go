package embedtest

import (
	"context"
	"os/exec"
	"testing"
	"time"
)

// Go functions as a Lua module, one of which takes its time, and a Go handler in front.
func TestHostModule(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	out, err := exec.CommandContext(ctx, build(t, "hostmodule")).CombinedOutput()
	want := "192.0.2.1 is the printer, since 2019\n1 seen by Go, echo reply from 192.0.2.2\n"
	if err != nil || string(out) != want {
		t.Errorf("%v\n got %s\nwant %s", err, out, want)
	}
}
