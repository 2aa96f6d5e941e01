package lib_test

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/luabind/lib"
	"github.com/tunscript/tunscript/luabind/lint"
	"github.com/tunscript/tunscript/luabind/vm"
)

// Every module compiles, and the lint, which knows the API they stand on, finds nothing.
func TestModules(t *testing.T) {
	files, err := fs.Glob(lib.FS, "*.lua")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		source, err := lib.FS.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := vm.Compile(file, string(source), vm.Limits{}); err != nil {
			t.Error(err)
		}
		for _, f := range lint.Source(file, string(source), lint.Options{}) {
			t.Error(f.Detail())
		}
		if !strings.HasPrefix(string(source), "-- ") {
			t.Errorf("%s does not begin by saying what it is", file)
		}
	}
}

// A script loads a module by its name.
func Example() {
	_, err := luabind.LoadString("web.lua", `
		local tcp = require "tcp"
		tcp.listen(80, function(conn)
			conn:read("*l")
			conn:write("HTTP/1.0 200 OK\r\n\r\nhello\n")
		end)`, luabind.Options{})
	fmt.Println(err)
	// Output: <nil>
}
