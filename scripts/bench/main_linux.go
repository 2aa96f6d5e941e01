// Command bench compares tunscript with programs that do the same: it makes every
// figure of the README.
//
//	scripts/bench/run              everything, two minutes on a machine with nothing else to do
//	scripts/bench/run --only ping  one case
//
// It builds the command and its peers (package folder peers: the least that a reflector
// and a forwarder can do in C, and what one writes in LuaJIT, Go and Python), enters a
// lab of its own, and puts each in turn before the same load:
//
//	echo      UDP, 64 bytes of payload, one flow, 256 datagrams in flight: answers per second
//	ping      one every 0.1 s: the round trip
//	start     from the start of the process to the first answer
//	forward   iperf3 over TCP between two namespaces, a TUN device in each
//
// Reflectors have a processor for themselves, the load another; a forwarder and both
// ends of iperf3 share the machine as they like. Measurements are interleaved: every
// round asks everybody once, so that a machine that gets slower gets slower for all. The
// table has medians and their ratios to the C program of the case. Nothing is left
// behind, however it ends: processes, devices and namespaces end with the lab
// (package internal/lab).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/tunscript/tunscript/internal/lab"
)

// buildDir tells the process in the lab where its parent has put the programs: building
// wants a network for modules, and a lab has none.
const buildDir = "TUNSCRIPT_BENCH_DIR"

type options struct {
	time   time.Duration // of one measurement
	rounds int
	only   []string
	json   bool
}

func main() {
	var o options
	var only string
	flag.DurationVar(&o.time, "time", 2*time.Second, "of one measurement")
	flag.IntVar(&o.rounds, "rounds", 3, "measurements of each; the median is told")
	flag.StringVar(&only, "only", "", "cases or programs whose `NAMES` contain this, with commas: ping, echo/tunscript; the C program is always there")
	flag.BoolVar(&o.json, "json", false, "print JSON")
	flag.Parse()
	if flag.NArg() > 0 || o.time <= 0 || o.rounds <= 0 {
		fmt.Fprintln(os.Stderr, "bench: takes flags only, and positive ones: see --help")
		os.Exit(2)
	}
	if only != "" {
		o.only = strings.Split(only, ",")
	}
	status, err := run(o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
	os.Exit(status)
}

// run is the whole, outside the lab and inside: it returns the exit status.
func run(o options) (status int, err error) {
	if lab.Inside() {
		status, inside, err := lab.Enter(lab.Options{})
		if err != nil || !inside { // the parent says why
			return status, err
		}
		return inLab(o)
	}
	dir, err := os.MkdirTemp("", "tunscript-bench-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err = build(ctx, dir)
	stop() // from here on signals are the lab's
	if err != nil {
		return 1, err
	}
	os.Setenv(buildDir, dir)
	if status, _, err = lab.Enter(lab.Options{}); err != nil {
		return 1, err
	}
	return status, nil
}

func inLab(o options) (int, error) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	w, err := newWorld(os.Getenv(buildDir))
	if err != nil {
		return 1, err
	}
	defer w.close()
	var progress io.Writer = io.Discard
	if st, err := os.Stderr.Stat(); err == nil && st.Mode()&os.ModeCharDevice != 0 {
		progress = os.Stderr
	}
	r, err := measure(ctx, w, o, progress)
	if err != nil {
		return 1, err
	}
	if o.json {
		err = r.writeJSON(os.Stdout)
	} else {
		err = r.write(os.Stdout)
	}
	if err == nil && len(r.Failed) > 0 {
		err = errors.New("what failed stands below the table")
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}

// measure asks everybody once a round.
func measure(ctx context.Context, w *world, o options, progress io.Writer) (*report, error) {
	r := newReport(o)
	var rows []*row
	for _, p := range programs(w.dir) {
		if !o.wants(p) {
			continue
		}
		if why := p.missing(); why != "" {
			r.LeftOut = append(r.LeftOut, note{p.id(), why})
			continue
		}
		rows = append(rows, &row{program: p})
	}
	for round := range o.rounds {
		for _, row := range rows {
			if row.failed != nil {
				continue
			}
			fmt.Fprintf(progress, "\r\033[Kround %d: %s", round+1, row.id())
			s, err := w.measure(ctx, row.program, o.time)
			if ctx.Err() != nil {
				fmt.Fprintln(progress)
				return nil, errors.New("interrupted")
			}
			if err != nil {
				row.failed = err
				r.Failed = append(r.Failed, note{row.id(), err.Error()})
				continue
			}
			row.samples = append(row.samples, s)
		}
	}
	fmt.Fprint(progress, "\r\033[K")
	r.conclude(rows)
	return r, nil
}

// wants says whether a program is to be measured; the C program of a case with another
// one that is, is, too.
func (o options) wants(p program) bool {
	if len(o.only) == 0 {
		return true
	}
	for _, name := range o.only {
		if strings.Contains(p.id(), name) {
			return true
		}
		group, _, slash := strings.Cut(name, "/")
		if p.baseline && (slash && p.group == group || !slash && anyNamed(p.group, name)) {
			return true
		}
	}
	return false
}

func anyNamed(group, name string) bool {
	for _, p := range programs("") {
		if p.group == group && strings.Contains(p.id(), name) {
			return true
		}
	}
	return false
}

// folder is where this program's source is: the module's folder is where it runs.
var folder = filepath.Join("scripts", "bench")
