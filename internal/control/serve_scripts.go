package control

import (
	"errors"
	"strings"
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

var errNoScripts = mistake(errors.New("nothing here can be reloaded: there is no script"))

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

// end ends the run.
func (s *Server) end(none) (none, error) {
	s.log.Info("stopped by tunscript ctl")
	s.host.Stop()
	return none{}, nil
}
