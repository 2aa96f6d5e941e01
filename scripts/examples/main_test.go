package examples_test

import (
	"testing"

	"github.com/tunscript/tunscript/internal/lab/labtest"
)

func TestMain(m *testing.M) { labtest.Main(m) }
