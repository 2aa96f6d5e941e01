package setup_test

import (
	"errors"
	"os"
	"path/filepath"
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
		{"a filter with a mistake", device + "[[script]]\npath = \"s.lua\"\n", "\non(\"udp prot 7\", function(p) end)", "s.lua:2: "},
		{"a device that the script names", device + "[[script]]\npath = \"s.lua\"\n", `on{ "udp", device = "tun9", run = function(p) end }`, "there is tun0"},
		{"top level that raises", device + "[[script]]\npath = \"s.lua\"\n", `error("not today")`, "s.lua:1: not today"},
		{"a script without end", device + "[limits]\nload_instructions = 1000\n[[script]]\npath = \"s.lua\"\n", `while true do end`, "instructions"},
		{"two workers", device + "[engine]\nworkers = 2\n", "", "config.toml:5:11: engine.workers: this version cannot"},
		{"a control socket", device + "[control]\nsocket = \"x\"\n", "", "control.socket: this version cannot"},
		{"a link", "[[device]]\nname = \"l\"\nkind = \"udp\"\nlocal = \"127.0.0.1:7001\"\nremote = \"127.0.0.1:7002\"\n", "", "device[1].kind: this version cannot"},
		{"faults", device + "[[impair]]\nloss = 0.1\n", "", "impair[1]: this version cannot"},
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
	c = configure(t, map[string]string{"config.toml": device + "[host]\nmasquerade = true\n"})
	var ce config.Errors
	if err := setup.Check(c, setup.Options{}); !errors.As(err, &ce) {
		t.Errorf("got %v, want config.Errors", err)
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
