package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/internal/config"
	"github.com/tunscript/tunscript/internal/setup"
	"github.com/tunscript/tunscript/tundev"
)

// runFlags are what run can be told.
type runFlags struct {
	commonFlags
	watch  watchFlags
	live   liveFlags
	device deviceFlags
}

func runCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run SCRIPT... | -c FILE",
		Short: "Run scripts on this host's devices",
		Long: "run opens the devices of the configuration, or one device that the flags describe,\n" +
			"and runs the scripts until it is interrupted. SIGHUP reloads the scripts while packets\n" +
			"flow, with --watch so does saving one; one with a mistake goes on as it was. A device that it makes goes when run\n" +
			"ends; one that existed stays as it was. To try a script without touching this\n" +
			"host's network, use: tunscript lab",
		RunE: func(c *cobra.Command, paths []string) error { return f.run(c, paths) },
	}
	f.register(c)
	f.watch.register(c)
	f.live.register(c)
	f.device.register(c)
	return c
}

// run is the verb: what is asked for, the engine of it, and the run itself.
func (f *runFlags) run(c *cobra.Command, paths []string) error {
	log, err := newLog(c.ErrOrStderr(), f.logFormat, f.watch.level())
	if err != nil {
		return usage(c, err)
	}
	cfg, err := f.configuration(c, paths)
	if err != nil {
		return err
	}
	opt, err := f.options(log)
	if err != nil {
		return err
	}
	opt.Read = f.live.files.Add
	ec, host, err := open(cfg, opt)
	if err != nil {
		return f.withFlags(err)
	}
	defer undo(host, log)
	ctx, stop := signal.NotifyContext(c.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	promptly(ec.Workers)
	f.watch.errors = cfg.Engine.Errors
	s, err := newSession(ctx, ec, f.watch, c.OutOrStdout())
	if err != nil {
		setup.Close(ec.Devices)
		return err
	}
	end, err := s.live(cfg, opt, &f.live, ec.Programs, c.ErrOrStderr())
	if err != nil {
		s.end()
		s.eng.Close() // and its devices
		return err
	}
	defer end()
	if err := drop(host, f, log); err != nil {
		s.end()
		s.eng.Close() // and its devices
		return err
	}
	go f.ready(s, ec.Devices, c.ErrOrStderr())
	err = s.run()
	s.notify("STOPPING=1")
	if err != nil {
		return runError{err}
	}
	log.Info("done: " + s.summary())
	return nil
}

// configuration is what the file says, or the flags, and only what can be done.
func (f *runFlags) configuration(c *cobra.Command, paths []string) (*config.Config, error) {
	if f.config != "" && f.device.given(c) {
		return nil, usage(c, errors.New("with -c the devices are the file's: leave --device and its like out"))
	}
	if f.config == "" && len(paths) == 0 && f.watch.dump == "" && f.watch.pcap == "" {
		return nil, usage(c, errors.New("nothing to run: name a script, a configuration with -c, or --dump to look on"))
	}
	cfg, err := f.load(c, paths)
	if err != nil {
		return nil, err
	}
	if f.config == "" {
		if cfg.Devices, err = f.device.devices(); err != nil {
			return nil, usage(c, err)
		}
	}
	return cfg, setup.Supported(cfg)
}

// withFlags has what to do about a device of the other kind as flags, if these asked for it.
func (f *runFlags) withFlags(err error) error {
	e, ok := errors.AsType[*tundev.Error](err)
	if !ok || f.config != "" {
		return err
	}
	e.Fix = strings.NewReplacer(`set kind = "tap"`, "add --tap", `set kind = "tun"`, "leave --tap out").Replace(e.Fix)
	return err
}

// open loads the scripts of cfg and then opens its devices: a mistake in a script
// must not touch the network.
func open(cfg *config.Config, opt setup.Options) (ec engine.Config, host *setup.Host, err error) {
	ec = setup.Engine(cfg, opt)
	if ec.Programs, err = setup.Scripts(cfg, opt); err != nil {
		return ec, nil, err
	}
	if host, err = setup.NewHost(cfg); err != nil {
		return ec, nil, err
	}
	opt.Host = host
	if ec.Devices, err = setup.Devices(cfg, opt); err == nil {
		err = host.Lay()
	}
	if err != nil {
		setup.Close(ec.Devices)
		undo(host, opt.Log)
		return ec, nil, runError{err}
	}
	warnKept(cfg.Devices, opt.Log)
	for _, note := range host.Notes {
		opt.Log.Warn(note)
	}
	return ec, host, nil
}

// drop gives up all rights that are not needed any more.
func drop(host *setup.Host, f *runFlags, log *slog.Logger) error {
	host.Writes(f.watch.pcap, f.watch.record)
	host.Removes(f.live.control)
	err := host.Drop()
	if setup.Unconfined(err) {
		log.Warn(err.Error())
		err = nil
	}
	for _, unreadable := range host.Unreadable() {
		log.Warn("a script cannot be loaded anew by the user that this has become: let it read the file and the folders above", "error", unreadable)
	}
	return err
}

// undo puts the host back as it was.
func undo(host *setup.Host, log *slog.Logger) {
	if err := host.Close(); err != nil {
		log.Error(err.Error())
	}
}

// ready says which devices are there when the scripts have started, and from then on
// how it goes.
func (f *runFlags) ready(s *session, devices []engine.DeviceConfig, terminal io.Writer) {
	select {
	case <-s.ready:
		for _, d := range devices {
			s.log.Info("ready", "device", d.Device.Info().Name)
		}
		s.notify("READY=1")
		s.status(terminal, f.watch)
	case <-s.ctx.Done():
	}
}

// notify tells the service manager; one that does not listen is no reason to end.
func (s *session) notify(state string) {
	if err := notify(state); err != nil {
		s.log.Warn(err.Error())
	}
}

// promptly gives each worker a place to run on, and the rest of the process one beside them,
// as prompt waiting needs, also where the process may use fewer processors.
func promptly(workers int) {
	if most := max(workers, 1) + 1; runtime.GOMAXPROCS(0) < most {
		runtime.GOMAXPROCS(most)
	}
}

// status keeps a line about the run on a terminal, until the session ends. There
// is none in a pipe, and none beside a dump, which moves by itself.
func (s *session) status(w io.Writer, f watchFlags) {
	if !isTerminal(w) || f.dump != "" {
		return
	}
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-s.ctx.Done():
			fmt.Fprint(w, "\r\033[K")
			return
		case <-t.C:
			fmt.Fprintf(w, "\r\033[K%s", s.summary())
		}
	}
}
