package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/internal/config"
	"github.com/tunscript/tunscript/internal/setup"
)

// commonFlags go with every verb that loads scripts.
type commonFlags struct {
	config    string
	seed      int64
	trusted   bool
	sets      []string
	logFormat string
}

func (f *commonFlags) register(c *cobra.Command) {
	c.Flags().StringVarP(&f.config, "config", "c", "", "configuration `FILE` (TOML; see config.toml.example)")
	f.registerScripts(c)
}

// registerScripts is without the configuration file.
func (f *commonFlags) registerScripts(c *cobra.Command) {
	c.Flags().Int64Var(&f.seed, "seed", 0, "`N` decides all chance; 0: a new one each run")
	c.Flags().StringArrayVar(&f.sets, "set", nil, "give a script's option a value, as in `loss=0.2` or gate.loss=0.2")
	c.Flags().BoolVar(&f.trusted, "trusted", false, "open io, os, debug and load to the scripts")
	c.Flags().StringVar(&f.logFormat, "log-format", "text", "`FORMAT` is text or json")
}

// load makes the configuration: the file's, or one of scripts alone on a device
// like a lab's; scripts that are named besides a file come after the file's.
func (f *commonFlags) load(c *cobra.Command, scripts []string) (*config.Config, error) {
	if f.seed < 0 {
		return nil, usage(c, errors.New("--seed must be more than 0"))
	}
	if isScript(f.config) {
		return nil, usage(c, fmt.Errorf("-c wants a configuration, and %s is a script: name it without -c", f.config))
	}
	if err := errors.Join(dumpFlags(c), checkPaths(c, scripts)); err != nil {
		return nil, err
	}
	cfg := config.Default()
	if f.config != "" {
		var err error
		if cfg, err = config.Load(f.config); err != nil {
			return nil, err
		}
	} else {
		cfg.Devices = labDevices()
	}
	setup.ScriptConfig(cfg, scripts)
	if f.seed != 0 {
		cfg.Engine.Seed = f.seed
	}
	return cfg, nil
}

// options are what the flags say beside the configuration.
func (f *commonFlags) options(log *slog.Logger) (setup.Options, error) {
	settings, err := setup.ParseSettings(f.sets)
	if err != nil {
		return setup.Options{}, &usageError{"", err}
	}
	return setup.Options{Log: log, Trusted: f.trusted, Settings: settings}, nil
}

// watchFlags say what is shown and recorded of a run.
type watchFlags struct {
	dump  string
	hex   bool
	count int
	pcap  string
	debug bool

	record string
	errors string            // engine.errors of the configuration
	also   []engine.Observer // that the verb itself has
}

// all is what --dump means without a filter.
const all = "all"

func (f *watchFlags) register(c *cobra.Command) {
	c.Flags().Var((*dumpFlag)(&f.dump), "dump", "print packets and verdicts; `[=FILTER]` says of which packets")
	c.Flags().Lookup("dump").NoOptDefVal = "true"
	c.Flags().BoolVarP(&f.hex, "hex", "x", false, "with --dump, print the bytes, too")
	c.Flags().IntVarP(&f.count, "count", "n", 0, "with --dump, end after `N` packets")
	c.Flags().BoolVarP(&f.debug, "verbose", "v", false, "show what scripts say with log.debug, too")
	c.Flags().StringVar(&f.record, "record", "", "write the run to `FILE`, to be run again: tunscript replay --compare")
	c.Flags().StringVar(&f.pcap, "pcap", "", "write every packet to `FILE` (.pcap, else pcapng with verdicts; - is stdout)")
}

// level is the least that is logged.
func (f *watchFlags) level() slog.Level {
	if f.debug {
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// A dumpFlag is --dump or --dump=FILTER: a switch to who prints the help, with a value.
type dumpFlag string

func (d *dumpFlag) String() string { return string(*d) }
func (d *dumpFlag) Type() string   { return "bool" }
func (d *dumpFlag) Set(s string) error {
	if *d = dumpFlag(s); s == "true" {
		*d = all
	}
	return nil
}

// dumpFlags says of flags of --dump that they need it.
func dumpFlags(c *cobra.Command) error {
	dump := c.Flags().Lookup("dump")
	if dump == nil {
		return nil
	}
	for _, name := range []string{"hex", "count"} {
		f := c.Flags().Lookup(name)
		if f.Changed && !dump.Changed {
			return usage(c, fmt.Errorf("-%s is about what is printed: add --dump", f.Shorthand))
		}
		if strings.HasPrefix(f.Value.String(), "-") {
			return usage(c, fmt.Errorf("-%s is %s, want 1 or more", f.Shorthand, f.Value))
		}
	}
	return nil
}

// isTerminal reports whether w is one.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && info.Name() != "null"
}
