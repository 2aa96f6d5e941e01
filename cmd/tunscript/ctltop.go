package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tunscript/tunscript/internal/control"
)

// topEvery is how often top looks.
const topEvery = time.Second

// top is the verb top.
func (f *ctlFlags) top() *cobra.Command {
	var count int
	c := f.verb("top", "Packets per second, and what handlers cost",
		"top shows every second what has happened in that second, until it is interrupted:\n"+
			"packets of devices, verdicts, errors, and for each handler its calls and what one\n"+
			"takes, by a sample that is taken only while somebody looks. On a terminal it stays\n"+
			"in place; in a pipe each second is printed below the one before.", takes(0, 0),
		func(ctx context.Context, c *control.Client, cmd *cobra.Command, _ []string) error {
			return f.watch(ctx, c, cmd.OutOrStdout(), count)
		})
	c.Flags().IntVarP(&count, "count", "n", 0, "end after `N`; 0: go on")
	return c
}

func (f *ctlFlags) watch(ctx context.Context, c *control.Client, w io.Writer, count int) error {
	if count > 0 {
		count++ // a second has a beginning, too
	}
	screen := isTerminal(w) && !f.json
	if screen {
		fmt.Fprint(w, "\033[?1049h") // the other screen, so that this one is there afterwards
		defer fmt.Fprint(w, "\033[?1049l")
	}
	var before *control.Snapshot
	return c.Top(ctx, topEvery, count, func(now control.Snapshot) error {
		defer func() { before = &now }()
		if before == nil {
			if screen {
				fmt.Fprint(w, "\033[H\033[2J")
			}
			return nil
		}
		if f.json {
			return printJSON(w, now)
		}
		var b bytes.Buffer
		printTop(&b, *before, now)
		if screen {
			_, err := io.WriteString(w, redraw(b.String(), w))
			return err
		}
		fmt.Fprintln(&b)
		_, err := w.Write(b.Bytes())
		return err
	})
}

// redraw is text in the place of what was drawn before, cut to the terminal's size.
func redraw(text string, w io.Writer) string {
	rows, cols := 24, 80
	if f, ok := w.(*os.File); ok {
		if r, c := windowSize(f); r > 0 && c > 0 {
			rows, cols = r, c
		}
	}
	all := strings.Split(strings.TrimRight(text, "\n"), "\n")
	all = all[:min(len(all), rows)]
	var b strings.Builder
	b.WriteString("\033[H")
	for i, l := range all {
		if i > 0 {
			b.WriteString("\r\n")
		}
		r := []rune(l)
		b.WriteString(string(r[:min(len(r), cols)]) + "\033[K")
	}
	b.WriteString("\033[J")
	return b.String()
}

// printTop is what has happened between two looks.
func printTop(w io.Writer, was, now control.Snapshot) {
	seconds := max(now.Time.Sub(was.Time).Seconds(), 0.001)
	rate := func(a, b uint64) string { return perSecond(float64(b-min(a, b)) / seconds) }
	fmt.Fprintf(w, "tunscript, process %d, up %s\n\n", now.PID, now.Time.Sub(now.Started).Round(time.Second))
	t := columns(w)
	fmt.Fprintln(t, "DEVICE\tIN/S\tBYTES/S\tOUT/S\tBYTES/S\tLOST/S\t")
	for _, d := range now.Devices {
		var o control.Device
		if i := slices.IndexFunc(was.Devices, func(o control.Device) bool { return o.Name == d.Name }); i >= 0 {
			o = was.Devices[i]
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t\n", lines(d.Name), rate(o.Received, d.Received), rate(o.ReceivedBytes, d.ReceivedBytes),
			rate(o.Sent, d.Sent), rate(o.SentBytes, d.SentBytes), rate(o.Lost, d.Lost))
	}
	t.Flush()
	topLinks(w, was.Links, now.Links, rate)
	fmt.Fprintln(w)
	printCounts(w, "verdicts", since(was.Verdicts, now.Verdicts))
	printCounts(w, "reasons", since(was.Reasons, now.Reasons))
	printCounts(w, "errors", since(was.Errors, now.Errors))
	printCounts(w, "limits hit", since(was.Limits, now.Limits))
	if len(now.Handlers) == 0 {
		return
	}
	fmt.Fprintln(w)
	t = columns(w)
	fmt.Fprintln(t, "SCRIPT\tHANDLER\tCALLS/S\tNS\tERRORS\t")
	for i, h := range now.Handlers {
		var o control.Handler
		if len(was.Handlers) == len(now.Handlers) && was.Handlers[i].Name == h.Name && was.Handlers[i].Calls <= h.Calls {
			o = was.Handlers[i] // else scripts were exchanged meanwhile
		}
		ns := "-"
		if n := h.Timed - o.Timed; n > 0 && h.Timed >= o.Timed {
			ns = fmt.Sprint((h.Took - o.Took) / n)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%s\n", lines(h.Script), lines(h.Name), rate(o.Calls, h.Calls), ns, h.Errors, offMark(h))
	}
	t.Flush()
}

// topLinks says what has happened to tunnels, if there are any.
func topLinks(w io.Writer, was, now []control.Link, rate func(a, b uint64) string) {
	if len(now) == 0 {
		return
	}
	fmt.Fprintln(w)
	t := columns(w)
	defer t.Flush()
	fmt.Fprintln(t, "LINK\tPEER\tPEERS\tIN/S\tOUT/S\tLOST\tPARTED\t")
	for _, l := range now {
		var o control.Link
		if i := slices.IndexFunc(was, func(o control.Link) bool { return o.Device == l.Device }); i >= 0 {
			o = was[i]
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\t%s\t%s\t\n", lines(l.Device), cmp.Or(l.Peer, "-"), l.Peers, rate(o.Received, l.Received),
			rate(o.Sent, l.Sent), cmp.Or(counts(since(o.Lost, l.Lost)), "-"), cmp.Or(counts(since(o.Parted, l.Parted)), "-"))
	}
}

// since is what was counted in between.
func since(was, now map[string]uint64) map[string]uint64 {
	d := map[string]uint64{}
	for k, n := range now {
		d[k] = n - min(was[k], n)
	}
	return d
}

// perSecond is a rate with as many digits as mean something.
func perSecond(r float64) string {
	switch {
	case r >= 10e6:
		return fmt.Sprintf("%.1fM", r/1e6)
	case r >= 10e3:
		return fmt.Sprintf("%.1fk", r/1e3)
	case r >= 10 || r == float64(int(r)):
		return fmt.Sprintf("%.0f", r)
	}
	return fmt.Sprintf("%.1f", r)
}
