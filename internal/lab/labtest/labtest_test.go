package labtest_test

import (
	"testing"

	"github.com/tunscript/tunscript/internal/lab/labtest"
)

func TestMain(m *testing.M) { labtest.Main(m) }

func TestRequire(t *testing.T) {
	labtest.Require(t)
	labtest.Need(t, "ip")
}
