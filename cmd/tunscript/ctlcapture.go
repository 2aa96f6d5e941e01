package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tunscript/tunscript/internal/control"
)

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
	c.Flags().Int64VarP(&count, "count", "n", 0, "end after `N` packets; 0: go on")
	return c
}

// captureTo writes a capture to a file or, without a name and for "-", to stdout.
func captureTo(ctx context.Context, c *control.Client, cmd *cobra.Command, path, filter string, count int64) (err error) {
	w := cmd.OutOrStdout()
	switch {
	case path == "" && isTerminal(w):
		return usage(cmd, errTerminal)
	case path != "" && path != "-":
		f, err := os.Create(path)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		w = f
	}
	end, err := c.Capture(ctx, w, filter, count)
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
		return nil // the reader has had enough
	}
	if end.Lost > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "%d packets are missing: the reader was too slow\n", end.Lost)
	}
	return err
}

// joinArgs is a filter that the shell has split into words.
func joinArgs(args []string) string { return strings.Join(args, " ") }
