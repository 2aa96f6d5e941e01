package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tunscript/tunscript/tundev"
	"github.com/tunscript/tunscript/tundev/host"
)

func devListCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the TUN and TAP devices",
		Args:  takes(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			list, err := devices()
			if err != nil {
				return runError{err}
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), list)
			}
			if len(list) == 0 {
				fmt.Fprintln(c.ErrOrStderr(), "there is no TUN or TAP device; to make one: sudo tunscript dev add tun0 --user $USER")
				return nil
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			defer w.Flush()
			fmt.Fprintln(w, "NAME\tKIND\tOWNER\tSTATE\tMTU\tHELD BY\tADDRESSES")
			for _, d := range list {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n", d.Name, d.Kind, orDash(d.ownerText()), d.State, d.MTU,
					orDash(d.heldText()), orDash(strings.Join(d.Addresses, ", ")))
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "for programs")
	return c
}

// devices describes the TUN and TAP devices of this network namespace.
func devices() ([]device, error) {
	h, err := host.Open()
	if err != nil {
		return nil, err
	}
	defer h.Close()
	links, err := h.Links()
	if err != nil {
		return nil, err
	}
	list := []device{} // in JSON [], not null
	for _, l := range links {
		if l.Kind != string(tundev.TUN) && l.Kind != string(tundev.TAP) {
			continue
		}
		d, err := describe(l)
		if err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, nil
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
