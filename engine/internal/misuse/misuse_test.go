package misuse_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tunscript/tunscript/engine/internal/misuse"
)

// A recorder is a test that fails without failing.
type recorder struct {
	testing.TB
	said []string
}

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.said = append(r.said, fmt.Sprintf(format, args...))
}

type brittle struct{}

func (brittle) First(s []int) int { return s[0] }
func (brittle) Second(s string) string {
	if s == "odd" {
		panic("odd")
	}
	return s
}

// It finds who panics, with what, and lets the others be.
func TestFinds(t *testing.T) {
	r := &recorder{TB: t}
	call := misuse.Caller{With: []any{"odd"}}
	call.Methods(r, "it", func() any { return brittle{} })
	call.Func(r, "strings.Repeat", strings.Repeat)
	all := strings.Join(r.said, "\n")
	for _, want := range []string{"it.First([]) panics: runtime error: index out of range", "it.Second(odd) panics: odd", "strings.Repeat(, -1) panics: strings: negative Repeat count"} {
		if !strings.Contains(all, want) {
			t.Errorf("want %q in\n%s", want, all)
		}
	}
	if strings.Contains(all, "First([0])") {
		t.Error(all)
	}
}

// Who panics in a test of such a thing fails it.
func Example() {
	_ = func(t *testing.T) {
		misuse.Caller{}.Methods(t, "a Reader", func() any { return new(strings.Reader) })
	}
}
