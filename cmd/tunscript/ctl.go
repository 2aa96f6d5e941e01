package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tunscript/tunscript/internal/control"
)

// ctlFlags go with every verb of ctl.
type ctlFlags struct {
	socket string
	json   bool
}

func ctlCommand() *cobra.Command {
	var f ctlFlags
	c := &cobra.Command{
		Use:   "ctl",
		Short: "Look into a run, and change it",
		Long: "ctl talks to a tunscript that runs with --control PATH, or [control] socket in its\n" +
			"configuration. Without --socket it takes the only run there is: each stands in\n" +
			"$XDG_RUNTIME_DIR/tunscript, or without that in /run/tunscript for root and\n" +
			"/tmp/tunscript-UID for others. The user must be the run's, or root.",
		Example: "  tunscript ctl top\n" +
			"  tunscript ctl eval 'hits[\"192.0.2.7\"]'\n" +
			"  tunscript ctl capture 'tcp port 80' | wireshark -k -i -",
	}
	c.PersistentFlags().StringVar(&f.socket, "socket", "", "the run's socket, `PATH`; the only run's if not given")
	c.PersistentFlags().BoolVar(&f.json, "json", false, "print JSON")
	c.AddCommand(f.stats(), f.top(), f.handlers(), f.reload(), f.set(), f.eval(), f.flows(), f.capture(), f.end())
	return onlyVerbs(c)
}

// verb is a command that asks a run something.
func (f *ctlFlags) verb(use, short, long string, args cobra.PositionalArgs, do func(ctx context.Context, c *control.Client, cmd *cobra.Command, args []string) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Long: long, Args: args, RunE: func(cmd *cobra.Command, args []string) error {
		ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
		defer stop()
		c, err := f.dial(ctx)
		if err != nil {
			return err
		}
		defer c.Close()
		if err := do(ctx, c, cmd, args); err != nil {
			return runError{err}
		}
		return nil
	}}
}

func (f *ctlFlags) dial(ctx context.Context) (*control.Client, error) {
	path := f.socket
	if path == "" {
		var err error
		if path, err = control.Find(ctx); err != nil {
			return nil, err
		}
	}
	return control.Dial(ctx, path)
}

// printJSON prints v on a line.
func printJSON(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", b)
	return err
}

// end is the verb stop.
func (f *ctlFlags) end() *cobra.Command {
	return f.verb("stop", "End the run", "stop ends the run as an interrupt does, and returns when it has ended.", takes(0, 0),
		func(ctx context.Context, c *control.Client, cmd *cobra.Command, _ []string) error { return c.Stop(ctx) })
}
