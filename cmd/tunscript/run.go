package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/internal/config"
	"github.com/tunscript/tunscript/internal/reload"
	"github.com/tunscript/tunscript/internal/setup"
)

func runCommand() *cobra.Command {
	var f commonFlags
	var w watchFlags
	var d deviceFlags
	c := &cobra.Command{
		Use:   "run SCRIPT... | -c FILE",
		Short: "Run scripts on this host's devices",
		Long: "run opens the devices of the configuration, or one device that the flags describe,\n" +
			"and runs the scripts until it is interrupted. SIGHUP reloads the scripts while packets\n" +
			"flow; one with a mistake goes on as it was. A device that it makes goes when run\n" +
			"ends; one that existed stays as it was. To try a script without touching this\n" +
			"host's network, use: tunscript lab",
		RunE: func(c *cobra.Command, paths []string) error {
			log, err := newLog(c.ErrOrStderr(), f.logFormat)
			if err != nil {
				return usage(c, err)
			}
			if f.config != "" && d.given(c) {
				return usage(c, errors.New("with -c the devices are the file's: leave --device and its like out"))
			}
			if f.config == "" && len(paths) == 0 && w.dump == "" && w.pcap == "" {
				return usage(c, errors.New("nothing to run: name a script, a configuration with -c, or --dump to look on"))
			}
			cfg, err := f.load(paths)
			if err != nil {
				return err
			}
			if f.config == "" {
				if cfg.Devices, err = d.devices(); err != nil {
					return usage(c, err)
				}
			}
			if err := setup.Supported(cfg); err != nil {
				return err
			}
			opt, err := f.options(log)
			if err != nil {
				return err
			}
			ec := setup.Engine(cfg, opt)
			if ec.Programs, err = setup.Scripts(cfg, opt); err != nil {
				return err
			}
			if ec.Devices, err = setup.Devices(cfg); err != nil {
				return runError{err}
			}
			ctx, stop := signal.NotifyContext(c.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			context.AfterFunc(ctx, stop) // a second signal ends the process at once
			promptly()
			s, err := newSession(ctx, ec, w, c.OutOrStdout())
			if err != nil {
				setup.Close(ec.Devices)
				return err
			}
			scripts := reload.New(s.eng, programs(ec.Programs[:len(cfg.Scripts)]), func(i int) (engine.Program, error) {
				return setup.Script(cfg, i, opt)
			})
			defer s.reloadOnHangup(scripts, c.ErrOrStderr())()
			go func() {
				select {
				case <-s.ready:
					for _, d := range ec.Devices {
						log.Info("ready", "device", d.Device.Info().Name)
					}
					s.status(c.ErrOrStderr(), w)
				case <-s.ctx.Done():
				}
			}()
			if err := s.run(); err != nil {
				return runError{err}
			}
			log.Info("done: " + s.summary())
			return nil
		},
	}
	f.register(c)
	w.register(c)
	d.register(c)
	return c
}

// promptly gives the worker a place to run on beside the rest of the process, as
// prompt waiting needs, also where the process may use one processor only.
func promptly() {
	if runtime.GOMAXPROCS(0) < 2 {
		runtime.GOMAXPROCS(2)
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

// deviceFlags describe the one device of a run without a configuration.
type deviceFlags struct {
	name    string
	tap     bool
	address []string
	peer    []string
	mtu     int
}

var deviceFlagNames = []string{"device", "tap", "address", "peer", "mtu"}

func (d *deviceFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&d.name, "device", "", "`NAME` of the device, made if it does not exist (default tun0 or tap0)")
	c.Flags().BoolVar(&d.tap, "tap", false, "a TAP device: Ethernet frames instead of IP packets")
	c.Flags().StringSliceVar(&d.address, "address", nil, "the host's `ADDRESS/LENGTH`; more with commas")
	c.Flags().StringSliceVar(&d.peer, "peer", nil, "the script's `ADDRESS`; more with commas")
	c.Flags().IntVar(&d.mtu, "mtu", 1500, "largest IP packet in bytes")
}

func (d *deviceFlags) given(c *cobra.Command) bool {
	for _, name := range deviceFlagNames {
		if c.Flags().Changed(name) {
			return true
		}
	}
	return false
}

func (d *deviceFlags) devices() ([]config.Device, error) {
	dev := config.DefaultDevice()
	dev.Name, dev.Kind, dev.MTU = "tun0", config.TUN, d.mtu
	if d.tap {
		dev.Name, dev.Kind = "tap0", config.TAP
	}
	if d.name != "" {
		dev.Name = d.name
	}
	for _, a := range d.address {
		p, err := netip.ParsePrefix(a)
		if err != nil {
			return nil, fmt.Errorf("--address %q: write it as 192.0.2.1/24", a)
		}
		dev.Address = append(dev.Address, p)
	}
	for _, a := range d.peer {
		p, err := netip.ParseAddr(a)
		if err != nil {
			return nil, fmt.Errorf("--peer %q: write it as 192.0.2.2", a)
		}
		dev.Peer = append(dev.Peer, p)
	}
	cfg := config.Default()
	cfg.Devices = []config.Device{dev}
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	return cfg.Devices, nil
}
