package examples_test

import (
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/scripts/examples"
)

// Every example loads, is short, begins with what it does and the command to try it,
// and stands in the list.
func TestExamples(t *testing.T) {
	list, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(examples.Files, "*.lua")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		b, err := examples.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		src := string(b)
		if _, err := luabind.LoadString(name, src, luabind.Options{}); err != nil {
			t.Error(err)
		}
		head, body := 0, 0
		for line := range strings.Lines(src) {
			if body == 0 && strings.HasPrefix(line, "-- ") {
				head++
			} else {
				body++
			}
		}
		if head < 2 || head > 4 || body > 25 {
			t.Errorf("%s: %d lines of comment in front, want 2 to 4; %d of script, want at most 25", name, head, body)
		}
		if strings.Count(src, "\n-- Try it:  tunscript lab ") != 1 || !strings.Contains(src, " "+name+" ") {
			t.Errorf("%s: its head says no command to try it", name)
		}
		if !strings.Contains(string(list), "| ["+name+"]("+name+") | ") {
			t.Errorf("README.md does not list %s", name)
		}
	}
	if rows := strings.Count(string(list), "\n| ["); rows != len(names) {
		t.Errorf("README.md lists %d scripts, there are %d", rows, len(names))
	}
}
