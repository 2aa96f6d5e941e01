package main

import (
	"context"
	"encoding/json"
	"errors"
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
	return c
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
	return f.verb("stop", "End the run", "stop ends the run as an interrupt does, and returns when it has ended.", cobra.NoArgs,
		func(ctx context.Context, c *control.Client, cmd *cobra.Command, _ []string) error { return c.Stop(ctx) })
}

// reload is the verb reload.
func (f *ctlFlags) reload() *cobra.Command {
	return f.verb("reload [SCRIPT]", "Load scripts anew",
		"reload loads the scripts from their files, or the one of that name, and exchanges\n"+
			"them between two packets. One with a mistake goes on as it was, and the mistake is\n"+
			"shown here. SIGHUP does the same.", cobra.MaximumNArgs(1),
		func(ctx context.Context, c *control.Client, cmd *cobra.Command, args []string) error {
			script := ""
			if len(args) > 0 {
				script = args[0]
			}
			r, err := c.Reload(ctx, script)
			if err != nil {
				return err
			}
			return f.reloaded(cmd, r)
		})
}

// set is the verb set.
func (f *ctlFlags) set() *cobra.Command {
	return f.verb("set KEY=VALUE", "Give a script's option another value",
		"set gives an option (NAME, or SCRIPT.NAME where several have it) another value, until\n"+
			"the run ends. A script reads its options while it loads, so set reloads it: its\n"+
			"variables start anew, shared dictionaries and flows stay. A value that does not suit\n"+
			"the option changes nothing.", cobra.ExactArgs(1),
		func(ctx context.Context, c *control.Client, cmd *cobra.Command, args []string) error {
			key, value, ok := cutSet(args[0])
			if !ok {
				return usage(cmd, fmt.Errorf("%q: write it as NAME=VALUE, or SCRIPT.NAME=VALUE", args[0]))
			}
			r, err := c.Set(ctx, key, value)
			if err != nil {
				return err
			}
			return f.reloaded(cmd, r)
		})
}

// reloaded prints which scripts were exchanged; what is wrong with others is the error.
func (f *ctlFlags) reloaded(cmd *cobra.Command, r control.Reloaded) error {
	var errs []error
	for _, e := range r.Failed {
		errs = append(errs, e)
	}
	if f.json {
		if err := printJSON(cmd.OutOrStdout(), r); err != nil {
			return err
		}
	} else {
		for _, name := range r.Done {
			fmt.Fprintln(cmd.OutOrStdout(), "reloaded "+lines(name))
		}
	}
	if len(errs) == 0 {
		return nil
	}
	for _, err := range errs[:len(errs)-1] {
		show(cmd.ErrOrStderr(), err)
	}
	return errs[len(errs)-1] // which main shows
}

// eval is the verb eval.
func (f *ctlFlags) eval() *cobra.Command {
	var script string
	var worker int
	c := f.verb("eval LUA", "Run Lua in a script",
		"eval runs an expression, or statements, in a script's globals, with the instructions\n"+
			"that a packet has, and prints the results. What the script keeps in locals is not\n"+
			"seen; print goes to the log of the run. With several workers each has globals of\n"+
			"its own.", cobra.ExactArgs(1),
		func(ctx context.Context, c *control.Client, cmd *cobra.Command, args []string) error {
			values, err := c.Eval(ctx, args[0], script, worker)
			if err != nil {
				return err
			}
			return f.values(cmd.OutOrStdout(), values)
		})
	c.Flags().StringVar(&script, "script", "", "`NAME` of the script; the only one's if not given")
	c.Flags().IntVar(&worker, "worker", 1, "whose globals, from 1")
	return c
}

// values prints the results of an eval, as print does.
func (f *ctlFlags) values(w io.Writer, values []string) error {
	if f.json {
		return printJSON(w, struct {
			Values []string `json:"values"`
		}{append([]string{}, values...)})
	}
	for i, v := range values {
		if i > 0 {
			fmt.Fprint(w, "\t")
		}
		fmt.Fprint(w, v)
	}
	if len(values) > 0 {
		fmt.Fprintln(w)
	}
	return nil
}

var errTerminal = errors.New("stdout is a terminal: name a file with -o, or pipe it, as in: tunscript ctl capture | wireshark -k -i -")

// capture is the verb capture.
func (f *ctlFlags) capture() *cobra.Command {
	var out string
	var count int64
	c := f.verb("capture [FILTER]", "Write packets with their verdicts",
		"capture writes a pcapng file of what comes in, with verdicts as comments, and what\n"+
			"leaves, until it is interrupted or N packets have come in. When its reader is slow\n"+
			"packets are missing, and counted; the run does not wait.", nil,
		func(ctx context.Context, c *control.Client, cmd *cobra.Command, args []string) error {
			return captureTo(ctx, c, cmd, out, joinArgs(args), count)
		})
	c.Args = cobra.ArbitraryArgs
	c.Flags().StringVarP(&out, "out", "o", "", "write to `FILE`; - is stdout")
	c.Flags().Int64VarP(&count, "count", "n", 0, "end after so many packets; 0: go on")
	return c
}
