package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestScan: a key path, and the text that stands at its key and its value.
func TestScan(t *testing.T) {
	text := strings.ReplaceAll(`
a = 1 # b = 2
"b c" . 'd.e' = "x # y"   # dotted, quoted
f = [ 1, [2, 3], # g = 4
  { h = "]", "\u0069" = '\' },
]
[t]
s = """
[u]
v = 1
\""" # still s
"""
w = '''[x]''''
[[l]]
n = 2026-01-01 12:00:00
[[l.m]]
[[l]]
o.p = nan
[l.m]
q = 0x10`, "\n", "\r\n")
	places, problems := scan(text)
	if len(problems) > 0 {
		t.Errorf("problems: %v", problems)
	}
	got := map[string]string{}
	for path, p := range places {
		got[path] = strings.ReplaceAll(text[p.key.from:p.key.to]+" | "+text[p.val.from:p.val.to], "\r\n", "~")
	}
	want := map[string]string{
		"a":           `a | 1`,
		`"b c"`:       `"b c" . 'd.e' | `,
		`"b c"."d.e"`: `"b c" . 'd.e' | "x # y"`,
		"f":           `f | [ 1, [2, 3], # g = 4~  { h = "]", "\u0069" = '\' },~]`,
		"f[1]":        `1 | 1`,
		"f[2]":        `[2, 3] | [2, 3]`,
		"f[2][1]":     `2 | 2`,
		"f[2][2]":     `3 | 3`,
		"f[3]":        `{ h = "]", "\u0069" = '\' } | { h = "]", "\u0069" = '\' }`,
		"f[3].h":      `h | "]"`,
		"f[3].i":      `"\u0069" | '\'`,
		"t":           `[t] | `,
		"t.s":         `s | """~[u]~v = 1~\""" # still s~"""`,
		"t.w":         `w | '''[x]''''`,
		"l":           `[[l]] | `,
		"l[1]":        `[[l]] | `,
		"l[1].n":      `n | 2026-01-01 12:00:00`,
		"l[1].m":      `[[l.m]] | `,
		"l[1].m[1]":   `[[l.m]] | `,
		"l[2]":        `[[l]] | `,
		"l[2].o":      `o.p | `,
		"l[2].o.p":    `o.p | nan`,
		"l[2].m":      `[l.m] | `,
		"l[2].m.q":    `q | 0x10`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
}

// TestScanStops: what is broken ends the scan, and what was before is kept.
func TestScanStops(t *testing.T) {
	const before = "a = 1\n"
	for _, broken := range []string{
		"b", "b =", "= 1", "b = \"x\nc = 1", "b = \"x", "b = \"x\\", "b = 'x", "b = [1", "b = {c = 1", "b = {c",
		"b = \"\"\"x\"\"", "b = '''x", "b = \"\"\"x\\", "[b", "[[b]", "[b.]", "[]", `"\q" = 1`, `"\u12" = 1`, `"\ud800" = 1`, `"\`, "b = \"x\" c",
		"b = , 1", "b = ]", "[b] c",
	} {
		places, _ := scan(before + broken + "\nz = 1\n")
		if _, ok := places["a"]; !ok {
			t.Errorf("%q: a is lost: %v", broken, places)
		}
		if _, ok := places["z"]; ok {
			t.Errorf("%q: read on to z", broken)
		}
	}
}

// FuzzScan holds the scanner against the TOML library: whatever the library
// reads, the scanner finds the place of, and nothing else.
func FuzzScan(f *testing.F) {
	f.Add("[[a]]\nb = 1\n[[a]]\nc.d = [{e=1},{}]\n")
	f.Add("'a b'.\"c\\u0064\" = '''\n#'''\n")
	f.Add("a = \"\"\"\\\"\"\"\"\"\" # x\n[b.c]\n[b]\n")
	f.Add("[[a]]\n[[a.b]]\nc = {}\n[[a.b]]\n[a.b.d]\nx = 1979-05-27 07:32:00\n")
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.TrimPrefix(text, "\ufeff")
		if notText(text) != "" {
			return
		}
		places, problems := scan(text)
		for path, p := range places {
			if p.key.from < 0 || p.key.from >= p.key.to || p.key.to > len(text) || p.val.from > p.val.to || p.val.to > len(text) {
				t.Fatalf("%s is at %v of %d bytes", path, p, len(text))
			}
		}
		if len(problems) > 0 {
			return
		}
		tree, err := parseTOML(text)
		if err != nil {
			return
		}
		found := slices.Sorted(maps.Keys(places))
		read := map[string]bool{}
		paths("", tree, read)
		if diff := cmp.Diff(slices.Sorted(maps.Keys(read)), found); diff != "" {
			t.Errorf("read by toml (-), found (+):\n%s\n%s", diff, text)
		}
	})
}

// paths collects the key paths of a tree.
func paths(at string, v any, into map[string]bool) {
	if at != "" {
		into[at] = true
	}
	switch v := v.(type) {
	case map[string]any:
		for key, v := range v {
			paths(join(at, key), v, into)
		}
	case []map[string]any:
		for i, v := range v {
			paths(elem(at, i+1), v, into)
		}
	case []any:
		for i, v := range v {
			paths(elem(at, i+1), v, into)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	var text strings.Builder
	for i := range 256 {
		fmt.Fprintf(&text, "[[device]]\nname = \"tun%d\"\naddress = [\"192.0.2.1/32\"]\nmtu = 1400\n", i)
	}
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		if _, err := Parse("config.toml", []byte(text.String())); err != nil {
			b.Fatal(err)
		}
	}
}
