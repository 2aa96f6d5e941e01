package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tunscript/tunscript/internal/lab/labtest"
)

// What docs/control.md shows is typed into a lab with its script, command for command, and
// prints what it says, but for numbers and the width of columns.
func TestControlPage(t *testing.T) {
	labtest.Require(t)
	labtest.Need(t, "ping")
	var script, session, want strings.Builder
	for _, b := range blocks(t, "../../docs/control.md") {
		switch b.lang {
		case "lua":
			script.WriteString(b.text)
		case "console":
			want.WriteString(b.text)
			for line := range strings.Lines(b.text) {
				if command, ok := strings.CutPrefix(line, "$ "); ok {
					fmt.Fprintf(&session, "cat <<'EOF'\n%sEOF\n%s", line, command)
				}
			}
		}
	}
	dir := t.TempDir()
	test := "env XDG_RUNTIME_DIR=$WORK/run\n" +
		"exec tunscript lab --control ctl gate.lua -- sh -c 'sh session.sh > got 2>&1'\n" + // stop ends it
		"loosely got want\n" +
		"-- gate.lua --\n" + script.String() + "-- session.sh --\n" + session.String() + "-- want --\n" + want.String()
	if err := os.WriteFile(filepath.Join(dir, "control.txtar"), []byte(test), 0o600); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: dir,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"loosely": func(ts *testscript.TestScript, _ bool, args []string) {
				got, want := loosely(ts.ReadFile(args[0])), loosely(ts.ReadFile(args[1]))
				if got != want {
					ts.Fatalf("the lab says\n%s\nand the page\n%s", got, want)
				}
			},
		},
	})
}

var (
	number = regexp.MustCompile(`\d+`)
	blanks = regexp.MustCompile(` +`)
)

// loosely is text without what is another at each run.
func loosely(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		line = blanks.ReplaceAllString(number.ReplaceAllString(strings.TrimSpace(line), "N"), " ")
		if line != "" {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}
