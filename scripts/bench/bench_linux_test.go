package main

import (
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tunscript/tunscript/internal/lab/labtest"
)

func TestMain(m *testing.M) { labtest.Main(m) }

// The whole, as a user runs it, with measurements too short to mean anything: every
// program that this machine has what it takes for gets a figure, and what is left out
// says what to install.
func TestEveryProgramHasAFigure(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	labtest.Require(t)
	var cpus unix.CPUSet
	if err := unix.SchedGetaffinity(0, &cpus); err != nil || cpus.Count() < 2 {
		t.Skip("the load wants a processor beside the program's: run it with two")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "scripts/bench/run", "--time", "50ms", "--rounds", "1", "--json")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		said := ""
		if e, ok := errors.AsType[*exec.ExitError](err); ok {
			said = string(e.Stderr)
		}
		t.Fatalf("%v: %s\n%s", err, said, out)
	}
	var r report
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	for _, p := range programs("") {
		i := slices.IndexFunc(r.Figures, func(f figure) bool { return f.Case == p.group && f.Program == p.name })
		j := slices.IndexFunc(r.LeftOut, func(n note) bool { return n.Program == p.id() })
		switch {
		case i >= 0 && r.Figures[i].Median <= 0:
			t.Errorf("%s: %+v", p.id(), r.Figures[i])
		case i < 0 && j < 0:
			t.Errorf("%s has neither a figure nor a reason", p.id())
		case j >= 0 && r.LeftOut[j].Why == "":
			t.Errorf("%s is left out without a reason", p.id())
		case j >= 0:
			t.Logf("%s is left out: %s", p.id(), r.LeftOut[j].Why)
		}
		if i >= 0 && (p.group == echo || p.group == forward) && r.Figures[i].CPU <= 0 {
			t.Errorf("%s has used no CPU time", p.id())
		}
	}
	if r.Machine == "" {
		t.Error("which machine is not said")
	}
}

// --only takes the C program of a case along: without it there is no ratio.
func TestOnlyKeepsTheC(t *testing.T) {
	tests := []struct {
		only string
		want []string
	}{
		{"ping", []string{"ping/c", "ping/tunscript"}},
		{"echo/scapy", []string{"echo/c", "echo/scapy"}},
		{"ttl", []string{"forward/c", "forward/ttl"}},
	}
	for _, tt := range tests {
		var got []string
		for _, p := range programs("") {
			if (options{only: []string{tt.only}}).wants(p) {
				got = append(got, p.id())
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("--only %s: %v, want %v", tt.only, got, tt.want)
		}
	}
}

func TestRatiosAreToTheCOfTheCase(t *testing.T) {
	rows := []*row{
		{program: program{group: echo, name: "c", baseline: true}, samples: []sample{{value: 100, cpu: 2}, {value: 300, cpu: 2}, {value: 200, cpu: 2}}},
		{program: program{group: echo, name: "x"}, samples: []sample{{value: 100, cpu: 3}}},
		{program: program{group: forward, name: "c", baseline: true}, samples: []sample{{value: 8e9, cpu: 1}}},
		{program: program{group: forward, name: "c-plain", plain: true}, samples: []sample{{value: 1e9, cpu: 1}}},
		{program: program{group: forward, name: "y"}, samples: []sample{{value: 4e9, cpu: 1}}},
	}
	r := newReport(options{})
	r.conclude(rows)
	x, y := r.Figures[1], r.Figures[4]
	if r.Figures[0].Median != 200 || x.Ratio != 0.5 || x.CPURatio != 1.5 || y.Ratio != 0.5 || y.Plain != 4 {
		t.Errorf("%+v", r.Figures)
	}
}
