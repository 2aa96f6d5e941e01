// Package lint finds mistakes in a script without running it: what package luabind
// would raise only when a packet comes.
//
// It reads the syntax tree of gopher-lua and the API as plain data
// ([luabind.APIReference]); it makes no Lua state, knows no engine, and does not know
// how a name is bound. Every file goes through three steps: tokens (token.go) and
// tree, so that every node has its column; names (resolve.go), so that every name has
// its variable and every variable what it is given; and the rules, one file each.
//
// A rule reports what is certain. What a name holds is inferred from everything it is
// ever given (infer.go): given a packet here and a string there, it is neither, and
// nothing is said about its fields.
package lint

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tunscript/tunscript/luabind"
)

// Options say what is known from outside the script.
type Options struct {
	Trusted bool     // the script has io, os, debug and the like
	Devices []string // the devices that will be there; nil: not known, any name will do
	Globals []string // names that the host program adds
	Workers int      // above 1, what every worker would do is warned about

	// Module finds what require names: a path for messages, and the source. ok is false
	// for a module that is not a file of the user's. nil finds none; File looks beside
	// the script.
	Module func(name string) (path, source string, ok bool)
}

// File finds the mistakes in a script and in the files beside it that it requires, in
// the order of the source, the script first. The error is that of reading it.
func File(path string, opt Options) ([]Finding, error) {
	src, err := readFile(path)
	if err != nil {
		return nil, err
	}
	if opt.Module == nil {
		opt.Module = beside(filepath.Dir(path))
	}
	return Source(filepath.Base(path), src, opt), nil
}

// readFile reads a source. Of one that is longer than any that loads it reads enough
// for that to be said.
func readFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, maxSource))
	return string(src), err
}

// maxSource is more than a script may be long.
const maxSource = 1 << 20

// beside finds modules in dir, as require does.
func beside(dir string) func(string) (string, string, bool) {
	return func(name string) (string, string, bool) {
		if !filepath.IsLocal(strings.ReplaceAll(name, ".", "/")) {
			return "", "", false
		}
		path := strings.ReplaceAll(name, ".", "/") + ".lua"
		src, err := readFile(filepath.Join(dir, path))
		return path, src, err == nil
	}
}

// Source is File for a script that is at hand as text. It never fails, whatever the
// text.
func Source(name, source string, opt Options) []Finding {
	c := &checker{opt: opt, api: newAPI(luabind.APIReference()), assigned: map[string]bool{}, atTop: map[string]bool{}, own: map[string]bool{}}
	for _, g := range opt.Globals {
		c.assigned[g] = true
	}
	c.read(name, source)
	for _, f := range c.files {
		for name, g := range f.globals {
			if len(g.values) > 0 {
				c.assigned[name] = true
			}
		}
		for _, u := range f.unbound {
			if u.use == written && u.level == 0 {
				c.atTop[u.id.Value] = true
			}
		}
	}
	var all []Finding
	for _, f := range c.files {
		f.check()
		slices.SortStableFunc(f.findings, func(a, b Finding) int {
			if a.Line != b.Line {
				return a.Line - b.Line
			}
			return a.Column - b.Column
		})
		all = append(all, f.findings...)
	}
	return all
}

// A checker is one run: a script and the modules it requires.
type checker struct {
	opt      Options
	api      *api
	files    []*file
	assigned map[string]bool // globals that some file sets
	atTop    map[string]bool // those set where no function is
	own      map[string]bool // modules that are files of the user's
	dynamic  bool            // globals may be set in ways that are not seen
}

// maxFiles bounds how many modules are followed.
const maxFiles = 100

// read parses a file and resolves its names, and then what it requires.
func (c *checker) read(name, source string) {
	if len(c.files) >= maxFiles || slices.ContainsFunc(c.files, func(f *file) bool { return f.name == name }) {
		return
	}
	f := newFile(c, name, source)
	c.files = append(c.files, f)
	for _, module := range f.requires {
		if c.opt.Module == nil {
			break
		}
		if path, src, ok := c.opt.Module(module); ok {
			c.own[module] = true
			c.read(path, src)
		}
	}
}
