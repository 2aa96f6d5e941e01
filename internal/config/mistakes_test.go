package config

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what is said now into testdata/mistakes")

// TestMistakes shows every mistake that is known, and what is said about it,
// word for word. A NAME.toml in testdata/mistakes goes with the NAME.want below
// it; one without mistakes has an empty one.
func TestMistakes(t *testing.T) {
	files, err := filepath.Glob("testdata/mistakes/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no testdata/mistakes/*.txtar", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			comment, files := archive(string(data))
			want := map[string]string{}
			for _, f := range files {
				want[f.name] = f.text
			}
			said := comment
			for _, f := range files {
				name, isInput := strings.CutSuffix(f.name, ".toml")
				if !isInput {
					continue
				}
				got := show(t, []byte(f.text))
				said += "-- " + f.name + " --\n" + f.text + "-- " + name + ".want --\n" + got
				if diff := cmp.Diff(want[name+".want"], got); diff != "" && !*update {
					t.Errorf("%s: want (-), said (+):\n%s", f.name, diff)
				}
			}
			if *update {
				if err := os.WriteFile(file, []byte(said), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

type archived struct{ name, text string }

// archive cuts a txtar file: a comment, then files behind "-- NAME --" lines.
func archive(text string) (comment string, files []archived) {
	marks := regexp.MustCompile(`(?m)^-- (\S+) --\n`).FindAllStringSubmatchIndex(text, -1)
	for i, m := range marks {
		end := len(text)
		if i+1 < len(marks) {
			end = marks[i+1][0]
		}
		files = append(files, archived{text[m[2]:m[3]], text[m[1]:end]})
	}
	return text[:marks[0][0]], files
}

// show returns all that is wrong with a configuration.
func show(t *testing.T, data []byte) string {
	t.Helper()
	_, err := Parse("config.toml", data)
	if err == nil {
		return ""
	}
	mistakes, ok := errors.AsType[Errors](err)
	if !ok {
		t.Fatalf("%T is not Errors: %v", err, err)
	}
	return mistakes.Show()
}
