package main

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/internal/config"
	"github.com/tunscript/tunscript/internal/setup"
	"github.com/tunscript/tunscript/tundev/pcapfile"
)

// replayFlags say how a capture is played.
type replayFlags struct {
	commonFlags
	watchFlags
	output, compare string
	speed           float64
	maxGap, linger  time.Duration
}

func replayCommand() *cobra.Command {
	var f replayFlags
	c := &cobra.Command{
		Use:   "replay [flags] SCRIPT... CAPTURE",
		Short: "Run scripts over a capture, in its own time",
		Long: "replay plays a capture (pcap or pcapng, also compressed by gzip; - is stdin) to the\n" +
			"scripts, as if it came in on a device. Time is that of the capture: waiting costs\n" +
			"nothing, and the same seed gives the same packets, every time. It needs no\n" +
			"privilege and no device.\n\n" +
			"The device is tun0, or tap0 for a capture of Ethernet, with a lab's addresses.\n" +
			"What leaves it is what passes, answers, and what is sent: -o keeps it.",
		Example: "  tunscript replay firewall.lua in.pcap -o out.pcap\n" +
			"  tunscript replay --dump=icmp ping.lua in.pcapng\n" +
			"  tunscript lab --record run.pcapng nat.lua -- ping -c 3 192.0.2.2\n" +
			"  tunscript replay --compare run.pcapng nat.lua",
		RunE: func(c *cobra.Command, args []string) error {
			if f.compare != "" {
				return f.runCompare(c, args)
			}
			if len(args) == 0 {
				return usage(c, errors.New("nothing to replay: name a script and a capture"))
			}
			last := len(args) - 1
			if last == 0 && f.dump == "" && f.output == "" && f.pcap == "" {
				return usage(c, fmt.Errorf("nothing to do with %s: name a script before it, or --dump to look at it", args[0]))
			}
			if isScript(args[last]) && !isScript(args[0]) {
				return usage(c, fmt.Errorf("the capture comes last: tunscript replay %s %s", args[last], args[0]))
			}
			return f.run(c, args[:last], args[last])
		},
	}
	f.registerScripts(c)
	f.watchFlags.register(c)
	c.Flags().Lookup("seed").DefValue, f.seed = "1", 1
	c.Flags().StringVarP(&f.output, "output", "o", "", "write what leaves to `FILE` (.pcap, else pcapng; - is stdout)")
	c.Flags().StringVar(&f.compare, "compare", "", "run `RECORDING` again, made with --record, and stop at the first packet that is sent otherwise")
	c.Flags().Float64Var(&f.speed, "speed", 0, "play at `PACE`: 1 is the capture's, 0 as fast as it can")
	c.Flags().DurationVar(&f.maxGap, "max-gap", 24*time.Hour, "longest `TIME` between two packets; 0: any")
	c.Flags().DurationVar(&f.linger, "linger", time.Minute, "`TIME` that timers and tasks may go on after the last packet")
	return c
}

func (f *replayFlags) run(c *cobra.Command, scripts []string, capture string) error {
	if f.speed < 0 {
		return usage(c, errors.New("--speed must be 0 or more"))
	}
	if f.output == "-" && (f.dump != "" || f.pcap == "-") {
		return usage(c, errors.New("-o - wants stdout, and so does what prints: give -o a file"))
	}
	ec, cfg, err := f.engine(c, scripts)
	if err != nil {
		return err
	}
	dev, err := setup.Replay(cfg.Devices[0], setup.Capture{Path: capture, Output: f.output, MaxGap: f.maxGap})
	if err != nil {
		return runError{err}
	}
	ec.Devices = []engine.DeviceConfig{{Device: dev, Forward: dev.Info().Name}}
	ec.Clock = engine.Virtual(time.Time{}).Linger(f.linger).Paced(f.speed)
	err = f.play(c, ec)
	if n := dev.Skipped(); n > 0 {
		ec.Log.Warn("packets of the capture were not played: neither IP nor Ethernet, or cut short", "packets", n)
	}
	return err
}

// engine is that of the flags, without devices and clock.
func (f *replayFlags) engine(c *cobra.Command, scripts []string) (ec engine.Config, cfg *config.Config, err error) {
	log, err := newLog(c.ErrOrStderr(), f.logFormat, f.level())
	if err != nil {
		return ec, nil, usage(c, err)
	}
	if cfg, err = f.load(c, scripts); err != nil {
		return ec, nil, err
	}
	opt, err := f.options(log)
	if err != nil {
		return ec, nil, err
	}
	f.errors = cfg.Engine.Errors
	ec = setup.Engine(cfg, opt)
	ec.Programs, err = setup.Scripts(cfg, opt)
	return ec, cfg, err
}

// play runs the engine over its captures, which it takes over, to their end.
func (f *replayFlags) play(c *cobra.Command, ec engine.Config) error {
	ctx, stop := signal.NotifyContext(c.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	s, err := newSession(ctx, ec, f.watchFlags, c.OutOrStdout())
	if err != nil {
		setup.Close(ec.Devices)
		return err
	}
	if shown := c.ErrOrStderr(); isTerminal(shown) {
		go s.status(shown, f.watchFlags)
	}
	if err := s.run(); err != nil {
		return runError{captureError(err)}
	}
	ec.Log.Info("done: " + s.summary())
	if s.failures() > 0 {
		return statusError(exitFailed)
	}
	return nil
}

// captureError is what is wrong with the capture, if that is what ended the run: to
// lose a device is an engine's way to say it.
func captureError(err error) error {
	e, ok := errors.AsType[*pcapfile.Error](err)
	if !ok {
		return err
	}
	if errors.Is(e, pcapfile.ErrGap) {
		e.Fix = "if that is right, allow it: --max-gap 0"
	}
	return e
}
