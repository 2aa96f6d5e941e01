package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/internal/record"
)

// runCompare runs a recording again, with its devices, seed and clock.
func (f *replayFlags) runCompare(c *cobra.Command, scripts []string) error {
	switch {
	case len(scripts) == 0:
		return usage(c, fmt.Errorf("nothing to compare %s with: name the script", f.compare))
	case f.compare == "-":
		return usage(c, errors.New("a recording is read more than once: it must be a file"))
	case f.output != "":
		return usage(c, errors.New("-o is for a capture: what a comparison sends is in the recording, use --pcap for the rest"))
	}
	ec, _, err := f.engine(c, scripts)
	if err != nil {
		return err
	}
	run, err := record.Open(f.compare)
	if err != nil {
		return runError{err}
	}
	if ec.Devices, err = run.Devices(f.maxGap); err != nil {
		return runError{err}
	}
	ec.Seed, ec.Clock = run.Seed(), run.Clock().Paced(f.speed)
	ec.Programs = append(ec.Programs, engine.ProgramConfig{Program: run.Program()})
	ctx, stop := context.WithCancel(c.Context())
	defer stop()
	compare, err := run.Compare(stop)
	if err != nil {
		return runError{err}
	}
	defer compare.Close()
	f.also = append(f.also, compare)
	c.SetContext(ctx)
	if err := f.play(c, ec); err != nil {
		return err
	}
	if err := compare.Err(); err != nil {
		return runError{fmt.Errorf("%s: %w", f.compare, err)}
	}
	fmt.Fprintf(c.OutOrStdout(), "the same: %s sent\n", count(compare.Same(), "packet"))
	return nil
}
