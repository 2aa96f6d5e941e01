package stub_test

import (
	"fmt"
	"strings"

	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/luabind/stub"
)

func ExampleMeta() {
	meta := stub.Meta(luabind.APIReference())
	_, rest, _ := strings.Cut(meta, "---calls fn once")
	fmt.Print("---calls fn once" + rest[:strings.Index(rest, "end\n")+4])
	// Output:
	// ---calls fn once, that much later
	// ---@param seconds number
	// ---@param fn function
	// ---@param ... any
	// ---@return handle
	// function after(seconds, fn, ...) end
}
