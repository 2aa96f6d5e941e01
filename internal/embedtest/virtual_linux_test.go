package embedtest

import (
	"strings"
	"testing"
)

// A test of an embedder's: a script on a virtual clock, stepped from Go.
func TestVirtual(t *testing.T) {
	out := goes(t, module(t, "virtual"), "test", "-mod=mod", "-count=1", "./virtual")
	if !strings.Contains(out, "ok ") {
		t.Error(out)
	}
}
