package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/luabind/stub"
)

// stubFolder is where a project has the stubs, from its top.
const stubFolder = ".tunscript"

// firstScript is the script of a new project.
const firstScript = `-- Answers every ping, and echoes in capitals what comes to UDP port 7.
on("icmp[icmptype] == icmp-echo or icmp6[icmp6type] == icmp6-echo", function(p)
  return p:reply()
end)

on("udp dst port 7", function(p)
  log.info("an echo to", p.ip.src)
  return p:reply{ payload = p.payload:upper() }
end)
`

// firstTest is its test.
const firstTest = `local test = require "test"

test("a ping is answered, and nothing else is sent", function(t)
  t:load "main.lua"
  t:inject(ip{ dst = "192.0.2.2" }/icmp{ id = 7, seq = 1 }/"hello")
  t:expect{ icmp = { type = 0, id = 7, seq = 1 }, payload_is = "hello" }
  t:expect_nothing()
end)

test("what comes to UDP port 7 goes back in capitals", function(t)
  t:load "main.lua"
  t:inject(ip{ dst = "192.0.2.2" }/udp{ sport = 4000, dport = 7 }/"hello")
  t:expect{ udp = { sport = 7, dport = 4000 }, payload_is = "HELLO" }
end)
`

// luarc tells the Lua language server what is what.
const luarc = `{
  "runtime.version": "Lua 5.1",
  "runtime.builtin": { "io": "disable", "debug": "disable", "package": "disable", "bit": "disable", "ffi": "disable", "jit": "disable" },
  "workspace.library": [".tunscript"]
}
`

func initCommand() *cobra.Command {
	var force bool
	c := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Begin a project: a script, its test, and what an editor needs to help",
		Long: "init writes a script that answers pings and UDP echoes, its test, the API for editors with the\n" +
			"Lua language server (.luarc.json, .tunscript/), and .luacheckrc for luacheck. It\n" +
			"overwrites nothing unless told to.",
		Args: takes(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 1 {
				dir = args[0]
			}
			r := luabind.APIReference()
			files := append([]projectFile{
				{"main.lua", firstScript}, {"main_test.lua", firstTest}, {".luarc.json", luarc}, {".luacheckrc", stub.Luacheck(r)},
			}, stubFiles(r, stubFolder)...)
			if err := writeProject(dir, files, force); err != nil {
				return err
			}
			out := c.OutOrStdout()
			for _, f := range files {
				fmt.Fprintln(out, "wrote "+filepath.Join(dir, f.name))
			}
			fmt.Fprintf(out, "\nTry it:  tunscript lab %s -- ping -c 3 192.0.2.2\nTest it: tunscript test %s\n",
				filepath.Join(dir, "main.lua"), filepath.Join(dir, "main_test.lua"))
			return nil
		},
	}
	c.Flags().BoolVar(&force, "force", false, "overwrite what is there")
	return c
}

// A projectFile is one file that init writes.
type projectFile struct{ name, text string }

// stubFiles are the API for editors, as files of a folder.
func stubFiles(r *luabind.Reference, folder string) []projectFile {
	files := []projectFile{{filepath.Join(folder, "tunscript.lua"), stub.Meta(r)}}
	for _, m := range r.Modules {
		files = append(files, projectFile{filepath.Join(folder, m.Name+".lua"), stub.ModuleMeta(m)})
	}
	return files
}

// writeProject writes all files or, where one is there already, none.
func writeProject(dir string, files []projectFile, force bool) error {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return fmt.Errorf("%s is a file: name a folder", dir)
	}
	var there []string
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		if _, err := os.Lstat(path); err == nil {
			there = append(there, path)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if len(there) > 0 && !force {
		more := ""
		if n := len(there) - 2; n > 0 {
			there, more = there[:2], fmt.Sprintf(" and %d more", n)
		}
		return fmt.Errorf("there already: %s%s: name another folder, or overwrite with --force", strings.Join(there, ", "), more)
	}
	for _, f := range files {
		if err := writeFile(filepath.Join(dir, f.name), f.text); err != nil {
			return err
		}
	}
	return nil
}

// writeFile writes a file and makes its folder.
func writeFile(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o666)
}
