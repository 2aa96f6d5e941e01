package luabind

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/luabind/lib"
	"github.com/tunscript/tunscript/luabind/vm"
)

// A module is one that ships with tunscript, written in Go or in Lua.
type module struct {
	name  string
	doc   string
	names []global                 // what is in it
	call  global                   // calling the module itself; the zero global where that means nothing
	opens func(in *instance) error // whether it can be used here; nil: always
}

// modules are all of them. A file of the script's folder goes before one of the same
// name, so that a module which ships tomorrow breaks no script of today.
func modules() []module { return []module{dnsModule(), impairModule(), tcpModule(), testModule()} }

// require finds a module: a file beside the script, or one that ships. Files are read
// while the script loads, and at no other time: a handler does not wait for a disk.
func (in *instance) require(s *vm.State, name string) (vm.Module, error) {
	if !in.loading {
		return vm.Module{}, fmt.Errorf("require %q: a module is required first while the script loads: move it to the top of the script", clip(name))
	}
	if m, ok := in.script.host[name]; ok && name != "_G" {
		t := s.L().CreateTable(0, len(m))
		in.openHost(m, t)
		return vm.Module{Value: s.ReadOnly(t)}, nil
	}
	file := strings.ReplaceAll(name, ".", "/") + ".lua"
	source, err := in.script.readModule(file)
	switch {
	case err == nil:
		chunk, err := s.Compile(file, string(source))
		return vm.Module{Chunk: chunk}, err
	case !errors.Is(err, fs.ErrNotExist):
		return vm.Module{}, fmt.Errorf("require %q: %w", clip(name), err)
	}
	if source, err := lib.FS.ReadFile(file); err == nil { // its limits and its budget are the script's
		chunk, err := vm.Compile(file, string(source), vm.Limits{})
		return vm.Module{Chunk: chunk}, err
	}
	shipped := map[string]module{}
	for _, m := range modules() {
		shipped[m.name] = m
	}
	if m, ok := shipped[name]; ok {
		if m.opens != nil {
			if err := m.opens(in); err != nil {
				return vm.Module{}, fmt.Errorf("require %q: %w", name, err)
			}
		}
		return vm.Module{Value: in.open(m)}, nil
	}
	return vm.Module{}, fmt.Errorf("require %q: there is no %s beside the script%s (modules that ship: %s)",
		clip(name), clip(file), didYouMean(name, shipped), strings.Join(slices.Sorted(maps.Keys(shipped)), ", "))
}

// errNoFolder is what a name means that leads out of the script's folder.
var errNoFolder = errors.New("a module is a file of the script's folder or below: write its name as \"name\" or \"folder.name\"")

// readModule reads a file of the script's folder. What leads out of it, a symbolic link
// included, is refused by the system (os.Root), not by looking at names.
func (s *Script) readModule(file string) ([]byte, error) {
	if s.dir == "" || file == s.name { // dns.lua that requires "dns" means what ships
		return nil, fs.ErrNotExist
	}
	if !fs.ValidPath(file) || strings.ContainsAny(file, "\\\x00") || path.Base(file) == ".lua" {
		return nil, errNoFolder
	}
	if s.opt.Read != nil {
		s.opt.Read(filepath.Join(s.dir, filepath.FromSlash(file)))
	}
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	if info, err := root.Stat(file); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return nil, fmt.Errorf("%s is a pipe or the like: a module is a file", file) // to open one may take for ever
	}
	f, err := root.Open(file)
	if err != nil {
		if pe, ok := errors.AsType[*fs.PathError](err); ok && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s: %w", file, pe.Err)
		}
		return nil, err
	}
	defer f.Close()
	return readSource(f, s.opt.Limits)
}

// open is a shipped module as a table.
func (in *instance) open(m module) lua.LValue {
	L := in.state.L()
	t := L.CreateTable(0, len(m.names))
	for _, g := range m.names {
		if g.fn == nil {
			t.RawSetString(g.name, g.value(in))
			continue
		}
		t.RawSetString(g.name, L.NewFunction(func(L *lua.LState) int { return g.fn(in, L) }))
	}
	ro := in.state.ReadOnly(t)
	if m.call.fn != nil {
		ro.Metatable.(*lua.LTable).RawSetString("__call", L.NewFunction(func(L *lua.LState) int {
			L.Remove(1) // the module itself
			return m.call.fn(in, L)
		}))
	}
	return ro
}
