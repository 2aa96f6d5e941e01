package main

import (
	"cmp"
	"io"
	"log/slog"
	"net/netip"
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
	watch   bool
	files   reload.Files // of the scripts
}

func (f *liveFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.control, "control", "", "answer tunscript ctl at this unix socket, `PATH`")
	c.Flags().BoolVar(&f.watch, "watch", false, "reload a script when it, or a module of its, is saved")
}

// A beside is what goes on beside a session: from when its scripts have started, until
// it ends.
type beside struct {
	s       *session
	scripts *reload.Scripts
	stderr  io.Writer
	all     sync.WaitGroup
	ends    []func()
}

// live reloads the scripts at SIGHUP, and lets others in as flags and configuration say.
// end ends the session, and waits until nothing of this is left.
func (s *session) live(cfg *config.Config, opt setup.Options, f *liveFlags, all []engine.ProgramConfig, stderr io.Writer) (end func(), err error) {
	b := &beside{s: s, stderr: stderr}
	b.scripts = reload.New(s.eng, programs(all[:len(cfg.Scripts)]), func(i int) (engine.Program, error) {
		if err := reload.Again(cfg.Scripts[i].Path); err != nil {
			return nil, err
		}
		return setup.Script(cfg, i, opt)
	})
	err = b.control(cmp.Or(f.control, cfg.Control.Socket), opt.Settings)
	if err == nil && f.watch {
		err = b.watch(&f.files)
	}
	if err == nil {
		err = b.metrics(cfg.Metrics.Listen)
	}
	if err != nil {
		b.end()
		return nil, runError{err}
	}
	b.hangup()
	return b.end, nil
}

func (b *beside) end() {
	b.s.stop()
	for _, fn := range b.ends {
		fn()
	}
	b.all.Wait()
}

// whenReady runs fn when the scripts have started, or the session has ended before.
func (b *beside) whenReady(fn func()) {
	b.all.Go(func() {
		select {
		case <-b.s.ready:
		case <-b.s.ctx.Done():
		}
		fn()
	})
}

// control answers tunscript ctl.
func (b *beside) control(path string, settings *setup.Settings) error {
	if path == "" {
		return nil
	}
	server, err := control.Listen(path, control.Host{
		Engine: b.s.eng, Links: b.s.links, Scripts: b.scripts, Set: settings.Set, Stop: b.s.stop, Log: b.s.log,
	})
	if err != nil {
		return err
	}
	forget := announce(b.s.log, path)
	b.whenReady(server.Start)
	b.ends = append(b.ends, func() {
		forget()
		if err := server.Close(); err != nil {
			b.s.log.Warn("control socket", "error", err)
		}
	})
	return nil
}

// watch reloads scripts that are saved.
func (b *beside) watch(files *reload.Files) error {
	w, err := reload.NewWatcher(b.scripts, files)
	if err == nil {
		b.whenReady(func() { w.Run(b.s.ctx, b.reloaded) })
	}
	return err
}

// metrics answers Prometheus.
func (b *beside) metrics(listen netip.AddrPort) error {
	if !listen.IsValid() {
		return nil
	}
	stop, err := serveMetrics(listen, b.s.eng, b.s.links)
	if err == nil {
		b.ends = append(b.ends, stop)
	}
	return err
}

// hangup reloads all scripts at every SIGHUP.
func (b *beside) hangup() {
	hup := make(chan os.Signal, 1) // several at once are one
	signal.Notify(hup, syscall.SIGHUP)
	b.ends = append(b.ends, func() { signal.Stop(hup) })
	b.whenReady(func() {
		for {
			select {
			case <-b.s.ctx.Done():
				return
			case <-hup:
				b.reloaded(b.scripts.All())
			}
		}
	})
}

// reloaded says what became of a reload.
func (b *beside) reloaded(names []string, err error) {
	for _, name := range names {
		b.s.log.Info("reloaded", "script", name)
	}
	if err == nil {
		return
	}
	for _, one := range split(err) {
		show(b.stderr, one)
	}
	b.s.log.Warn("not reloaded: what ran before goes on")
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
