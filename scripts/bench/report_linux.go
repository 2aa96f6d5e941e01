package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"

	"golang.org/x/sys/unix"
)

// A report is what is printed.
type report struct {
	Machine string   `json:"machine"`
	Time    string   `json:"time_of_one_measurement"`
	Rounds  int      `json:"rounds"`
	Busy    float64  `json:"taken_by_others"` // share of the load's processor, at worst
	Figures []figure `json:"figures"`
	LeftOut []note   `json:"left_out"`
	Failed  []note   `json:"failed"`
}

// A figure is the median of a program's measurements.
type figure struct {
	Case     string    `json:"case"`
	Program  string    `json:"program"`
	About    string    `json:"about"`
	Unit     string    `json:"unit"`
	Median   float64   `json:"median"`
	Of       []float64 `json:"measured"`
	Ratio    float64   `json:"ratio_to_c,omitempty"`
	Plain    float64   `json:"ratio_to_c_plain,omitempty"` // forward: to C without the vnet header
	CPU      float64   `json:"cpu_ns,omitempty"`           // user and system of the program, for a packet or a KiB
	CPURatio float64   `json:"cpu_ratio_to_c,omitempty"`
	User     float64   `json:"user_share,omitempty"`
	RSS      int64     `json:"resident_bytes,omitempty"`
}

// quiet is what others may take of a processor before ratios go wrong.
const quiet = 0.03

type note struct {
	Program string `json:"program"`
	Why     string `json:"why"`
}

type row struct {
	program
	samples []sample
	failed  error
}

// units are what samples are told in: name, factor, decimals, and the same of the CPU time.
var units = map[string]struct {
	name     string
	factor   float64
	decimals int
	cpu      string
	cpuScale float64
	title    string
}{
	echo:    {"packets/s", 1, 0, "CPU ns/packet", 1e9, "UDP echo: 64 bytes, 256 in flight, one flow, one processor each for program and load"},
	ping:    {"us", 1e6, 0, "", 0, "Ping: median round trip, every 0.1 s"},
	start:   {"ms", 1e3, 1, "", 0, "Start: until the first answer"},
	forward: {"Gbit/s", 1e-9, 2, "CPU ns/KiB", 1e9 * 1024, "TCP forwarding: iperf3 between two namespaces, processors shared"},
}

func newReport(o options) *report {
	return &report{Machine: machine(), Time: o.time.String(), Rounds: o.rounds, LeftOut: []note{}, Failed: []note{}}
}

// conclude makes figures of what was measured.
func (r *report) conclude(rows []*row) {
	base, plain := map[string]figure{}, figure{}
	for _, row := range rows {
		if row.failed != nil || len(row.samples) == 0 {
			continue
		}
		for _, s := range row.samples {
			r.Busy = max(r.Busy, s.disturbed)
		}
		f := row.figure()
		r.Figures = append(r.Figures, f)
		if row.baseline {
			base[row.group] = f
		}
		if row.plain {
			plain = f
		}
	}
	for i := range r.Figures {
		f := &r.Figures[i]
		if b, ok := base[f.Case]; ok {
			f.Ratio = f.Median / b.Median
			if b.CPU > 0 {
				f.CPURatio = f.CPU / b.CPU
			}
		}
		if f.Case == forward && plain.Median > 0 {
			f.Plain = f.Median / plain.Median
		}
	}
}

func (r *row) figure() figure {
	u := units[r.group]
	f := figure{Case: r.group, Program: r.name, About: r.about, Unit: u.name}
	var cpu, user []float64
	for _, s := range r.samples {
		f.Of = append(f.Of, s.value*u.factor)
		cpu, user = append(cpu, s.cpu*u.cpuScale), append(user, s.user)
		f.RSS = max(f.RSS, s.rss)
	}
	f.Median, f.CPU, f.User = median(f.Of), median(cpu), median(user)
	return f
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

func (r *report) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// write prints tables for a person, which Markdown shows as such.
func (r *report) write(w io.Writer) error {
	for _, group := range []string{echo, ping, start, forward} {
		u := units[group]
		var lines []string
		for _, f := range r.Figures {
			if f.Case == group {
				lines = append(lines, f.line(u.decimals))
			}
		}
		if len(lines) == 0 {
			continue
		}
		head, rule := "|\t"+u.name+"\tof C\t", "|---\t---:\t---:\t"
		switch {
		case group == forward:
			head, rule = head+"of C without\t"+u.cpu+"\tof C\tMiB\t", rule+"---:\t---:\t---:\t---:\t"
		case group == echo:
			head, rule = head+u.cpu+"\tof C\tof it user\tMiB\t", rule+"---:\t---:\t---:\t---:\t"
		default:
			head, rule = head+"MiB\t", rule+"---:\t"
		}
		fmt.Fprintf(w, "%s\n\n", u.title)
		t := tabwriter.NewWriter(w, 0, 0, 1, ' ', tabwriter.Debug)
		fmt.Fprintln(t, head)
		fmt.Fprintln(t, rule)
		for _, l := range lines {
			fmt.Fprintln(t, l)
		}
		if err := t.Flush(); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "Medians of %d of %s. %s\n", r.Rounds, r.Time, r.Machine)
	if r.Busy > quiet {
		fmt.Fprintf(w, "NOT A QUIET MACHINE: others took up to %.0f%% of a processor; these figures are good for nothing.\n", 100*r.Busy)
	}
	for _, n := range r.LeftOut {
		fmt.Fprintf(w, "left out: %s: %s\n", n.Program, n.Why)
	}
	for _, n := range r.Failed {
		fmt.Fprintf(w, "failed: %s: %s\n", n.Program, n.Why)
	}
	return nil
}

func (f figure) line(decimals int) string {
	ratio := func(v float64) string {
		if v == 0 {
			return ""
		}
		return fmt.Sprintf("%.2f", v)
	}
	mib := ""
	if f.RSS > 0 {
		mib = fmt.Sprintf("%.0f", float64(f.RSS)/(1<<20))
	}
	s := fmt.Sprintf("| %s\t%.*f\t%s\t", f.About, decimals, f.Median, ratio(f.Ratio))
	switch f.Case {
	case echo:
		s += fmt.Sprintf("%.0f\t%s\t%.0f%%\t%s\t", f.CPU, ratio(f.CPURatio), 100*f.User, mib)
	case forward:
		s += fmt.Sprintf("%s\t%.0f\t%s\t%s\t", ratio(f.Plain), f.CPU, ratio(f.CPURatio), mib)
	default:
		s += mib + "\t"
	}
	return s
}

// machine is one line: a figure without it says nothing.
func machine() string {
	cpu := runtime.GOARCH
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				cpu = strings.TrimSpace(value)
				break
			}
		}
	}
	var u unix.Utsname
	kernel := "?"
	if unix.Uname(&u) == nil {
		kernel = unix.ByteSliceToString(u.Release[:])
	}
	return fmt.Sprintf("%s, %d processors, Linux %s, %s", cpu, runtime.NumCPU(), kernel, runtime.Version())
}
