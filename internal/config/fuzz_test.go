package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzParse: whatever the bytes, it is a Config or mistakes with a place.
func FuzzParse(f *testing.F) {
	example, err := os.ReadFile(exampleFile)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(example)
	files, _ := filepath.Glob("testdata/mistakes/*.txtar")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		_, cases := archive(string(data))
		for _, c := range cases {
			if strings.HasSuffix(c.name, ".toml") {
				f.Add([]byte(c.text))
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse("config.toml", data)
		if err == nil {
			if err := c.Check(); err != nil {
				t.Fatalf("Parse is content, Check is not: %v", err)
			}
			return
		}
		mistakes, ok := errors.AsType[Errors](err)
		if !ok || len(mistakes) == 0 || c != nil {
			t.Fatalf("%T, %d mistakes, %v", err, len(mistakes), c)
		}
		_ = mistakes.Show()
		lines := strings.Split(strings.TrimPrefix(string(data), "\ufeff"), "\n")
		last := 0
		for _, e := range mistakes {
			if e.Message == "" || e.File != "config.toml" {
				t.Errorf("%+v says nothing", e)
			}
			if e.Line == 0 {
				if e.Key != "device" {
					t.Errorf("%v has no line", e)
				}
				continue
			}
			if e.Line < last || e.Line > len(lines) || e.Column < 1 || e.Length < 1 || e.Source != strings.TrimSuffix(lines[e.Line-1], "\r") {
				t.Errorf("%+v after line %d of %d", e, last, len(lines))
			}
			last = e.Line
			if !strings.HasPrefix(e.Show(), e.Error()+"\n") {
				t.Errorf("shown as %q", e.Show())
			}
		}
	})
}
