package config

import (
	"net/netip"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const exampleFile = "../../config.toml.example"

// compareFields compares what a Config says, not where it was read.
var compareFields = []cmp.Option{
	cmpopts.IgnoreUnexported(Config{}),
	cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}, netip.AddrPort{}),
	cmpopts.EquateEmpty(),
}

// TestExampleRuns: the file is a configuration as it stands.
func TestExampleRuns(t *testing.T) {
	c, err := Load(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Devices) != 1 || c.Devices[0].Name != "tun0" || len(c.Devices[0].Peer) != 2 {
		t.Errorf("devices: %+v, want tun0 with two peers", c.Devices)
	}
	if len(c.Scripts) != 1 || c.Scripts[0].Path != "../../scripts/examples/ping.lua" {
		t.Errorf("scripts: %+v, want ping.lua", c.Scripts)
	}
}

// TestExampleIsComplete: with the #lines taken in, the file still is a
// configuration, and says something about every key there is.
func TestExampleIsComplete(t *testing.T) {
	text := allLines(t)
	c, err := Parse("config.toml.example, every line", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	top := reflect.TypeFor[Config]()
	for i, table := range keysOf(top) {
		of, n := top.Field(i).Type, 0
		if of.Kind() == reflect.Slice {
			of, n = of.Elem(), reflect.ValueOf(c).Elem().Field(i).Len()
		}
		for _, key := range keysOf(of) {
			found := c.src.has(join(table, key))
			for i := range n {
				found = found || c.src.has(join(elem(table, i+1), key))
			}
			if !found {
				t.Errorf("%s has no %s", table, key)
			}
		}
	}
}

// TestExampleShowsDefaults: put the value behind "default:" in place of the one
// before it, and what is read is what an empty file means.
func TestExampleShowsDefaults(t *testing.T) {
	text := defaultsOf(t, allLines(t))
	src := newSource("config.toml.example, defaults", text)
	tree, errs := src.grammar()
	got := Default()
	r := &report{src: src, errs: errs, bad: map[string]bool{}}
	if tree != nil {
		decode(r, tree, got)
	}
	if err := r.errs.sorted(); err != nil {
		t.Fatal(err)
	}

	want := Default()
	for range got.Devices {
		want.Devices = append(want.Devices, DefaultDevice())
	}
	for range got.Scripts {
		want.Scripts = append(want.Scripts, DefaultScript())
	}
	for range got.Impair {
		want.Impair = append(want.Impair, DefaultImpair())
	}
	if diff := cmp.Diff(want, got, compareFields...); diff != "" {
		t.Errorf("Default (-) and config.toml.example (+):\n%s", diff)
	}
}

// TestDefaultsPassTheirOwnTags keeps a default from being out of its range.
func TestDefaultsPassTheirOwnTags(t *testing.T) {
	device, script, impair := DefaultDevice(), DefaultScript(), DefaultImpair()
	impair.Profile = "flaky"     // empty: none, and nothing to write
	script.OnError = OnErrorDrop // empty: inherited, and nothing to write
	for _, table := range []any{&Default().Engine, &Default().Limits, &device, &script, &impair} {
		v := reflect.ValueOf(table).Elem()
		for i, key := range keysOf(v.Type()) {
			if err := bounds(v.Field(i), v.Type().Field(i).Tag); err != nil {
				t.Errorf("%s.%s: %v", v.Type(), key, err)
			}
		}
	}
}

// allLines returns the example with its #lines taken in.
func allLines(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`(?m)^#(\S)`).ReplaceAllString(string(data), "$1")
}

// defaultsOf puts defaults in the place of examples, and takes out keys that
// have none.
func defaultsOf(t *testing.T, text string) string {
	t.Helper()
	line := regexp.MustCompile(`^(\w+)\s*= .*?(?:default: (\S+)|(required))$`)
	lines := strings.Split(text, "\n")
	replaced := 0
	for i, l := range lines {
		m := line.FindStringSubmatch(l)
		switch {
		case m == nil:
			continue
		case m[3] != "" || m[2] == "none":
			lines[i] = ""
		default:
			lines[i] = m[1] + " = " + m[2]
		}
		replaced++
	}
	if replaced == 0 {
		t.Fatal("no line says its default: has the format changed?")
	}
	return strings.Join(lines, "\n")
}
