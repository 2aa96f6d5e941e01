package testrun_test

import (
	"encoding/xml"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/internal/testrun"
)

var reported = []testrun.Result{
	{File: "a_test.lua", Name: "good # <one>", Line: 3, Took: 2 * time.Millisecond, Log: []string{"gate: said\x1b \"it\""}},
	{File: "a_test.lua", Name: "bad", Line: 9, Took: time.Millisecond, Err: errors.New("a_test.lua:10: not equal\nand more")},
	{File: "b_test.lua", Name: "good", Line: 1},
}

func TestTAP(t *testing.T) {
	var b strings.Builder
	if err := testrun.TAP(&b, reported); err != nil {
		t.Fatal(err)
	}
	want := `TAP version 13
1..3
ok 1 - a_test.lua: good \# <one>
not ok 2 - a_test.lua: bad
  ---
  at: "a_test.lua:9"
  message: |
    a_test.lua:10: not equal
    and more
  ...
ok 3 - b_test.lua: good
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestJUnit(t *testing.T) {
	var b strings.Builder
	if err := testrun.JUnit(&b, reported); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Suites   []struct {
			Name  string `xml:"name,attr"`
			Cases []struct {
				Name    string `xml:"name,attr"`
				Line    int    `xml:"line,attr"`
				Failure *struct {
					Message string `xml:"message,attr"`
				} `xml:"failure"`
				Log string `xml:"system-out"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(b.String()), &got); err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	if got.Tests != 3 || got.Failures != 1 || len(got.Suites) != 2 || len(got.Suites[0].Cases) != 2 {
		t.Fatalf("%+v", got)
	}
	good, bad := got.Suites[0].Cases[0], got.Suites[0].Cases[1]
	if good.Name != "good # <one>" || good.Failure != nil || good.Log != `gate: said? "it"` {
		t.Errorf("%+v", good)
	}
	if bad.Failure == nil || bad.Failure.Message != "a_test.lua:10: not equal\nand more" || bad.Line != 9 {
		t.Errorf("%+v", bad)
	}
}
