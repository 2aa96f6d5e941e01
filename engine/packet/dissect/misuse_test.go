package dissect_test

import (
	"testing"

	"github.com/tunscript/tunscript/engine/internal/misuse"
	"github.com/tunscript/tunscript/engine/packet/dissect"
)

func TestMisuse(t *testing.T) {
	var call misuse.Caller
	call.Func(t, "Line", dissect.Line)
	call.Func(t, "Tree", dissect.Tree)
}
