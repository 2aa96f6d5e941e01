package main

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/internal/config"
	"github.com/tunscript/tunscript/internal/control"
	"github.com/tunscript/tunscript/internal/reload"
	"github.com/tunscript/tunscript/internal/setup"
)

// liveFlags say by what a run is looked into and changed while it goes on. A SIGHUP
// reloads its scripts in any case.
type liveFlags struct {
	control string
}

func (f *liveFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.control, "control", "", "answer tunscript ctl at this unix socket, `PATH`")
}

// live reloads the scripts, and lets others in, from when they have started until the
// session ends. end waits for that.
func (s *session) live(cfg *config.Config, opt setup.Options, f liveFlags, all []engine.ProgramConfig, stderr io.Writer) (end func(), err error) {
	scripts := reload.New(s.eng, programs(all[:len(cfg.Scripts)]), func(i int) (engine.Program, error) {
		return setup.Script(cfg, i, opt)
	})
	var beside sync.WaitGroup
	whenReady := func(fn func()) {
		beside.Go(func() {
			select {
			case <-s.ready:
				fn()
			case <-s.ctx.Done():
			}
		})
	}
	ends := []func(){func() { s.stop(); beside.Wait() }}
	end = func() {
		for _, fn := range ends {
			fn()
		}
	}
	if path := cmp.Or(f.control, cfg.Control.Socket); path != "" {
		server, err := control.Listen(path, control.Host{
			Engine: s.eng, Scripts: scripts, Set: opt.Settings.Set, Stop: s.stop, Log: s.log,
		})
		if err != nil {
			return nil, runError{err}
		}
		forget := announce(s.log, path)
		ends = append(ends, func() {
			forget()
			if err := server.Close(); err != nil {
				s.log.Warn("control socket", "error", err)
			}
		})
		whenReady(server.Start)
	}
	hup := make(chan os.Signal, 1) // several at once are one
	signal.Notify(hup, syscall.SIGHUP)
	ends = append(ends, func() { signal.Stop(hup) })
	whenReady(func() { s.reloadOn(s.ctx, hup, scripts, stderr) })
	return end, nil
}

// announce makes the run one that ctl finds by itself.
func announce(log *slog.Logger, path string) (forget func()) {
	forget, err := control.Announce(path)
	if err != nil {
		log.Warn("tunscript ctl does not find this run by itself: give it --socket "+path, "error", err)
		return func() {}
	}
	return forget
}

// reloadOn reloads all scripts at every signal.
func (s *session) reloadOn(ctx context.Context, hup <-chan os.Signal, scripts *reload.Scripts, w io.Writer) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			names, err := scripts.All()
			s.reloaded(names, err, w)
		}
	}
}

// reloaded says what became of a reload.
func (s *session) reloaded(names []string, err error, w io.Writer) {
	for _, name := range names {
		s.log.Info("reloaded", "script", name)
	}
	if err != nil {
		for _, one := range split(err) {
			show(w, one)
		}
		s.log.Warn("not reloaded: what ran before goes on")
	}
}

// split are the errors that err joins.
func split(err error) []error {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		return many.Unwrap()
	}
	return []error{err}
}

// programs are the programs of their configurations.
func programs(all []engine.ProgramConfig) []engine.Program {
	ps := make([]engine.Program, len(all))
	for i, pc := range all {
		ps[i] = pc.Program
	}
	return ps
}
