package testrun

import (
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// Failed counts the results that are failures.
func Failed(results []Result) (n int) {
	for _, r := range results {
		if r.Err != nil {
			n++
		}
	}
	return n
}

// failure is why a test failed, with the trace of an error in Lua.
func (r *Result) failure() string {
	return detail(r.Err)
}

func detail(err error) string {
	if d, ok := err.(interface{ Detail() string }); ok && d.Detail() != "" {
		return d.Detail()
	}
	return err.Error()
}

// A caused is a test that failed when a script had failed before: what did not come is
// often what the script did not get to send, so both are said.
type caused struct{ test, script error }

// because joins why a test failed with what failed in a script, each of which may be nil.
func because(test, script error) error {
	if test == nil || script == nil || errors.Is(script, test) {
		return cmp.Or(test, script)
	}
	return &caused{test, script}
}

func (c *caused) Error() string   { return c.test.Error() + "; " + c.script.Error() }
func (c *caused) Unwrap() []error { return []error{c.test, c.script} }
func (c *caused) Detail() string  { return detail(c.test) + "\n" + detail(c.script) }

// seconds is a duration as both formats have it.
func seconds(d time.Duration) string { return fmt.Sprintf("%.6f", d.Seconds()) }

// TAP writes results as the Test Anything Protocol has them (testanything.org, version
// 13).
func TAP(w io.Writer, results []Result) error {
	var b strings.Builder
	fmt.Fprintf(&b, "TAP version 13\n1..%d\n", len(results))
	for i, r := range results {
		state := "ok"
		if r.Err != nil {
			state = "not ok"
		}
		// "#" would begin a directive, and there is one line for a name.
		name := strings.NewReplacer("#", "\\#", "\n", " ", "\r", " ").Replace(r.Name)
		fmt.Fprintf(&b, "%s %d - %s: %s\n", state, i+1, r.File, name)
		if r.Err == nil {
			continue
		}
		fmt.Fprintf(&b, "  ---\n  at: %q\n  message: |\n", fmt.Sprintf("%s:%d", r.File, r.Line))
		for line := range strings.Lines(r.failure() + "\n") {
			fmt.Fprintf(&b, "    %s\n", strings.TrimRight(line, "\n"))
		}
		b.WriteString("  ...\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// The elements of JUnit's report, as those who read it agree on them.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		File    string        `xml:"file,attr"`
		Line    int           `xml:"line,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitFailure `xml:"failure"`
		Log     string        `xml:"system-out,omitempty"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes results as XML, a suite for each file.
func JUnit(w io.Writer, results []Result) error {
	all := junitSuites{Tests: len(results), Failures: Failed(results)}
	var took time.Duration
	for len(results) > 0 {
		n := 1
		for n < len(results) && results[n].File == results[0].File {
			n++
		}
		suite := junitSuite{Name: results[0].File, Tests: n, Failures: Failed(results[:n])}
		var sum time.Duration
		for _, r := range results[:n] {
			c := junitCase{Class: r.File, Name: printable(r.Name), File: r.File, Line: r.Line, Time: seconds(r.Took), Log: printable(strings.Join(r.Log, "\n"))}
			if r.Err != nil {
				c.Failure = &junitFailure{printable(r.Err.Error()), printable(r.failure())}
			}
			suite.Cases = append(suite.Cases, c)
			sum += r.Took
		}
		suite.Time = seconds(sum)
		took += sum
		all.Suites = append(all.Suites, suite)
		results = results[n:]
	}
	all.Time = seconds(took)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// printable is s without what XML 1.0 cannot hold: a script may log any bytes.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if c == utf8.RuneError || c < ' ' && c != '\n' && c != '\t' {
			return '?'
		}
		return c
	}, s)
}
