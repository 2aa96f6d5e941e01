package setup

import (
	"errors"
	"path/filepath"

	"github.com/tunscript/tunscript/internal/config"
	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/luabind/lint"
)

// A Review is all that is wrong with a configuration and its scripts.
type Review struct {
	// Findings are what the scripts' text shows, script by script; File is the path
	// from where the command runs.
	Findings []lint.Finding
	// Errors are what loading and running the scripts' top level says besides.
	Errors []error
}

// ReviewAll is Check that goes on after the first mistake, and looks at the scripts'
// text, too. anyDevice says that the devices of c are stand-ins, and scripts may name
// others.
func ReviewAll(c *config.Config, opt Options, anyDevice bool) Review {
	var r Review
	for _, s := range c.Scripts {
		found, err := lint.File(s.Path, lintOptions(c, s, opt, anyDevice))
		if err != nil {
			continue // Check says so, at the key
		}
		for _, f := range found {
			f.File = filepath.Join(filepath.Dir(s.Path), f.File)
			r.Findings = append(r.Findings, f)
		}
	}
	r.Errors = r.rest(c, opt)
	return r
}

// rest is what is wrong and no finding says.
func (r *Review) rest(c *config.Config, opt Options) (errs []error) {
	first := Check(c, opt)
	if first == nil {
		return nil
	}
	if _, ok := errors.AsType[*luabind.ScriptError](first); !ok {
		return []error{first}
	}
	for _, s := range c.Scripts {
		one := *c
		one.Scripts = []config.Script{s}
		se, ok := errors.AsType[*luabind.ScriptError](Check(&one, opt))
		if ok && !r.says(s.Path, se) {
			errs = append(errs, se)
		}
	}
	if len(errs) == 0 && len(r.Findings) == 0 {
		return []error{first} // only all scripts together have it
	}
	return errs
}

// says reports whether a finding is about the line of an error of that script.
func (r *Review) says(path string, se *luabind.ScriptError) bool {
	for _, f := range r.Findings {
		if f.Severity == lint.Error && f.Line == se.Line && f.File == filepath.Join(filepath.Dir(path), se.Script) {
			return true
		}
	}
	return false
}

func lintOptions(c *config.Config, s config.Script, opt Options, anyDevice bool) lint.Options {
	lo := lint.Options{Trusted: s.Trusted || opt.Trusted, Workers: c.Engine.Workers}
	if !anyDevice {
		lo.Devices = []string{}
		for _, d := range c.Devices {
			lo.Devices = append(lo.Devices, d.Name)
		}
	}
	return lo
}
