package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/tunscript/tunscript/internal/config"
	"github.com/tunscript/tunscript/internal/setup"
	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/luabind/lint"
)

func checkCommand() *cobra.Command {
	var f commonFlags
	var options, strict bool
	c := &cobra.Command{
		Use:   "check SCRIPT... | -c FILE",
		Short: "Find mistakes without opening a device",
		Long: "check reads the configuration, looks through the text of every script, then loads it\n" +
			"on devices that exist in memory only. It says all mistakes at once, each with its\n" +
			"place, and exits 0 if there are none; warnings count with --strict only.",
		RunE: func(c *cobra.Command, scripts []string) error {
			if f.config == "" && len(scripts) == 0 {
				return usage(c, errors.New("nothing to check: name a script, or a configuration with -c"))
			}
			log, err := newLog(c.ErrOrStderr(), f.logFormat, slog.LevelInfo)
			if err != nil {
				return usage(c, err)
			}
			cfg, err := f.load(c, scripts)
			if err != nil {
				return err
			}
			if f.config == "" {
				cfg.Devices = append(cfg.Devices, otherDevices(scripts)...)
			}
			opt, err := f.options(log)
			if err != nil {
				return err
			}
			review := setup.ReviewAll(cfg, opt, f.config == "")
			warnings, err := showReview(c.ErrOrStderr(), review, strict)
			if err != nil {
				return err
			}
			if options {
				showOptions(c.OutOrStdout(), opt.Settings.Declared())
				return nil
			}
			fmt.Fprintf(c.OutOrStdout(), "ok: %s, %s", count(len(cfg.Devices), "device"), count(len(cfg.Scripts), "script"))
			if warnings > 0 {
				fmt.Fprintf(c.OutOrStdout(), ", %s", count(warnings, "warning"))
			}
			fmt.Fprintln(c.OutOrStdout())
			return nil
		},
	}
	f.register(c)
	c.Flags().BoolVar(&strict, "strict", false, "take warnings for mistakes")
	c.Flags().BoolVar(&options, "options", false, "list what the scripts can be told with --set")
	return c
}

// showReview prints what was found. Its error has the exit status, and where a mistake
// is none of a script's, is it.
func showReview(w io.Writer, r setup.Review, strict bool) (warnings int, err error) {
	status := exitOK
	for _, f := range r.Findings {
		fmt.Fprintln(w, lines(f.Detail()))
		if f.Severity == lint.Warning {
			warnings++
		}
		if strict || f.Severity == lint.Error {
			status = exitScript
		}
	}
	for _, e := range r.Errors {
		if _, ok := errors.AsType[*luabind.ScriptError](e); !ok {
			return warnings, e
		}
		show(w, e)
		if status == exitOK {
			status = exitCode(e)
		}
	}
	if status != exitOK {
		return warnings, statusError(status)
	}
	return warnings, nil
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// otherDevices are those of a lab with --tap or --pair that the scripts name: which lab a
// script is for, its text says.
func otherDevices(scripts []string) (all []config.Device) {
	var text []byte
	for _, path := range scripts {
		b, _ := os.ReadFile(path) // what cannot be read is told when it is loaded
		text = append(text, b...)
	}
	for _, name := range []string{"tun1", "tap0", "tap1"} {
		if bytes.Contains(text, []byte(`"`+name+`"`)) || bytes.Contains(text, []byte("devices."+name)) {
			d := labDevices()[0]
			if d.Name = name; name != "tun1" {
				d.Kind = config.TAP
			}
			all = append(all, d)
		}
	}
	return all
}

// labDevices are the devices of a configuration made of scripts alone: as in a lab.
func labDevices() []config.Device {
	d := config.DefaultDevice()
	d.Name, d.Kind = "tun0", config.TUN
	d.Address, d.Peer = labAddresses(), labPeers()
	return []config.Device{d}
}
