package examples_test

import (
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tunscript/tunscript/internal/config"
	"github.com/tunscript/tunscript/internal/setup"
	"github.com/tunscript/tunscript/internal/testrun"
	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/scripts/examples"
)

var tryIt = regexp.MustCompile(`(?m)^-- Try it:  tunscript lab .*$`)

// Every example loads, is short, begins with what it does and the command to try it,
// and stands in the list with that command.
func TestExamples(t *testing.T) {
	list, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(examples.Files, "*.lua")
	if err != nil {
		t.Fatal(err)
	}
	names = slices.DeleteFunc(names, func(name string) bool { return strings.HasSuffix(name, "_test.lua") })
	for _, name := range names {
		if _, err := fs.Stat(examples.Files, strings.TrimSuffix(name, ".lua")+"_test.lua"); err != nil {
			t.Errorf("%s has no test beside it", name)
		}
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
		if head < 2 || head > 5 || body > 56 {
			t.Errorf("%s: %d lines of comment in front, want 2 to 5; %d of script, want at most 56", name, head, body)
		}
		command, ok := strings.CutPrefix(tryIt.FindString(src), "-- Try it:  ")
		if !ok || !strings.Contains(command, " "+name+" ") {
			t.Errorf("%s: its head says no command to try it", name)
		}
		line := regexp.MustCompile(`(?m)^- \[` + name + `\]\(` + name + `\): .+\. ` + regexp.QuoteMeta("`"+command+"`") + `$`)
		if !line.Match(list) {
			t.Errorf("README.md has no line\n- [%s](%s): what it does. `%s`", name, name, command)
		}
	}
	if lines := strings.Count(string(list), "\n- ["); lines != len(names) {
		t.Errorf("README.md lists %d scripts, there are %d", lines, len(names))
	}
}

// Every configuration is one that runs, begins with what it does and the command to try
// it, and stands in the list.
func TestConfigurations(t *testing.T) {
	list, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(examples.Files, "*.toml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		c, err := config.Load(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if err := setup.Supported(c); err != nil {
			t.Error(err)
		}
		b, err := examples.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		head, _, _ := strings.Cut(string(b), "\n\n")
		lines := strings.Split(head, "\n")
		if n := len(lines); n < 2 || n > 4 || lines[n-1] != "# Try it:  tunscript run -c "+name {
			t.Errorf("%s: its head is %q, want 2 to 4 lines, the last the command to try it", name, lines)
		}
		if !strings.Contains(string(list), "["+name+"]("+name+")") {
			t.Errorf("README.md does not list %s", name)
		}
	}
	if n := strings.Count(string(list), ".toml)"); n != len(names) {
		t.Errorf("README.md lists %d configurations, there are %d", n, len(names))
	}
}

// Each example's own test, on the virtual clock.
func TestTheirTests(t *testing.T) {
	files, err := testrun.Find([]string{"."})
	if err != nil {
		t.Fatal(err)
	}
	results, err := testrun.Run(files, testrun.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Err != nil {
			t.Errorf("%s: %s: %v\n%s", r.File, r.Name, r.Err, strings.Join(r.Log, "\n"))
		}
	}
	if len(results) < len(files) {
		t.Errorf("%d tests in %d files", len(results), len(files))
	}
}
