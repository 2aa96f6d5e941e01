package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tunscript/tunscript/internal/control"
)

// flows is the verb flows.
func (f *ctlFlags) flows() *cobra.Command {
	var flush bool
	c := f.verb("flows [FILTER]", "The flows that scripts keep",
		"flows lists the flows that scripts have asked for, or those whose packets FILTER\n"+
			"matches by address, protocol and port: age, time without a packet, state, and the\n"+
			"native rule about them. With --flush these rules go: packets of such a flow come to\n"+
			"the scripts again; a flow that is rewritten ends.", nil,
		func(ctx context.Context, c *control.Client, cmd *cobra.Command, args []string) error {
			return f.list(ctx, c, cmd, joinArgs(args), flush)
		})
	c.Args = cobra.ArbitraryArgs
	c.Flags().BoolVar(&flush, "flush", false, "take the rules back")
	return c
}

// list prints flows as they come: a line, or in JSON an object, for each.
func (f *ctlFlags) list(ctx context.Context, c *control.Client, cmd *cobra.Command, filter string, flush bool) error {
	w := cmd.OutOrStdout()
	t := columns(w)
	if !f.json {
		fmt.Fprintln(t, "PROTO\tFROM\tTO\tSTATE\tAGE\tIDLE\tRULE")
	}
	flushed, err := c.Flows(ctx, filter, flush, func(fl control.Flow) error {
		if f.json {
			return printJSON(w, fl)
		}
		rule := fl.Rule
		if fl.OutSrc != "" {
			rule += fmt.Sprintf(" to %s > %s", fl.OutSrc, fl.OutDst)
		}
		_, err := fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", fl.Proto, fl.Src, fl.Dst, fl.State, span(fl.Age), span(fl.Idle), rule)
		return err
	})
	t.Flush()
	if err == nil && flush {
		fmt.Fprintf(cmd.ErrOrStderr(), "%d flows had rules, and have none now\n", flushed)
	}
	return err
}

// span is a time in whole seconds, as 1m4s.
func span(seconds float64) string {
	return (time.Duration(seconds) * time.Second).String()
}
