package embedtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tunscript/tunscript/internal/lab/labtest"
)

var guideProgram = regexp.MustCompile("(?s)```go\n(package main\n.*?)```\n\n```text\n(.*?)```\n")

// The programs of the guide say what stands below them.
func TestGuide(t *testing.T) {
	labtest.Need(t, "go")
	guide, err := os.ReadFile("../../docs/embedding.md")
	if err != nil {
		t.Fatal(err)
	}
	programs := guideProgram.FindAllStringSubmatch(string(guide), -1)
	if len(programs) < 4 {
		t.Fatalf("%d programs in the guide, want its four", len(programs))
	}
	dir := t.TempDir()
	outside(t, dir, []byte("module example.com/guide\n\ngo 1.26.0\n\nrequire github.com/tunscript/tunscript v0.0.0\n"))
	for _, p := range programs {
		source, want := p[1], p[2]
		if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o644); err != nil {
			t.Fatal(err)
		}
		goes(t, dir, "vet", "-mod=mod", ".")
		goes(t, dir, "build", "-mod=mod", "-o", "program", ".")
		got, err := exec.CommandContext(t.Context(), filepath.Join(dir, "program")).CombinedOutput()
		if err != nil {
			t.Errorf("%v\n%s", err, got)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("the guide's is -, said was +\n%s\nby\n%s", diff, source)
		}
	}
}
