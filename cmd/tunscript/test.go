package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tunscript/tunscript/internal/setup"
	"github.com/tunscript/tunscript/internal/testrun"
)

// testFlags say which tests are run and how it is told.
type testFlags struct {
	run     string
	verbose bool
	junit   string
	tap     bool
	timeout time.Duration
	seed    int64
	trusted bool
	sets    []string
}

func testCommand() *cobra.Command {
	var f testFlags
	c := &cobra.Command{
		Use:   "test [flags] [PATH...]",
		Short: "Run tests of scripts, in no time",
		Long: "test runs files that end in _test.lua, in the folders and files named or here. A test\n" +
			"is the host on the other side of the script's devices, in memory and on a clock that\n" +
			"moves only when there is nothing left to do: an hour takes a millisecond, and every\n" +
			"run is the same. It needs no privilege.",
		Example: "  tunscript test\n" +
			"  tunscript test -v --run 'SYN' retransmit_test.lua\n" +
			"  tunscript test --junit report.xml scripts/",
		RunE: func(c *cobra.Command, paths []string) error { return f.test(c, paths) },
	}
	c.Flags().StringVarP(&f.run, "run", "r", "", "run the tests whose name matches `PATTERN`, a regular expression")
	c.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "name every test, with what its scripts say")
	c.Flags().StringVar(&f.junit, "junit", "", "write a report to `FILE`, as JUnit's XML")
	c.Flags().BoolVar(&f.tap, "tap", false, "print TAP (Test Anything Protocol) instead")
	c.Flags().DurationVar(&f.timeout, "timeout", 10*time.Second, "longest real `TIME` for one test")
	c.Flags().Int64Var(&f.seed, "seed", 1, "`N` decides all chance")
	c.Flags().BoolVar(&f.trusted, "trusted", false, "open io, os, debug and load to the scripts")
	c.Flags().StringArrayVar(&f.sets, "set", nil, "give a script's option a value, as in `loss=0.2` or gate.loss=0.2")
	return c
}

func (f *testFlags) test(c *cobra.Command, paths []string) error {
	opt := testrun.Options{Seed: uint64(f.seed), Trusted: f.trusted, Timeout: f.timeout}
	if f.seed <= 0 {
		return usage(c, errors.New("--seed must be more than 0"))
	}
	if f.run != "" {
		var err error
		if opt.Run, err = regexp.Compile(f.run); err != nil {
			return usage(c, fmt.Errorf("--run: %w", err))
		}
	}
	settings, err := setup.ParseSettings(f.sets)
	if err != nil {
		return usage(c, err)
	}
	opt.Option = settings.Option
	files, err := testrun.Find(paths)
	if err != nil {
		return usage(c, err)
	}
	t := &teller{out: c.OutOrStdout(), err: c.ErrOrStderr(), verbose: f.verbose && !f.tap, silent: f.tap}
	opt.Began, opt.Done = t.began, t.done
	start := time.Now()
	results, err := testrun.Run(files, opt)
	t.clear()
	if err == nil {
		err = settings.Check()
	}
	if err != nil {
		return err
	}
	if len(results) == 0 && opt.Run != nil {
		return usage(c, fmt.Errorf("no test matches --run %q", f.run))
	}
	if len(results) == 0 {
		return usage(c, noTests(files))
	}
	if f.tap {
		err = testrun.TAP(t.out, results)
	}
	if f.junit != "" {
		err = errors.Join(err, writeJUnit(f.junit, results))
	}
	if err != nil {
		return runError{err}
	}
	failed := testrun.Failed(results)
	if !f.tap {
		line := "ok: " + count(len(results), "test")
		if failed > 0 {
			line = fmt.Sprintf("FAIL: %d of %s", failed, count(len(results), "test"))
		}
		fmt.Fprintf(t.out, "%s in %v\n", line, time.Since(start).Round(time.Millisecond))
	}
	if failed > 0 {
		return statusError(exitFailed)
	}
	return nil
}

// noTests is what to say of files that say test of nothing: they may be the scripts.
func noTests(files []string) error {
	for _, f := range files {
		beside := strings.TrimSuffix(f, ".lua") + "_test.lua"
		if _, err := os.Stat(beside); err == nil {
			return fmt.Errorf("there is no test in %s; did you mean %q?", f, beside)
		}
	}
	return fmt.Errorf("there is no test in %s: write one as test(\"name\", function(t) ... end)", strings.Join(files, ", "))
}

func writeJUnit(path string, results []testrun.Result) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(testrun.JUnit(f, results), f.Close())
}

// A teller tells of tests while they run: on a terminal the one that runs, failures as
// they happen.
type teller struct {
	out, err io.Writer
	verbose  bool
	silent   bool
	ran      int
	shown    bool // a line stands on the terminal
}

func (t *teller) began(file, name string) {
	if t.ran++; !t.silent && !t.verbose && isTerminal(t.err) {
		fmt.Fprintf(t.err, "\r\033[K%d: %s: %s", t.ran, file, lines(name))
		t.shown = true
	}
}

func (t *teller) clear() {
	if t.shown {
		fmt.Fprint(t.err, "\r\033[K")
		t.shown = false
	}
}

func (t *teller) done(r testrun.Result) {
	if t.silent || r.Err == nil && !t.verbose {
		return
	}
	t.clear()
	state := "ok  "
	if r.Err != nil {
		state = "FAIL"
	}
	fmt.Fprintf(t.out, "%s %s:%d: %s (%v, of its own time %v)\n", state, r.File, r.Line, lines(r.Name), r.Took.Round(time.Microsecond*100), r.Virtual)
	for _, l := range r.Log {
		fmt.Fprintf(t.out, "     | %s\n", lines(l))
	}
	if r.Err != nil {
		text := r.Err.Error()
		if d, ok := r.Err.(interface{ Detail() string }); ok && d.Detail() != "" {
			text = d.Detail()
		}
		fmt.Fprintf(t.out, "     %s\n", strings.ReplaceAll(lines(text), "\n", "\n     "))
	}
}
