package luabind_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/luabind/vm"
)

// eval runs source in the lab's script.
func (l *lab) eval(p engine.Program, source string) ([]string, error) {
	l.t.Helper()
	e, err := luabind.NewEval(source)
	if err != nil {
		return nil, err
	}
	var got []string
	if doErr := l.eng.Do(1, p, func(s *engine.Scope) { got, err = e.Run(s) }); doErr != nil {
		l.t.Fatal(doErr)
	}
	return got, err
}

const looked = `
seen = { 1, 2, three = 3, ["a b"] = { deep = true }, [10] = "x" }
host = cidr "192.0.2.0/24"
last = nil
local hidden = 1
function double(n) return 2 * n end
on("udp", function(p) last = p; kept = p:copy() end)
`

func TestEval(t *testing.T) {
	p, err := luabind.LoadString("s.lua", looked, luabind.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l := setup{programs: []engine.Program{p}}.start(t)
	l.put(build(t, ip4(), udp()))
	for _, tt := range []struct{ source, want string }{
		{"1 + 1", "2"},
		{"double(21), 'text', nil, true", "42|text|nil|true"},
		{"seen", `{1, 2, ["a b"] = {deep = true}, [10] = "x", three = 3}`},
		{"host", "192.0.2.0/24"},
		{"kept.ip.src", "192.0.2.1"},
		{"hidden", "nil"},
		{"x = 5", ""},
		{"x", "5"},
		{"local a = x; return a + 1", "6"},
		{"for i = 1, 3 do x = x + i end", ""},
		{"x -- and a comment", "11"},
		{"{}", "{}"},
		{"(function() local t = {} t.t = t return t end)()", "{t = {t = {t = {t = {...}}}}}"},
		{"", ""},
	} {
		got, err := l.eval(p, tt.source)
		if err != nil || strings.Join(got, "|") != tt.want {
			t.Errorf("%s: %q, %v; want %q", tt.source, got, err, tt.want)
		}
	}
	if got, err := l.eval(p, "last"); err != nil || got[0] != "packet (gone)" {
		t.Errorf("a packet that is gone: %q, %v", got, err)
	}
	if got, err := l.eval(p, "string.rep('a', 200000), 'b'"); err != nil || len(got[0]) != 65536+3 || got[1] != "" {
		t.Errorf("a long text: %d bytes, %v", len(got[0]), err)
	}
	if got, err := l.eval(p, "(function() local t = {} for i = 1, 1000 do t[i] = i end return t end)()"); err != nil || !strings.HasSuffix(got[0], "100, ...}") {
		t.Errorf("a large table: %q, %v", got, err)
	}
}

// What goes wrong is a script's error, and the script goes on.
func TestEvalFails(t *testing.T) {
	p, err := luabind.LoadString("s.lua", looked, luabind.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l := setup{programs: []engine.Program{p}}.start(t)
	for _, tt := range []struct {
		source, want string
		reason       vm.Reason
	}{
		{"1 +", "eval:1:4: unexpected symbol near the end of the source", vm.Syntax},
		{"x = = 1", "eval:1:5: unexpected symbol near '='", vm.Syntax},
		{"seen.a.b", "eval:1: attempt to index", vm.Runtime},
		{"while true do end", "eval:1: ", vm.Instructions},
		{"sleep(1)", "only a task can wait", vm.Runtime},
		{"on('udp prot 7', function() end)", "eval:1: ", vm.Runtime},
		{"error('no')", "eval:1: no", vm.Runtime},
	} {
		_, err := l.eval(p, tt.source)
		var se *luabind.ScriptError
		if !errors.As(err, &se) || se.Reason != tt.reason || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.source, err, tt.want)
		}
	}
	if got, err := l.eval(p, "double(1)"); err != nil || got[0] != "2" {
		t.Errorf("afterwards: %q, %v", got, err)
	}
	if _, err := l.eval(p, "1"); err != nil {
		t.Error(err)
	}
}

// A handler is found by its place though it has a name.
func TestHandlersHaveAPlace(t *testing.T) {
	l := newLab(t, "\non{ 'udp', name = 'gate', run = function(p) end }")
	if h := l.eng.Stats().Handlers[0]; h.Name != "gate" || h.Place != "script1.lua:2" {
		t.Errorf("%+v", h)
	}
}
