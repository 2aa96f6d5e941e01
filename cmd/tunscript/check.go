package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tunscript/tunscript/internal/config"
	"github.com/tunscript/tunscript/internal/setup"
)

func checkCommand() *cobra.Command {
	var f commonFlags
	var options bool
	c := &cobra.Command{
		Use:   "check SCRIPT... | -c FILE",
		Short: "Find mistakes without opening a device",
		Long: "check reads the configuration, loads every script and compiles every filter, on\n" +
			"devices that exist in memory only. It exits 0 if run would start.",
		RunE: func(c *cobra.Command, scripts []string) error {
			if f.config == "" && len(scripts) == 0 {
				return usage(c, errors.New("nothing to check: name a script, or a configuration with -c"))
			}
			log, err := newLog(c.ErrOrStderr(), f.logFormat)
			if err != nil {
				return usage(c, err)
			}
			cfg, err := f.load(scripts)
			if err != nil {
				return err
			}
			opt, err := f.options(log)
			if err != nil {
				return err
			}
			if err := setup.Check(cfg, opt); err != nil {
				return err
			}
			if options {
				showOptions(c.OutOrStdout(), opt.Settings.Declared())
				return nil
			}
			fmt.Fprintf(c.OutOrStdout(), "ok: %s, %s\n", count(len(cfg.Devices), "device"), count(len(cfg.Scripts), "script"))
			return nil
		},
	}
	f.register(c)
	c.Flags().BoolVar(&options, "options", false, "list what the scripts can be told with --set")
	return c
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// labDevices are the devices of a configuration made of scripts alone: as in a lab.
func labDevices() []config.Device {
	d := config.DefaultDevice()
	d.Name, d.Kind = "tun0", config.TUN
	d.Address, d.Peer = labAddresses(), labPeers()
	return []config.Device{d}
}
