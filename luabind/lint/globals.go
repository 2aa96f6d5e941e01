package lint

import (
	"iter"
	"maps"
	"strings"

	"github.com/yuin/gopher-lua/ast"

	"github.com/tunscript/tunscript/luabind"
)

// checkGlobals looks at the names that are no locals.
func (f *file) checkGlobals() {
	for _, u := range f.unbound {
		if u.use == written {
			f.checkWritten(u)
		} else {
			f.checkRead(u)
		}
	}
	if f.c.opt.Workers > 1 {
		f.checkWorkers()
	}
}

// checkWritten looks at name = v.
func (f *file) checkWritten(u unbound) {
	name := u.id.Value
	switch {
	case f.c.api.isOwn(name):
		f.report(f.at(u.id), Error, name, "", "%q is a name of tunscript: use local, or another name", name)
	case u.level > 0 && !f.c.atTop[name] && !f.declared(name):
		f.report(f.at(u.id), Warning, name, luabind.Nearest(name, u.scope.names()),
			"%s becomes a global, as nothing at the top of the script declares it: write local %s", name, name)
		f.c.atTop[name] = true // once is enough
	}
}

// declared says whether the name is known from outside the script.
func (f *file) declared(name string) bool {
	for _, g := range f.c.opt.Globals {
		if g == name {
			return true
		}
	}
	return f.c.api.has(name, f.c.opt.Trusted)
}

// checkRead looks at a global being used.
func (f *file) checkRead(u unbound) {
	name := u.id.Value
	if f.foreign(u) || f.missing[name] || f.c.assigned[name] || f.c.dynamic || f.tested[name] || f.c.api.has(name, f.c.opt.Trusted) || name == "arg" {
		return
	}
	f.missing[name] = true // once is enough
	sev := Warning
	if u.use == called || u.use == indexed {
		sev = Error
	}
	if n, ok := f.c.api.globals[name]; ok && n.Trusted {
		f.report(f.at(u.id), sev, name, "", "%s is only there in a trusted script: --trusted, or trusted = true in the configuration", name)
		return
	}
	if f.c.api.modules[name] != nil {
		f.report(f.at(u.id), sev, name, "", "there is no global %q: local %s = require %q makes it one of this file", name, name, name)
		return
	}
	f.report(f.at(u.id), sev, name, luabind.Nearest(name, f.candidates(u.scope)), "there is no global %q", name)
}

// foreign says of the words for nothing and for a verdict what they are here. They mostly
// stand where a global is only asked for.
func (f *file) foreign(u unbound) bool {
	name := u.id.Value
	if f.c.assigned[name] || f.declared(name) || u.use == called {
		return false
	}
	switch strings.ToLower(name) {
	case "null", "none", "undefined":
		f.report(f.at(u.id), Warning, name, "", "there is no global %q: nothing is nil", name)
	case "true", "false":
		f.report(f.at(u.id), Warning, name, "", "there is no global %q: write %s", name, strings.ToLower(name))
	case "drop", "pass", "accept":
		f.report(f.at(u.id), Warning, name, "", "there is no global %q: a verdict wants quotes, %q", name, strings.ToLower(name))
	default:
		return false
	}
	return true
}

// candidates are the names that could have been meant.
func (f *file) candidates(s *scope) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, m := range []iter.Seq[string]{maps.Keys(f.c.api.globals), maps.Keys(f.c.api.tables), maps.Keys(f.c.assigned), s.names()} {
			for name := range m {
				if n, ok := f.c.api.globals[name]; ok && n.Trusted && !f.c.opt.Trusted {
					continue
				}
				if !yield(name) {
					return
				}
			}
		}
	}
}

// names are the locals of a scope and those around it.
func (s *scope) names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for s := s; s != nil; s = s.parent {
			for name := range s.vars {
				if !yield(name) {
					return
				}
			}
		}
	}
}

// onEveryWorker are what a script with several workers rarely means at its top.
var onEveryWorker = map[string]bool{"every": true, "after": true, "spawn": true, "on_start": true}

func (f *file) checkWorkers() {
	for _, s := range f.stmts {
		call, ok := s.(*ast.FuncCallStmt)
		if !ok {
			continue
		}
		e, ok := call.Expr.(*ast.FuncCallExpr)
		if !ok {
			continue
		}
		if id, ok := e.Func.(*ast.IdentExpr); ok && onEveryWorker[id.Value] && f.callee(e) != nil {
			f.report(f.at(id), Warning, id.Value, "", "each of the %d workers runs this: write if worker == 1 then ... end for one", f.c.opt.Workers)
		}
	}
}
