package labtest_test

import (
	"testing"

	"github.com/tunscript/tunscript/internal/lab/labtest"
)

// The tests of a package that makes devices.
func Example() {
	var m *testing.M
	_ = func() { labtest.Main(m) } // func TestMain(m *testing.M) { labtest.Main(m) }

	_ = func(t *testing.T) {
		labtest.Need(t, "ping") // skips, and names the package to install
		n := labtest.Namespace(t)
		n.Do(func() error {
			return nil // open a device
		})
	}
}
