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

// cutSet splits KEY=VALUE.
func cutSet(s string) (key, value string, ok bool) {
	key, value, ok = strings.Cut(s, "=")
	return key, value, ok && key != ""
}
