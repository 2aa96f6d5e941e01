package testrun

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/luabind"
)

// A file is one file of tests. It is compiled once and started for every test anew.
type file struct {
	path   string
	opt    Options
	script *luabind.Script
	hooks  luabind.Test
	tests  []found
	loaded map[string]*luabind.Script // scripts under test, by path
	now    *run                       // the test that runs
}

// found is a test of the file.
type found struct {
	name string
	line int
}

// open loads a file and starts it once, to hear what tests it has.
func open(path string, opt Options) (*file, error) {
	f := &file{path: path, opt: opt, loaded: map[string]*luabind.Script{}}
	f.hooks.Began = func(s *engine.Scope) { s.SetHome(wireOf("tun0")) }
	f.hooks.Load = func(s *engine.Scope, path string, o luabind.TestLoad, then func()) error {
		return f.now.load(s, path, o, then)
	}
	f.hooks.Wire = func(device string) (string, error) { return f.now.wire(device) }
	f.hooks.Ended = func(s *engine.Scope, err error) { f.now.ended(s, err) }
	f.hooks.Found = func(string, int) {}
	var err error
	if f.script, err = luabind.Load(path, luabind.Options{Test: &f.hooks, Trusted: opt.Trusted, Log: f.log}); err != nil {
		return nil, err
	}
	lines := map[string]int{}
	var twice error
	f.hooks.Found = func(name string, line int) {
		if other, ok := lines[name]; ok && twice == nil {
			twice = fmt.Errorf("%s:%d: the test %q stands in line %d, too: give each its own name", filepath.Base(path), line, name, other)
		}
		lines[name] = line
		f.tests = append(f.tests, found{name, line})
	}
	f.now = &run{file: f}
	eng, err := f.now.engine()
	if err != nil {
		return nil, err
	}
	defer eng.Close()
	if err := eng.Check(); err != nil {
		return nil, err
	}
	f.hooks.Found = func(string, int) {}
	return f, twice
}

// script is the script of that path beside the file.
func (f *file) underTest(path string) (*luabind.Script, error) {
	if s := f.loaded[path]; s != nil {
		return s, nil
	}
	s, err := luabind.Load(filepath.Join(filepath.Dir(f.path), filepath.FromSlash(path)), luabind.Options{
		Trusted: f.opt.Trusted, Log: f.log, Name: strings.TrimSuffix(filepath.Base(path), ".lua"),
		Option: func(o luabind.Option) (any, bool) { return f.now.option(o) },
	})
	if err == nil {
		f.loaded[path] = s
	}
	return s, err
}

func (f *file) log(level luabind.Level, script, text string) {
	if f.now != nil {
		f.now.log = append(f.now.log, script+": "+text)
	}
}

// run runs one test.
func (f *file) run(t found) Result {
	start := time.Now()
	f.hooks.Only = t.name
	f.now = &run{file: f}
	err := f.now.play()
	return Result{
		File: f.path, Name: t.name, Line: t.line,
		Took: time.Since(start), Virtual: f.now.virtual, Log: f.now.log, Err: err,
	}
}
