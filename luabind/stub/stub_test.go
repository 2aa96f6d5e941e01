package stub_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/luabind/lint"
	"github.com/tunscript/tunscript/luabind/stub"
	"github.com/tunscript/tunscript/tundev"
)

var update = flag.Bool("update", false, "rewrite docs/lua-api.md")

func TestPageIsCurrent(t *testing.T) {
	const path = "../../docs/lua-api.md"
	page := stub.Page(luabind.APIReference())
	if *update {
		if err := os.WriteFile(path, []byte(page), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil || string(have) != page {
		t.Errorf("docs/lua-api.md is out of date (%v): run go test ./luabind/stub -update", err)
	}
}

// Every name of the registry stands in the stubs, and where people read.
func TestEveryNameStandsThere(t *testing.T) {
	r := luabind.APIReference()
	meta, page, std := stub.Meta(r), stub.Page(r), stub.Luacheck(r)
	want := func(text, where, pattern string) {
		t.Helper()
		if !regexp.MustCompile(`(?m)` + pattern).MatchString(text) {
			t.Errorf("%s: nothing matches %s", where, pattern)
		}
	}
	for _, n := range r.Globals {
		name := regexp.QuoteMeta(n.Name)
		switch {
		case n.Lua: // known to editors
		case n.Forms != nil:
			want(meta, "stubs", `^function `+name+`\(`)
			want(page, "page", "`"+name+`\(`)
		default:
			want(meta, "stubs", `^`+name+` = `)
			want(page, "page", "`"+name+"`")
		}
		_, last, _ := strings.Cut("."+n.Name[strings.LastIndexByte(n.Name, '.')+1:], ".")
		if !n.Trusted {
			want(std, "luacheck", `^ +("`+last+`",|`+last+` = \{)`)
		}
	}
	for _, c := range r.Classes {
		want(meta, "stubs", `^---@class `+regexp.QuoteMeta(c.Name)+`$`)
		for _, f := range c.Fields {
			want(meta, "stubs", `^---@field `+f.Name+`\?? `)
		}
		if !strings.HasSuffix(c.Name, ".fields") && (c.Name == "packet.pattern" || !strings.HasSuffix(c.Name, ".pattern")) {
			want(page, "page", `^### `+regexp.QuoteMeta(c.Name)+`$`)
			for _, f := range c.Fields {
				want(page, "page", "^\\| `"+f.Name+"` ")
			}
		}
		for _, m := range c.Methods {
			want(meta, "stubs", `^function [a-z_0-9]+:`+m.Name+`\(`)
			want(page, "page", `:`+m.Name+`\(`)
		}
	}
	for _, m := range r.Modules {
		want(page, "page", `^### `+regexp.QuoteMeta(m.Name)+`$`)
		for _, n := range m.Names {
			want(page, "page", "`"+regexp.QuoteMeta(m.Name+"."+n.Name)+`\(`)
			want(stub.ModuleMeta(m), "stubs", `^function `+regexp.QuoteMeta(m.Name+"."+n.Name)+`\(`)
		}
	}
	for _, a := range r.Aliases {
		want(meta, "stubs", `^---@alias `+regexp.QuoteMeta(a.Name)+` `)
	}
}

// The stubs and the configuration are Lua.
func TestStubsAreLua(t *testing.T) {
	r := luabind.APIReference()
	files := map[string]string{"meta.lua": stub.Meta(r), ".luacheckrc": stub.Luacheck(r)}
	for _, m := range r.Modules {
		files[m.Name+".lua"] = stub.ModuleMeta(m)
	}
	for name, src := range files {
		if _, err := luabind.LoadString(name, src, luabind.Options{}); err != nil {
			t.Error(err)
		}
		lua, err := exec.LookPath("luac5.1")
		if err != nil {
			t.Log("not compiled with PUC Lua, too: apt-get install lua5.1")
			continue
		}
		cmd := exec.Command(lua, "-p", "-")
		cmd.Stdin = strings.NewReader(src)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// luacheck says nothing about the examples.
func TestLuacheck(t *testing.T) {
	luacheck, err := exec.LookPath("luacheck")
	if err != nil {
		t.Skip("no luacheck: apt-get install lua-check")
	}
	config := filepath.Join(t.TempDir(), ".luacheckrc")
	if err := os.WriteFile(config, []byte(stub.Luacheck(luabind.APIReference())), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(luacheck, "--config", config, "--no-color", "--no-cache", "../../scripts/examples").CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	bad := filepath.Join(t.TempDir(), "bad.lua")
	if err := os.WriteFile(bad, []byte("on('udp', function(p) snd(p) log.inof(1) end)\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, _ := exec.Command(luacheck, "--config", config, "--no-color", "--no-cache", bad).CombinedOutput(); !strings.Contains(string(out), "snd") || !strings.Contains(string(out), "inof") {
		t.Errorf("of unknown globals is said: %s", out)
	}
}

// Every piece of Lua in the documentation loads, and the lint has no mistake to tell.
func TestDocs(t *testing.T) {
	paths, _ := filepath.Glob("../../docs/*.md")
	count := 0
	for _, path := range append(paths, "../../README.md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range luaBlock.FindAllStringSubmatchIndex(string(text), -1) {
			count++
			src := strings.Repeat("\n", strings.Count(string(text[:m[2]]), "\n")) + string(text[m[2]:m[3]])
			for _, f := range lint.Source(filepath.Base(path), src, lint.Options{}) {
				if f.Severity == lint.Error {
					t.Errorf("%s", f.Detail())
				}
			}
			if err := load(t, filepath.Base(path), src); err != nil {
				t.Error(err)
			}
		}
	}
	if count < 10 {
		t.Errorf("%d pieces of Lua found", count)
	}
}

var luaBlock = regexp.MustCompile("(?s)```lua\n(.*?)```")

// load runs the top level of a script as tunscript check does.
func load(t *testing.T, name, src string) error {
	t.Helper()
	script, err := luabind.LoadString(name, src, luabind.Options{Test: &luabind.Test{Found: func(string, int) {}}})
	if err != nil {
		return err
	}
	var devices []engine.DeviceConfig
	for i, name := range []string{"tun0", "tun1"} {
		dev, _ := tundev.Pipe(tundev.Config{Name: name, Kind: tundev.TUN, MAC: packet.MAC{2, 0, 0, 0, 0, byte(i)}})
		devices = append(devices, engine.DeviceConfig{Device: dev})
	}
	eng, err := engine.New(engine.Config{Devices: devices, Programs: []engine.ProgramConfig{{Program: script}}})
	if err != nil {
		return err
	}
	defer eng.Close()
	return eng.Check()
}
