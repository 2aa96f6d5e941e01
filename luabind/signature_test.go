package luabind

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSignature(t *testing.T) {
	forms, err := parseSignature(`(s: string, init?: integer, ...: any): string, n: integer? | (fn: fun(p: packet): verdict?): handle`)
	if err != nil {
		t.Fatal(err)
	}
	want := []Form{
		{Params: []Param{{Name: "s", Type: "string"}, {Name: "init", Type: "integer", Optional: true}, {Name: "...", Type: "any"}},
			Returns: []Param{{Type: "string"}, {Name: "n", Type: "integer?"}}},
		{Params: []Param{{Name: "fn", Type: "fun(p: packet): verdict?"}}, Returns: []Param{{Type: "handle"}}},
	}
	if diff := cmp.Diff(want, forms); diff != "" {
		t.Error(diff)
	}
}

func TestSignatureMistakes(t *testing.T) {
	for _, sig := range []string{
		"", "()x", "(s)", "(s: )", "(s: string", "(s: string) -> number", "(s: string,n: number)", "(): ", "(): string |", "([s: string])",
		`(s: "open)`, "(): {mtu}", "(): table<string",
	} {
		if forms, err := parseSignature(sig); err == nil {
			t.Errorf("%q is read as %v", sig, forms)
		}
	}
}

func TestType(t *testing.T) {
	for _, typ := range []string{
		"integer", `integer|"bad"|"zero"`, "string[]", "integer[][]", "table<string, device>", "(string|integer)[]", "tcp.options?",
		"{name: string, ttl?: integer}", "[integer, integer]", "fun(data: string): string?",
	} {
		if err := parseType(typ); err != nil {
			t.Error(err)
		}
	}
	for _, typ := range []string{"", "number 0..255", "a, b", "list of names", `"open`} {
		if err := parseType(typ); err == nil {
			t.Errorf("%q is a type", typ)
		}
	}
}

// Every signature of the registry is one that LuaLS can read.
func TestSignaturesOfTheRegistry(t *testing.T) {
	for _, e := range Registry() {
		if e.Sig == "layer" {
			continue
		}
		check := parseType
		if isFunction(e.Sig) {
			check = func(sig string) error { _, err := parseSignature(sig); return err }
		}
		if err := check(e.Sig); err != nil {
			t.Errorf("%s: %v", e.Name, err)
		}
		if strings.Contains(e.Sig, "...") && !strings.Contains(e.Sig, "...: ") {
			t.Errorf("%s: %s: ... has no type", e.Name, e.Sig)
		}
	}
}

func FuzzSignature(f *testing.F) {
	for _, e := range Registry() {
		f.Add(e.Sig)
	}
	f.Fuzz(func(t *testing.T, sig string) {
		_, _ = parseSignature(sig)
		_ = parseType(sig)
	})
}
