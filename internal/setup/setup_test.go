package setup_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tunscript/tunscript/internal/config"
	"github.com/tunscript/tunscript/internal/setup"
	"github.com/tunscript/tunscript/luabind"
)

// configure writes files into a folder and reads config.toml there.
func configure(t *testing.T, files map[string]string) *config.Config {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	c, err := config.Load(filepath.Join(dir, "config.toml"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const device = "[[device]]\nname = \"tun0\"\nkind = \"tun\"\n"

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		name, toml, lua string
		want            string // in the error, "" for none
	}{
		{"all is well", device + "[[script]]\npath = \"s.lua\"\ndevices = [\"tun0\"]\n", `on("udp", function(p) end)`, ""},
		{"a script that is not there", device + "[[script]]\npath = \"missing.lua\"\n", "", "config.toml:5:8: script[1].path"},
		{"a filter with a mistake", device + "[[script]]\npath = \"s.lua\"\n", "\non(\"udp prot 7\", function(p) end)", "s.lua:2:9: "},
		{"a device that the script names", device + "[[script]]\npath = \"s.lua\"\n", `on{ "udp", device = "tun9", run = function(p) end }`, "there is tun0"},
		{"top level that raises", device + "[[script]]\npath = \"s.lua\"\n", `error("not today")`, "s.lua:1: not today"},
		{"a script without end", device + "[limits]\nload_instructions = 1000\n[[script]]\npath = \"s.lua\"\n", `while true do end`, "instructions"},
		{"two workers", device + "queues = 2\n[engine]\nworkers = 2\n[[script]]\npath = \"s.lua\"\n", `on("udp", function(p) end)`, ""},
		{"a link", "[[device]]\nname = \"l\"\nkind = \"udp\"\nlocal = \"127.0.0.1:7001\"\nremote = \"127.0.0.1:7002\"\n", "", ""},
		{"what a link carries", "[[device]]\nname = \"l\"\nkind = \"tcp\"\nlink = \"ethernet\"\nlocal = \"127.0.0.1:7001\"\n[[script]]\npath = \"s.lua\"\n", `assert(devices.l.mac)`, ""},
		{"faults", device + "[[impair]]\nloss = 0.1\n", "", ""},
		{"a fault without what it needs", device + "[[impair]]\nreorder = 0.1\n", "", "config.toml:5:11: impair[1].reorder: packets jump ahead of those that are delayed"},
		{"a fault that lacks an end", device + "[[impair]]\nloss = 1\nevery = \"5s\"\n", "", "impair[1].every: a window that is to come again needs an end"},
		{"a fault's filter with a mistake", device + "[[impair]]\nloss = 1\nfilter = \"udp prot 7\"\n", "", "config.toml:6:10: impair[1].filter"},
		{"too long a delay", device + "[[impair]]\ndelay = \"2h\"\n", "", "config.toml:5:9: impair[1].delay: 2h0m0s is too long"},
		{"options of a script", device + "[[script]]\npath = \"s.lua\"\noptions = { loss = 0.1 }\n", "", "config.toml:6:20: script[1].options.loss: there is no option \"loss\""},
		{"options that it has", device + "[[script]]\npath = \"s.lua\"\noptions = { loss = 0.2 }\n", `assert(option("loss", { default = 0.1 }) == 0.2)`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := configure(t, map[string]string{"config.toml": tt.toml, "s.lua": tt.lua})
			err := setup.Check(c, setup.Options{})
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want one with %q", err, tt.want)
			}
		})
	}
}

// What is wrong in a script is a ScriptError, what is wrong in the configuration
// a config.Error: the command's exit code depends on it.
func TestKindsOfErrors(t *testing.T) {
	c := configure(t, map[string]string{"config.toml": device + "[[script]]\npath = \"s.lua\"\n", "s.lua": "return return"})
	var se *luabind.ScriptError
	if err := setup.Check(c, setup.Options{}); !errors.As(err, &se) || se.Line != 1 {
		t.Errorf("got %v, want a ScriptError at line 1", err)
	}
	c = configure(t, map[string]string{"config.toml": device + "[[impair]]\nfilter = \"udp prot 53\"\nloss = 0.1\n"})
	var ce config.Errors
	if err := setup.Check(c, setup.Options{}); !errors.As(err, &ce) {
		t.Errorf("got %v, want config.Errors", err)
	}
}

// The limit of flows is the engine's.
func TestFlowsAreLimited(t *testing.T) {
	c := configure(t, map[string]string{"config.toml": device + "[limits]\nflows = 7\n"})
	if got := setup.Engine(c, setup.Options{}).Flows; got != 7 {
		t.Errorf("%d flows, want 7", got)
	}
}

// A script that may be trusted has io, another has not.
func TestTrusted(t *testing.T) {
	toml := device + "[[script]]\npath = \"s.lua\"\n"
	c := configure(t, map[string]string{"config.toml": toml, "s.lua": `assert(io == nil)`})
	if err := setup.Check(c, setup.Options{}); err != nil {
		t.Error(err)
	}
	c = configure(t, map[string]string{"config.toml": toml, "s.lua": `assert(io.open)`})
	if err := setup.Check(c, setup.Options{Trusted: true}); err != nil {
		t.Error(err)
	}
}

// Every mistake of every script is found, and none is said twice.
func TestReviewAll(t *testing.T) {
	dir := t.TempDir()
	c := config.Default()
	d := config.DefaultDevice()
	d.Name, d.Kind = "tun0", config.TUN
	c.Devices = []config.Device{d}
	var paths []string
	for name, src := range map[string]string{
		"a.lua": `on("tcp prot 80", function(p) return p.tpc end)`, // raises, too
		"b.lua": `error("no good")`,
		"c.lua": `on(function(p) send(p, "tun1") end)`,
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	slices.Sort(paths)
	setup.ScriptConfig(c, paths)
	r := setup.ReviewAll(c, setup.Options{}, false)
	if len(r.Findings) != 3 || r.Findings[0].File != paths[0] || len(r.Errors) != 1 || !strings.Contains(r.Errors[0].Error(), "no good") {
		t.Errorf("%v, %v", r.Findings, r.Errors)
	}
	if r := setup.ReviewAll(c, setup.Options{}, true); len(r.Findings) != 2 {
		t.Errorf("with any device: %v", r.Findings)
	}
}

// An option that is set while a script runs is what its next load reads, until that is
// taken back.
func TestSettingsSet(t *testing.T) {
	c := configure(t, map[string]string{
		"config.toml": device + "[[script]]\npath = \"a.lua\"\n[[script]]\npath = \"b.lua\"\n",
		"a.lua":       `loss = option("loss", { default = 0 }) tries = option("tries", { default = 1 })`,
		"b.lua":       `loss = option("loss", { default = 0 })`,
	})
	st, err := setup.ParseSettings([]string{"a.loss=1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := setup.Check(c, setup.Options{Settings: st}); err != nil { // the scripts say what they have
		t.Fatal(err)
	}
	value := func(script, name string) any {
		v, _ := st.Option(luabind.Option{Script: script, Name: name})
		return v
	}
	for _, tt := range []struct{ key, want string }{
		{"tries", "a"}, {"b.loss", "b"},
		{"loss", "a and b have it: say which, as in a.loss=7"},
		{"los", `did you mean "loss"?`}, {"c.loss", `there is no script "c"`},
	} {
		script, _, err := st.Set(tt.key, "7")
		if err == nil && script != tt.want || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %q, %v; want %q", tt.key, script, err, tt.want)
		}
	}
	if v := value("b", "loss"); v != luabind.Text("7") {
		t.Errorf("loss of b is %v", v)
	}
	_, undo, err := st.Set("a.loss", "9")
	if v := value("a", "loss"); v != luabind.Text("9") || err != nil {
		t.Errorf("loss of a is %v, %v", v, err)
	}
	undo()
	if v := value("a", "loss"); v != luabind.Text("1") {
		t.Errorf("taken back, loss of a is %v", v)
	}
}
