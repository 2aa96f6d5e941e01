package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tunscript/tunscript/internal/bench"
	"github.com/tunscript/tunscript/internal/setup"
)

func benchCommand() *cobra.Command {
	var f commonFlags
	var pcap string
	var asJSON bool
	var opt bench.Options
	c := &cobra.Command{
		Use:   "bench [flags] SCRIPT...",
		Short: "Measure what a script costs a packet",
		Long: "bench sends packets through a script in memory, as fast as they go, and says what a\n" +
			"packet costs and where: reading, filters, Lua, finishing checksums, writing. Beside the\n" +
			"script stand no handler at all, its filters alone, and an empty handler. The packets\n" +
			"are a mix of IPv4 and IPv6, UDP, TCP and ICMP, or those of a capture. It needs no\n" +
			"privilege; what the kernel takes on a real device is not in it.",
		Example: "  tunscript bench ping.lua\n  tunscript bench --pcap in.pcap --json gate.lua",
		RunE: func(c *cobra.Command, scripts []string) error {
			if len(scripts) == 0 {
				return usage(c, errors.New("nothing to measure: name a script"))
			}
			cfg, err := f.load(c, scripts)
			if err != nil {
				return err
			}
			so, err := f.options(slog.New(slog.DiscardHandler)) // a line a packet would be what is measured
			if err != nil {
				return err
			}
			opt.Config = setup.Engine(cfg, so)
			if opt.Config.Programs, err = setup.Scripts(cfg, so); err != nil {
				return err
			}
			if pcap != "" {
				if opt.Packets, err = bench.FromFile(pcap); err != nil {
					return runError{err}
				}
			}
			ctx, stop := signal.NotifyContext(c.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			context.AfterFunc(ctx, stop)
			promptly(1)
			shown := c.ErrOrStderr()
			if isTerminal(shown) {
				opt.Tell = func(variant string, round int) { fmt.Fprintf(shown, "\r\033[Kround %d: %s", round, variant) }
			}
			r, err := bench.Run(ctx, opt)
			if isTerminal(shown) {
				fmt.Fprint(shown, "\r\033[K")
			}
			if ctx.Err() != nil {
				return interrupted
			}
			if err != nil {
				return err
			}
			if asJSON {
				e := json.NewEncoder(c.OutOrStdout())
				e.SetIndent("", "  ")
				return e.Encode(r)
			}
			return showBench(c.OutOrStdout(), r, strings.Join(scripts, ", "))
		},
	}
	f.registerScripts(c)
	c.Flags().StringVar(&pcap, "pcap", "", "the packets of this capture `FILE`")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().DurationVar(&opt.Round, "time", 300*time.Millisecond, "`LENGTH` of one measurement")
	c.Flags().IntVar(&opt.Rounds, "rounds", 3, "`N` measurements of each; the median is told")
	return c
}

// showBench prints the report for a person.
func showBench(w io.Writer, r *bench.Report, scripts string) error {
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "\tpackets/s\tns/packet\tallocations\tbytes\t\n")
	for _, c := range r.Variants {
		name := c.Variant
		if name == bench.Script {
			name = scripts
		}
		fmt.Fprintf(t, "%s\t%s\t%.0f\t%.2f\t%.0f\t\n", name, thousands(c.Rate), c.Total, c.Allocs, c.Bytes)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	s := r.Variants[len(r.Variants)-1]
	fmt.Fprintf(w, "\na packet of %s: read %.0f ns, engine %.0f, filters %.0f, Lua %.0f, fix-up %.0f, write %.0f\n",
		scripts, s.Read, s.Decide-r.Filter-r.Lua, r.Filter, r.Lua, s.Fixup, s.Write)
	var verdicts []string
	var sum uint64
	for _, n := range r.Verdicts {
		sum += n
	}
	for name, n := range r.Verdicts {
		if n > 0 {
			verdicts = append(verdicts, fmt.Sprintf("%s %.0f%%", name, 100*float64(n)/float64(sum)))
		}
	}
	slices.Sort(verdicts)
	fmt.Fprintf(w, "verdicts: %s\n%s\n", strings.Join(verdicts, ", "), r.Machine)
	if r.Errors > 0 {
		return runError{fmt.Errorf("the script failed %d times: what was measured is mostly that; see it with tunscript replay", r.Errors)}
	}
	return nil
}

// thousands writes a rate so that it can be read.
func thousands(f float64) string {
	switch {
	case f >= 1e6:
		return fmt.Sprintf("%.2f M", f/1e6)
	case f >= 1e3:
		return fmt.Sprintf("%.0f k", f/1e3)
	}
	return fmt.Sprintf("%.0f", f)
}
