package main

import (
	"errors"
	"math"

	"github.com/spf13/cobra"

	"github.com/tunscript/tunscript/tundev"
)

func devDelCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "del NAME...",
		Short: "Remove devices that stay",
		Long:  "del removes persistent devices that no program has open.",
		Args:  takes(1, math.MaxInt),
		RunE: func(c *cobra.Command, names []string) error {
			var errs []error
			for _, name := range names {
				if err := tundev.Delete(name); err != nil {
					errs = append(errs, err)
				}
			}
			if len(errs) > 0 {
				return runError{errors.Join(errs...)}
			}
			return nil
		},
	}
}
