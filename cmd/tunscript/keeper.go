package main

import (
	"github.com/spf13/cobra"

	"github.com/tunscript/tunscript/internal/keeper"
)

// keeperCommand is for run, which starts it: see package keeper.
func keeperCommand() *cobra.Command {
	return &cobra.Command{
		Use:    keeper.Verb,
		Short:  "Keeps the rights of a run (run starts it)",
		Hidden: true,
		Args:   takes(0, 0),
		RunE: func(c *cobra.Command, args []string) error {
			if err := keeper.Serve(); err != nil {
				return runError{err}
			}
			return nil
		},
	}
}
