package vm_test

import (
	"errors"
	"fmt"

	"github.com/tunscript/tunscript/luabind/vm"
	lua "github.com/yuin/gopher-lua"
)

// A chunk is compiled once, loaded into a state, and its functions are called for
// each event. A script that runs wild ends with an error, and the next call works.
func Example() {
	chunk, err := vm.Compile("count.lua", `
local n = 0
function handler(x)
  if x == "loop" then while true do end end
  n = n + 1
  return n .. " " .. x
end`, vm.Limits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	state, err := vm.New(vm.Options{Print: func(line string) { fmt.Println(line) }})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer state.Close()
	if _, err := state.Run(chunk); err != nil {
		fmt.Println(err)
		return
	}
	handler := state.L().GetGlobal("handler").(*lua.LFunction)
	for _, x := range []string{"a", "loop", "b"} {
		results, err := state.Call(handler, lua.LString(x))
		var e *vm.Error
		if errors.As(err, &e) {
			fmt.Println(e.Reason, "in line", e.Line)
			continue
		}
		fmt.Println(results[0])
	}
	// Output:
	// 1 a
	// instructions in line 4
	// 2 b
}
