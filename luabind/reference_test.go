package luabind_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/tundev"
)

// Lua's own part of the reference is what is there, name by name, in a script that is
// locked down as in one that is trusted. (tunscript's own globals are made of the
// registry: there is none without an entry.)
func TestReferenceIsWhatIsThere(t *testing.T) {
	for _, trusted := range []bool{false, true} {
		want := map[string]bool{}
		for _, n := range luabind.APIReference().Globals {
			if n.Lua && (!n.Trusted || trusted) {
				want[n.Name] = true
			}
		}
		there := luaGlobals(t, trusted)
		// io, debug and package stand as a whole.
		maps.DeleteFunc(there, func(name string, _ bool) bool {
			table, _, ok := strings.Cut(name, ".")
			return ok && want[table] || strings.Contains(name, "__")
		})
		delete(want, "_VERSION") // begins like a metamethod
		delete(there, "_VERSION")
		if diff := cmp.Diff(slices.Sorted(maps.Keys(there)), slices.Sorted(maps.Keys(want))); diff != "" {
			t.Errorf("trusted %v: what is there (-) is not what the reference says (+):\n%s", trusted, diff)
		}
	}
}

// luaGlobals asks Lua for its globals, and for the names in the libraries.
func luaGlobals(t *testing.T, trusted bool) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	script, err := luabind.LoadString("list.lua", `
		for name, v in pairs(_G) do
			if type(v) ~= "table" or v == _G or name == "io" or name == "debug" or name == "package" then
				print(name)
			else
				for field in pairs(v) do print(name .. "." .. field) end
			end
		end`, luabind.Options{Trusted: trusted, Log: func(_ luabind.Level, _, text string) { names[text] = true }})
	if err != nil {
		t.Fatal(err)
	}
	dev, _ := tundev.Pipe(tundev.Config{Name: "tun0", Kind: tundev.TUN})
	eng, err := engine.New(engine.Config{
		Devices:  []engine.DeviceConfig{{Device: dev}},
		Programs: []engine.ProgramConfig{{Program: script}},
		Clock:    engine.Virtual(t0),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	if err := eng.Check(); err != nil {
		t.Fatal(err)
	}
	return names
}

// A signature names types that exist.
func TestReferenceNamesItsTypes(t *testing.T) {
	r := luabind.APIReference()
	known := map[string]bool{}
	for _, name := range strings.Fields("any nil boolean number integer string table function thread userdata fun true false") {
		known[name] = true
	}
	for _, a := range r.Aliases {
		known[a.Name] = true
	}
	for _, c := range r.Classes {
		if known[c.Name] {
			t.Errorf("%s stands twice", c.Name)
		}
		known[c.Name] = true
	}
	check := func(what, typ string) {
		for _, word := range typeWords(typ) {
			if !known[word] {
				t.Errorf("%s: %s: there is no type %q", what, typ, word)
			}
		}
	}
	for _, a := range r.Aliases {
		check(a.Name, a.Type)
	}
	for _, n := range r.Globals {
		check(n.Name, n.Type)
	}
	for _, m := range r.Modules {
		check(m.Name, m.Call.Type)
		for _, n := range m.Names {
			check(m.Name+"."+n.Name, n.Type)
			if n.Doc == "" || m.Doc == "" {
				t.Errorf("%s.%s has no meaning", m.Name, n.Name)
			}
		}
	}
	for _, c := range r.Classes {
		if c.Doc == "" {
			t.Errorf("%s has no meaning", c.Name)
		}
		for _, f := range c.Fields {
			check(c.Name+"."+f.Name, f.Type)
		}
		for _, m := range c.Methods {
			check(c.Name+":"+m.Name, m.Type)
		}
	}
}

var (
	quoted    = regexp.MustCompile(`"[^"]*"`)
	parameter = regexp.MustCompile(`[a-z_0-9]+\??: `)
	word      = regexp.MustCompile(`[a-z_][a-z_0-9.]*`)
)

// typeWords are the names of types in a signature.
func typeWords(typ string) []string {
	typ = parameter.ReplaceAllString(quoted.ReplaceAllString(typ, ""), "")
	return word.FindAllString(strings.ReplaceAll(typ, "...", ""), -1)
}

// What a builder takes is what can be written.
func TestReferenceFields(t *testing.T) {
	r := luabind.APIReference()
	packet, _ := r.Class("packet.fields")
	has := func(c luabind.Class, name string) bool {
		return slices.ContainsFunc(c.Fields, func(f luabind.Field) bool { return f.Name == name })
	}
	for name, want := range map[string]bool{"tcp": true, "payload": true, "out": true, "len": false, "time": false} {
		if has(packet, name) != want {
			t.Errorf("packet.fields has %s: %v", name, !want)
		}
	}
	tcp, _ := r.Class("tcp")
	for _, f := range tcp.Fields {
		if f.Name == "dport" && (f.Most != 65535 || !f.Writable || f.Type != "integer") {
			t.Errorf("%+v", f)
		}
	}
	if _, ok := r.Class("dcp"); ok {
		t.Error("there is a class dcp")
	}
}
