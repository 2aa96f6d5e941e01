package luabind_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/luabind"
)

func TestRequire(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("../secret.lua", `return "secret"`)
	write("project/util.lua", `local M = { n = 0 } function M.inc() M.n = M.n + 1 return M.n end M.name = ... return M`)
	write("project/sub/deep.lua", `return { util = require "util" }`)
	write("project/nothing.lua", ``)
	write("project/fails.lua", "\nerror('not today')")
	write("project/wrong.lua", "\nlocal x = = 1")
	write("project/a.lua", `return require "b"`)
	write("project/b.lua", `return require "a"`)
	write("project/dns.lua", `return "mine"`)
	if err := os.Symlink("../../secret.lua", filepath.Join(dir, "project", "link.lua")); err != nil {
		t.Fatal(err)
	}
	for expr, want := range map[string]string{
		`require("util").inc() + require("util").inc()`:       "3",
		`tostring(require "sub.deep".util == require "util")`: "true",
		`require("util").name`:                                "util",
		`tostring(require "nothing")`:                         "true",
		`require "dns"`:                                       "mine",
		`tostring(pcall(require, "fails"))`:                   "false",
		`select(2, pcall(require, "fails"))`:                  "fails.lua:2: not today",
		`require "wrong"`:                                     "wrong.lua:2:",
		`require "a"`:                                         "loop or previous error",
		`require "utli"`:                                      `there is no utli.lua beside the script`,
		`require "dsn"`:                                       `did you mean "dns"? (modules that ship: dns, impair, tcp, test)`,
		`require "..secret"`:                                  "a module is a file of the script's folder or below",
		`require "../secret"`:                                 "a module is a file of the script's folder or below",
		`require "/etc/passwd"`:                               "a module is a file of the script's folder or below",
		`require "sub\\deep"`:                                 "a module is a file of the script's folder or below",
		`require ""`:                                          "a module is a file of the script's folder or below",
		`require "link"`:                                      "path escapes",
		`require(("x"):rep(1e5))`:                             "require",
		`after(0, function() require "util" end) or "later"`:  "",
	} {
		write("project/main.lua", "log.info("+expr+")")
		got := ""
		script, err := luabind.Load(filepath.Join(dir, "project", "main.lua"), luabind.Options{
			Log: func(_ luabind.Level, _, text string) { got = text },
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := (setup{programs: []engine.Program{script}}).try(t); err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s is %s, want %s", expr, got, want)
		}
	}
}

// A script that is called like a module means the module.
func TestRequireIsNotTheScriptItself(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dns.lua")
	if err := os.WriteFile(path, []byte(`log.info(type(require("dns").parse))`), 0o666); err != nil {
		t.Fatal(err)
	}
	got := ""
	script, err := luabind.Load(path, luabind.Options{Log: func(_ luabind.Level, _, text string) { got = text }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (setup{programs: []engine.Program{script}}).try(t); err != nil || got != "function" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestRequireInAHandler(t *testing.T) {
	l := newLab(t, `on("udp", function(p) require "dns" end)`)
	l.put(udpPacket(t))
	if len(l.errs) != 1 || !strings.Contains(l.errs[0].Error(), "move it to the top of the script") {
		t.Error(l.errs)
	}
}
