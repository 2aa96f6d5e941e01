package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tunscript/tunscript/internal/control"
)

// stats is the verb stats.
func (f *ctlFlags) stats() *cobra.Command {
	return f.verb("stats", "What the run has counted",
		"stats prints what was counted since the run began: packets of devices, verdicts and\n"+
			"their reasons, errors of scripts and handlers, and limits that were hit; of tunnels\n"+
			"peers, and what was lost on the way; with several workers each one's part, too.", takes(0, 0),
		func(ctx context.Context, c *control.Client, cmd *cobra.Command, _ []string) error {
			s, err := c.Stats(ctx)
			if err != nil {
				return err
			}
			if f.json {
				return printJSON(cmd.OutOrStdout(), s)
			}
			printStats(cmd.OutOrStdout(), s)
			return nil
		})
}

// handlers is the verb handlers.
func (f *ctlFlags) handlers() *cobra.Command {
	return f.verb("handlers", "The handlers, in the order of scripts",
		"handlers prints every handler with its place in the script, filter, prio, calls and\n"+
			"errors, and whether it was switched off after too many.", takes(0, 0),
		func(ctx context.Context, c *control.Client, cmd *cobra.Command, _ []string) error {
			s, err := c.Stats(ctx)
			if err != nil {
				return err
			}
			if f.json {
				return printJSON(cmd.OutOrStdout(), s.Handlers)
			}
			printHandlers(cmd.OutOrStdout(), s.Handlers)
			return nil
		})
}

// columns are aligned when flushed.
func columns(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) }

func printStats(w io.Writer, s control.Snapshot) {
	fmt.Fprintf(w, "process %d, up %s\n\n", s.PID, s.Time.Sub(s.Started).Round(time.Second))
	printDevices(w, s.Devices)
	for _, worker := range s.Workers {
		fmt.Fprintf(w, "\nworker %d: %d handed over\n", worker.Worker, worker.Steered)
		printDevices(w, worker.Queues)
	}
	printLinks(w, s.Links)
	fmt.Fprintln(w)
	printCounts(w, "verdicts", s.Verdicts)
	printCounts(w, "reasons", s.Reasons)
	printCounts(w, "errors", s.Errors)
	printCounts(w, "limits hit", s.Limits)
	fl, fa, sh := s.Flows, s.Faults, s.Shared
	printCounts(w, "flows", map[string]uint64{
		"held": fl.Held, "rewritten": fl.Rewritten, "made": fl.Made, "expired": fl.Expired, "evicted": fl.Evicted, "bypassed": fl.Bypassed,
	})
	printCounts(w, "faults", map[string]uint64{
		"held": fa.Held, "delayed": fa.Delayed, "duplicated": fa.Duplicated, "corrupted": fa.Corrupted, "truncated": fa.Truncated,
	})
	printCounts(w, "shared", map[string]uint64{"entries": uint64(sh.Entries), "bytes": uint64(sh.Bytes), "evicted": sh.Evicted, "expired": sh.Expired})
	if len(s.Handlers) > 0 {
		fmt.Fprintln(w)
		printHandlers(w, s.Handlers)
	}
}

func printDevices(w io.Writer, all []control.Device) {
	t := columns(w)
	defer t.Flush()
	fmt.Fprintln(t, "DEVICE\tIN\tBYTES\tOUT\tBYTES\tLOST\t")
	for _, d := range all {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t\n", lines(d.Name), d.Received, d.ReceivedBytes, d.Sent, d.SentBytes, d.Lost)
	}
}

// printLinks says what tunnels have counted, if there are any.
func printLinks(w io.Writer, all []control.Link) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintln(w)
	t := columns(w)
	defer t.Flush()
	fmt.Fprintln(t, "LINK\tPEER\tPEERS\tIN\tOUT\tLOST\tPARTED\t")
	for _, l := range all {
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%s\t%s\t\n", lines(l.Device), cmp.Or(l.Peer, "-"), l.Peers, l.Received, l.Sent,
			cmp.Or(counts(l.Lost), "-"), cmp.Or(counts(l.Parted), "-"))
	}
}

// printCounts is a line of the counts that are not 0, none if all are.
func printCounts(w io.Writer, name string, all map[string]uint64) {
	if s := counts(all); s != "" {
		fmt.Fprintf(w, "%s: %s\n", name, s)
	}
}

// counts are those that are not 0, in the order of their names.
func counts(all map[string]uint64) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(all)) {
		if all[k] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", lines(k), all[k]))
		}
	}
	return strings.Join(parts, ", ")
}

func printHandlers(w io.Writer, all []control.Handler) {
	t := columns(w)
	defer t.Flush()
	fmt.Fprintln(t, "SCRIPT\tHANDLER\tPLACE\tFILTER\tPRIO\tCALLS\tERRORS\t")
	for _, h := range all {
		filter := h.Filter
		if h.Device != "" {
			filter = strings.TrimSpace("[" + h.Device + "] " + filter)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%d\t%d\t%s\n", lines(h.Script), lines(h.Name), lines(h.Place), lines(filter), h.Prio, h.Calls, h.Errors, offMark(h))
	}
}

func offMark(h control.Handler) string {
	if h.Off {
		return "disabled"
	}
	return ""
}
