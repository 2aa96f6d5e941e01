package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tunscript/tunscript/internal/control"
)

// reload is the verb reload.
func (f *ctlFlags) reload() *cobra.Command {
	return f.verb("reload [SCRIPT]", "Load scripts anew",
		"reload loads the scripts from their files, or the one of that name, and exchanges\n"+
			"them between two packets. One with a mistake goes on as it was, and the mistake is\n"+
			"shown here. SIGHUP does the same.", takes(0, 1),
		func(ctx context.Context, c *control.Client, cmd *cobra.Command, args []string) error {
			script := ""
			if len(args) > 0 {
				script = scriptName(args[0])
			}
			r, err := c.Reload(ctx, script)
			if err != nil {
				return err
			}
			return f.reloaded(cmd, r)
		})
}

// scriptName is the name of a script, of which its file may have been given.
func scriptName(arg string) string {
	if isScript(arg) {
		return strings.TrimSuffix(filepath.Base(arg), ".lua")
	}
	return arg
}

// set is the verb set.
func (f *ctlFlags) set() *cobra.Command {
	return f.verb("set KEY=VALUE", "Give a script's option another value",
		"set gives an option (NAME, or SCRIPT.NAME where several have it) another value, until\n"+
			"the run ends. A script reads its options while it loads, so set reloads it: its\n"+
			"variables start anew, shared dictionaries and flows stay. A value that does not suit\n"+
			"the option changes nothing.", takes(1, 1),
		func(ctx context.Context, c *control.Client, cmd *cobra.Command, args []string) error {
			key, value, ok := strings.Cut(args[0], "=")
			if !ok || key == "" {
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
			"its own.", takes(1, 1),
		func(ctx context.Context, c *control.Client, cmd *cobra.Command, args []string) error {
			values, err := c.Eval(ctx, args[0], scriptName(script), worker)
			if err != nil {
				return err
			}
			return f.values(cmd.OutOrStdout(), values)
		})
	c.Flags().StringVar(&script, "script", "", "`NAME` of the script; the only one's if not given")
	c.Flags().IntVar(&worker, "worker", 1, "`N` whose globals, from 1")
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
