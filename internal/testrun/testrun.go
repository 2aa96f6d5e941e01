// Package testrun runs tests of scripts that are scripts themselves: files that end in
// _test.lua, with test("name", function(t) ... end) in them.
//
// A test is a script on the other side of the wire. For each, one engine is made, on a
// virtual clock that begins at 0 and with the seed that was asked for, with pipes for
// tun0 and tun1, tap0 and tap1. The script under test is loaded on the near ends by
// t:load; the test is a task of its own script on the far ends: it is the host. So there
// is no second mechanism: what a test sees is what a host would, and waiting costs
// nothing. luabind has the module "test"; here is what it does it with, and who is told.
//
// Tests run one after the other on the caller's goroutine; only the watchdog, which ends
// a test that takes too long in real time, has one of its own.
package testrun

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tunscript/tunscript/luabind"
)

// Options say how tests are run.
type Options struct {
	Run     *regexp.Regexp // names of tests; nil: all
	Seed    uint64         // 0: 1
	Trusted bool
	Timeout time.Duration // real time for one test; 0: 10 s
	// Options are the values of the scripts' options where a test says nothing.
	Option func(luabind.Option) (any, bool)
	// Began and Done are told of each test, if not nil.
	Began func(file, name string)
	Done  func(Result)
}

// Result is one test that was run.
type Result struct {
	File    string // as it was found
	Name    string
	Line    int           // of test(...) in the file
	Took    time.Duration // real time
	Virtual time.Duration // how far its clock went
	Log     []string      // what its scripts said
	Err     error         // why it failed; nil if it did not
}

// suffix is how a file of tests is called.
const suffix = "_test.lua"

// ErrNoTests says that there is nothing to run.
var ErrNoTests = errors.New("there are no tests: a file of them ends in _test.lua, and has test(\"name\", function(t) ... end)")

// Find lists the files of tests: those named, and those in the folders named and below.
// No path is the current folder.
func Find(paths []string) ([]string, error) {
	if len(paths) == 0 {
		paths = []string{"."}
	}
	var files []string
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("%s: no such file or folder: name a file of tests, or a folder", path)
		case err != nil:
			return nil, err
		case !info.IsDir():
			files = append(files, path)
			continue
		}
		err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && p != path && strings.HasPrefix(d.Name(), "."):
				return fs.SkipDir
			case !d.IsDir() && strings.HasSuffix(p, suffix):
				files = append(files, p)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(files)
	files = slices.Compact(files)
	if len(files) == 0 {
		return nil, ErrNoTests
	}
	return files, nil
}

// Run runs the tests of the files. Its error is that of a file that does not load, a
// *luabind.ScriptError among others; that a test fails is in its Result.
func Run(files []string, opt Options) ([]Result, error) {
	var all []Result
	for _, path := range files {
		f, err := open(path, opt)
		if err != nil {
			return all, err
		}
		for _, t := range f.tests {
			if opt.Run != nil && !opt.Run.MatchString(t.name) {
				continue
			}
			if opt.Began != nil {
				opt.Began(path, t.name)
			}
			r := f.run(t)
			if opt.Done != nil {
				opt.Done(r)
			}
			all = append(all, r)
		}
	}
	return all, nil
}
