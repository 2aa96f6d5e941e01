package luabind_test

import (
	"errors"
	"io/fs"
	"testing"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/luabind/vm"
)

// What the Go side of the package is given that makes no sense is an error, and never a
// panic; options below zero are the defaults.
func TestMisuse(t *testing.T) {
	load := func(opt luabind.Options) error {
		s, err := luabind.LoadString("x.lua", `on("udp", function() end) after(1, function() end)`, opt)
		if err != nil {
			return err
		}
		eng, err := engine.New(engine.Config{Programs: []engine.ProgramConfig{{Program: s}}})
		if err != nil {
			return err
		}
		return errors.Join(eng.Check(), eng.Close())
	}
	for name, row := range map[string]struct {
		do   func() error
		want bool // an error
	}{
		"Load nothing":           {func() error { _, err := luabind.Load("", luabind.Options{}); return err }, true},
		"Load a folder":          {func() error { _, err := luabind.Load(t.TempDir(), luabind.Options{}); return err }, true},
		"LoadString of nothing":  {func() error { _, err := luabind.LoadString("", "", luabind.Options{}); return err }, false},
		"LoadString of bytecode": {func() error { _, err := luabind.LoadString("x", "\x1bLua", luabind.Options{}); return err }, true},
		"LoadString of zeros":    {func() error { _, err := luabind.LoadString("x", "\x00\x00", luabind.Options{}); return err }, true},
		"negative limits": {func() error {
			return load(luabind.Options{Tasks: -1, Timers: -1, Held: -1, Limits: vm.Limits{Memory: -1, Instructions: -1, String: -1, Coroutines: -1, Source: -1, LoadInstructions: -1}})
		}, false},
		"a nil module": {func() error { return load(luabind.Options{Modules: map[string]luabind.Module{"m": nil}}) }, false},
		"a module with a nil func": {func() error {
			return load(luabind.Options{Modules: map[string]luabind.Module{"m": {"f": (func())(nil)}}})
		}, true},
		"a module with nil": {func() error { return load(luabind.Options{Modules: map[string]luabind.Module{"m": {"f": nil}}}) }, true},
		"a module with a channel": {func() error {
			return load(luabind.Options{Modules: map[string]luabind.Module{"m": {"f": make(chan int)}}})
		}, true},
		"a nil script as program": {func() error {
			_, err := engine.New(engine.Config{Programs: []engine.ProgramConfig{{Program: (*luabind.Script)(nil)}}})
			return err
		}, true},
	} {
		func() {
			defer func() {
				if r := recover(); r != nil {
					t.Errorf("%s panics: %v", name, r)
				}
			}()
			if err := row.do(); (err != nil) != row.want {
				t.Errorf("%s: %v, want an error: %t", name, err, row.want)
			}
		}()
	}
	if _, err := luabind.Load("/nowhere/x.lua", luabind.Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}
