package lint_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/luabind/lint"
)

// The examples are right, and nothing is said about them.
func TestExamples(t *testing.T) {
	paths, _ := filepath.Glob("../../scripts/examples/*.lua")
	if len(paths) == 0 {
		t.Fatal("there are no examples")
	}
	for _, path := range paths {
		findings, err := lint.File(path, lint.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range findings {
			t.Errorf("%s", f.Detail())
		}
	}
}

// acceptance is the folder of the acceptance scripts.
func acceptance(t *testing.T) string {
	dir := os.Getenv("TUNSCRIPT_ACCEPTANCE")
	if dir == "" {
		dir = "../../../shared/acceptance"
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no acceptance scripts: set TUNSCRIPT_ACCEPTANCE to their folder")
	}
	return dir
}

// planned are names that acceptance scripts use: where the API has one, nothing may be
// wrong with it, and where it has not yet, that is all that is said.
var planned = regexp.MustCompile(`there is no global "(spawn|expect|recv|sleep|inbox|sr|shared|option)"|packet has no "flow"`)

func TestAcceptance(t *testing.T) {
	paths, _ := filepath.Glob(filepath.Join(acceptance(t), "*.lua"))
	for _, path := range paths {
		if filepath.Base(path) == "broken.lua" {
			continue
		}
		findings, err := lint.File(path, lint.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range findings {
			ipv4 := f.Severity == lint.Warning && strings.Contains(f.Message, "IPv4 only") // and so it is
			if !ipv4 && !planned.MatchString(f.Message) {
				t.Errorf("%s", f.Detail())
			}
		}
	}
}

// Every mistake of the broken script is found, alone and among the others.
func TestBroken(t *testing.T) {
	src, err := os.ReadFile(filepath.Join(acceptance(t), "broken.lua"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[int]struct{ word, suggestion, message string }{
		2: {"prot", "port", "filter"},
		3: {"dorp", "drop", "verdict"},
		4: {"destport", "dport", "tcp has no"},
		5: {"70000", "", "0..65535"},
		6: {"nmae", "name", "no option"},
	}
	matches := func(f lint.Finding) {
		w := want[f.Line]
		if f.Word != w.word || f.Suggestion != w.suggestion || !strings.Contains(f.Message, w.message) || f.Severity != lint.Error {
			t.Errorf("line %d: %+v", f.Line, f)
		}
		if f.Column == 0 || !strings.HasPrefix(strings.TrimLeft(f.Source[f.Column-1:], `"`), f.Word) {
			t.Errorf("the caret is not at the word:\n%s", f.Detail())
		}
	}
	all := lint.Source("broken.lua", string(src), lint.Options{})
	if len(all) != len(want) {
		t.Errorf("%d mistakes found, want %d: %v", len(all), len(want), all)
	}
	for _, f := range all {
		matches(f)
	}
	lines := strings.Split(string(src), "\n")
	for line := range want {
		one := make([]string, len(lines))
		one[line-1] = lines[line-1]
		found := lint.Source("broken.lua", strings.Join(one, "\n"), lint.Options{})
		if len(found) != 1 || found[0].Line != line {
			t.Errorf("line %d alone: %v", line, found)
			continue
		}
		matches(found[0])
	}
}

// About what the tests of package luabind run and see working, nothing is said.
func TestScriptsOfTheTests(t *testing.T) {
	count := 0
	for _, name := range []string{"acceptance", "bench", "build", "example", "field", "field_ip", "time"} {
		src, err := os.ReadFile("../" + name + "_test.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range quotedScript.FindAllStringSubmatch(string(src), -1) {
			if _, err := luabind.LoadString("x.lua", m[1], luabind.Options{}); err != nil {
				continue // a piece of a script
			}
			count++
			for _, f := range lint.Source(name+"_test.go", m[1], lint.Options{}) {
				t.Errorf("%s", f.Detail())
			}
		}
	}
	if count < 10 {
		t.Errorf("%d scripts found", count)
	}
}

var quotedScript = regexp.MustCompile("(?s)`([^`]*\\bon\\(.*?)`")
