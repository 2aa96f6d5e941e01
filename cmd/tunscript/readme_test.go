package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tunscript/tunscript/internal/config"
	"github.com/tunscript/tunscript/internal/lab/labtest"
)

// A block is one fenced block of the README.
type block struct {
	lang, text string
	line       int
}

func readme(t *testing.T) []block { return blocks(t, "../../README.md") }

// blocks are those of a page.
func blocks(t *testing.T, page string) []block {
	t.Helper()
	src, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var list []block
	var open *block
	for i, line := range strings.Split(string(src), "\n") {
		switch lang, fence := strings.CutPrefix(line, "```"); {
		case fence && open == nil:
			open = &block{lang: lang, line: i + 1}
		case fence:
			list = append(list, *open)
			open = nil
		case open != nil:
			open.text += line + "\n"
		}
	}
	return list
}

// Every block of the README is run, loaded or built.
func TestReadme(t *testing.T) {
	ran := map[string]int{}
	for _, b := range readme(t) {
		ran[b.lang]++
		t.Run(b.lang, func(t *testing.T) {
			t.Logf("README.md:%d", b.line)
			switch b.lang {
			case "console":
				console(t, b)
			case "lua":
				file := filepath.Join(t.TempDir(), "readme.lua")
				if strings.Contains(b.text, `require "test"`) {
					luaTest(t, b.text)
					return
				}
				if err := os.WriteFile(file, []byte(b.text), 0o666); err != nil {
					t.Fatal(err)
				}
				if status := run([]string{"check", file}); status != exitOK {
					t.Errorf("check exits %d", status)
				}
			case "toml":
				if _, err := config.Parse("README.md", []byte(b.text)); err != nil {
					t.Error(err)
				}
			case "go":
				build(t, b.text)
			case "sh":
				sameAsCI(t, strings.TrimSpace(b.text))
			default:
				t.Errorf("nothing tests a block of %q", b.lang)
			}
		})
	}
	for _, lang := range []string{"console", "lua", "toml", "go", "sh"} {
		if ran[lang] == 0 {
			t.Errorf("the README has no block of %q any more", lang)
		}
	}
}

// luaTest runs a block of tests beside the example that it loads.
func luaTest(t *testing.T, text string) {
	dir := t.TempDir()
	ping, err := os.ReadFile("../../scripts/examples/ping.lua")
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"ping.lua": ping, "readme_test.lua": []byte(text)} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if status := run([]string{"test", dir}); status != exitOK {
		t.Errorf("test exits %d", status)
	}
}

// console runs "$ command" and compares what it prints with what follows.
func console(t *testing.T, b block) {
	labtest.Require(t)
	first, want, _ := strings.Cut(b.text, "\n")
	command, ok := strings.CutPrefix(first, "$ ")
	if !ok {
		t.Fatalf("the block begins with %q, want a command after a dollar", first)
	}
	for _, program := range []string{"ping", "traceroute"} {
		if strings.Contains(command, "-- "+program) {
			labtest.Need(t, program)
		}
	}
	cmd := exec.Command("sh", "-c", command)
	cmd.Dir = "../.."
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	if diff := cmp.Diff(timeless(want), timeless(string(out))); diff != "" {
		t.Errorf("%s prints something else (-README +now):\n%s", command, diff)
	}
}

var (
	clock    = regexp.MustCompile(`\d\d:\d\d:\d\d\.\d{6}`)
	duration = regexp.MustCompile(`[\d./]+ ?ms`)
)

// timeless is text without what is another at each run.
func timeless(s string) string {
	return duration.ReplaceAllString(clock.ReplaceAllString(s, "TIME"), "N ms")
}

// build builds a program as an embedder would, in a module of its own.
func build(t *testing.T, src string) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	_, requires, _ := strings.Cut(string(mod), "\nrequire")
	files := map[string]string{
		"main.go": src,
		"go.mod": "module example.com/readme\n\ngo 1.26.0\n\nrequire github.com/tunscript/tunscript v0.0.0\n\nreplace github.com/tunscript/tunscript => " +
			root + "\n\nrequire" + requires,
	}
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	files["go.sum"] = string(sum)
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "build", "-mod=mod", "-o", filepath.Join(dir, "program"), ".")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("the program does not build: %v\n%s", err, out)
	}
}

// sameAsCI makes sure that the command that the README gives is the one that
// every change is tested with.
func sameAsCI(t *testing.T, command string) {
	ci, err := os.ReadFile("../../.ci/run")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(ci)) {
		fields := strings.Fields(line)
		for len(fields) > 0 && strings.HasPrefix(fields[0], "TUNSCRIPT_") {
			fields = fields[1:]
		}
		if strings.Join(fields, " ") == command {
			return
		}
	}
	t.Errorf("%q is not what .ci/run runs", command)
}
