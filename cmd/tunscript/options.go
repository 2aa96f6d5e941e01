package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/tunscript/tunscript/luabind"
)

// showOptions is what the scripts may be told with --set, a line each.
func showOptions(w io.Writer, options []luabind.Option) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, o := range options {
		usual := "must be set"
		if o.Default != nil {
			usual = fmt.Sprint("default ", o.Default)
		}
		fmt.Fprintf(t, "%s.%s\t%s\t%s\t%s\n", lines(o.Script), lines(o.Name), lines(o.Range()), lines(usual), lines(o.Help))
	}
	t.Flush()
}
