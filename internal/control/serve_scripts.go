package control

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/luabind"
)

// reloadArgs name a script, or "" for all.
type reloadArgs struct {
	Script string `json:"script"`
}

// Reloaded says which scripts were exchanged, and what is wrong with the others, which
// go on as they were.
type Reloaded struct {
	Done   []string `json:"done"`
	Failed []*Error `json:"failed,omitempty"`
}

var errNoScripts = mistake(errors.New("there is no script here"))

func (s *Server) reload(args reloadArgs) (Reloaded, error) {
	if s.host.Scripts == nil {
		return Reloaded{}, errNoScripts
	}
	var done []string
	var err error
	if args.Script == "" {
		done, err = s.host.Scripts.All()
	} else if err = s.host.Scripts.One(args.Script); err == nil {
		done = []string{args.Script}
	}
	return s.reloaded(done, err), nil
}

// reloaded tells the log, too.
func (s *Server) reloaded(done []string, err error) Reloaded {
	r := Reloaded{Done: done, Failed: wireErrors(err)}
	for _, name := range r.Done {
		s.log.Info("reloaded", "script", name)
	}
	if len(r.Failed) > 0 {
		s.log.Warn("not reloaded: what ran before goes on", "error", r.Failed[0].Text)
	}
	return r
}

// setArgs are an option and what it is to be.
type setArgs struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// set reloads the script whose option it is: options are read while a script loads.
func (s *Server) set(args setArgs) (Reloaded, error) {
	if s.host.Set == nil || s.host.Scripts == nil {
		return Reloaded{}, errNoScripts
	}
	script, undo, err := s.host.Set(args.Key, args.Value)
	if err != nil {
		return Reloaded{}, mistake(err)
	}
	if err := s.host.Scripts.One(script); err != nil {
		undo()
		return s.reloaded(nil, err), nil
	}
	s.log.Info("set", "option", strings.TrimPrefix(args.Key, script+"."), "script", script)
	return s.reloaded([]string{script}, nil), nil
}

// evalArgs are Lua, where it runs, "" for the only script, and on which worker, 0 for the
// first.
type evalArgs struct {
	Source string `json:"source"`
	Script string `json:"script"`
	Worker int    `json:"worker"`
}

// evaluated are results as text.
type evaluated struct {
	Values []string `json:"values"`
}

// eval compiles here, and runs on the worker with the budget of a packet.
func (s *Server) eval(args evalArgs) (evaluated, error) {
	e, err := luabind.NewEval(args.Source)
	if err != nil {
		return evaluated{}, err
	}
	var r evaluated
	var runErr error
	err = s.inScript(args.Script, cmp.Or(args.Worker, 1), func(scope *engine.Scope) { r.Values, runErr = e.Run(scope) })
	if ce, ok := errors.AsType[*engine.ConfigError](err); ok {
		return r, mistake(ce)
	}
	if runErr != nil { // the text is Lua, so it is no mistake of who asks, nor one of a script that loads
		e := wireError(runErr)
		e.Kind = KindFailed
		return r, e
	}
	return r, err
}

// inScript runs fn on a worker in the script of that name. One that is exchanged before fn
// has its turn is asked for again.
func (s *Server) inScript(name string, worker int, fn func(*engine.Scope)) error {
	p, err := s.script(name)
	for err == nil {
		doErr := s.host.Engine.Do(worker, p, fn)
		if _, gone := errors.AsType[*engine.ConfigError](doErr); !gone {
			return doErr
		}
		was := p
		if p, err = s.script(name); p == was { // so it is the worker that there is not
			return doErr
		}
	}
	return err
}

// script is the one of that name, "" for the only one.
func (s *Server) script(name string) (engine.Program, error) {
	if s.host.Scripts == nil {
		return nil, errNoScripts
	}
	if name == "" {
		names := s.host.Scripts.Names()
		switch len(names) {
		case 0:
			return nil, errNoScripts
		case 1:
			name = names[0]
		default:
			return nil, mistake(fmt.Errorf("there are several scripts: say in which, with --script: %s", strings.Join(names, ", ")))
		}
	}
	return s.host.Scripts.Program(name)
}

// end ends the run.
func (s *Server) end(none) (none, error) {
	s.log.Info("stopped by tunscript ctl")
	s.host.Stop()
	return none{}, nil
}
