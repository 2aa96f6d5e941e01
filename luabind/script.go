package luabind

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/luabind/vm"
)

// Options say how a script is loaded and what it may do. The zero value is a
// locked-down script with the default limits.
type Options struct {
	Limits  vm.Limits // zero fields take the defaults
	Trusted bool      // opens io, os, debug and load
	Name    string    // of the program, in log and counters; empty: the script's file name

	Tasks  int // alive at once; 0: 1000
	Timers int // of after and every; 0: 10,000
	Held   int // packets kept in inboxes, 256 in one; 0: 1000

	// Option is asked for the value of every option that the script declares, each time
	// it starts: a float64, int64, int, string, bool or Text. With false it is the
	// default. nil leaves all at their defaults.
	Option func(Option) (value any, ok bool)

	// Modules are the host's, by the name that require takes; they go before files and what
	// ships. "_G" adds globals.
	Modules map[string]Module

	// Read is told of every file that require looks for beside the script, whether it is
	// there or not: what a change of would make another script. It is called where the
	// script starts, with several workers for each of them; nil: nobody is told.
	Read func(path string)

	// Test makes the script a file of tests, for who runs them; nil of any other.
	Test *Test

	// Log receives what the script says with print and log. nil discards it. It is
	// called on the worker and must not wait.
	Log func(level Level, script, text string)
}

func (o *Options) tasks() int  { return cmp.Or(max(o.Tasks, 0), 1000) }
func (o *Options) timers() int { return cmp.Or(max(o.Timers, 0), 10_000) }
func (o *Options) held() int   { return cmp.Or(max(o.Held, 0), 1000) }

// A Level is how much a line of a script's log matters.
type Level uint8

const (
	Debug Level = iota
	Info        // print, too
	Warn
	Error
)

// A Script is a Lua script, compiled once: an engine.Program. It is immutable and
// may be used by several engines.
type Script struct {
	name  string
	dir   string // where require finds files; "": nowhere
	chunk *vm.Chunk
	text  string // the source, for errors at the top level
	opt   Options
	host  map[string]hostModule
}

var _ engine.Program = (*Script)(nil)

// Load reads and compiles a script without running it. Its errors are a
// *ScriptError for what is wrong in the script, and *fs.PathError.
func Load(path string, opt Options) (*Script, error) {
	f, err := os.Open(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w: check the path of the script", err)
		}
		return nil, err
	}
	defer f.Close()
	src, err := readSource(f, opt.Limits)
	if err != nil {
		return nil, err
	}
	s, err := LoadString(filepath.Base(path), string(src), opt)
	if err == nil {
		s.dir = filepath.Dir(path)
	}
	return s, err
}

// readSource reads no more than a source may be long, and one byte of what is too much.
func readSource(f io.Reader, limits vm.Limits) ([]byte, error) {
	return io.ReadAll(io.LimitReader(f, int64(cmp.Or(limits.Source, vm.DefaultLimits().Source))+1))
}

// LoadString compiles a script that is at hand as text. The name stands in errors
// and in the log. It has no folder: require finds what ships with tunscript alone.
func LoadString(name, source string, opt Options) (*Script, error) {
	chunk, err := vm.Compile(name, source, opt.Limits)
	if err != nil {
		return nil, err
	}
	host, err := hostModules(opt.Modules)
	if err == nil {
		err = checkGlobals(host["_G"])
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &Script{name: name, chunk: chunk, text: source, opt: opt, host: host}, nil
}

// ScriptError is everything that can be wrong with a script: the line, the
// message, and for the rest Detail.
type ScriptError = vm.Error

// Name is Options.Name, or the script's file name.
func (s *Script) Name() string { return cmp.Or(s.opt.Name, s.name) }

// Start runs the script's top level, which registers its handlers and timers. It
// is for the engine.
func (s *Script) Start(scope *engine.Scope) error {
	in, err := newInstance(s, scope)
	if err != nil {
		return err
	}
	scope.OnEnd(in.close)
	in.loading = true
	_, err = in.state.Run(s.chunk)
	in.loading = false
	if err != nil {
		if se, ok := errors.AsType[*ScriptError](err); ok && se.Script == s.name {
			se.Locate(s.text)
		}
		return err
	}
	scope.Started(in.startEarly) // behind everything that on_start was told
	return nil
}
