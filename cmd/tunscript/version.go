package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			version, revision := "unknown", ""
			if info, ok := debug.ReadBuildInfo(); ok {
				version = info.Main.Version
				for _, s := range info.Settings {
					if s.Key == "vcs.revision" && len(s.Value) >= 12 {
						revision = " " + s.Value[:12]
					}
				}
				fmt.Fprintf(c.OutOrStdout(), "tunscript %s%s %s\n", version, revision, info.GoVersion)
				return nil
			}
			fmt.Fprintf(c.OutOrStdout(), "tunscript %s\n", version)
			return nil
		},
	}
}
