package main

import (
	"encoding/json"
	"io"

	"github.com/spf13/cobra"
)

func devCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "dev",
		Short: "Make, remove and look at TUN and TAP devices that stay",
		Long: "dev makes persistent devices, which stay when no program has them open, and which\n" +
			"their owner opens without any privilege. `ip tuntap` makes and sees the same ones.",
	}
	c.AddCommand(devAddCommand(), devDelCommand(), devListCommand(), devShowCommand())
	return onlyVerbs(c)
}

// writeJSON prints v for programs.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
