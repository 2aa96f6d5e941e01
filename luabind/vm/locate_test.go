package vm

import "testing"

func TestLocate(t *testing.T) {
	for _, tt := range []struct {
		source, message string
		column          int
	}{
		{`local a = hex"4z"`, `hex: "4z": 'z' is no digit: write pairs of the digits 0-9 and a-f`, 15},
		{`every(0, print)`, `every: the period must be more than 0 seconds`, 1},
		{"\ton{ \"tcp\", prio = 500, run = f }", `on: prio: want a whole number -100..100, got the number 500`, 13},
		{`local y = x.foo.x2`, `attempt to index local 'x' (a nil value)`, 11},
		{`require "tpc"`, `require "tpc": there is no tpc.lua beside the script; did you mean "tcp"?`, 10},
		{`ip{ dst = "::1" }/tcp{ dts = 1 }`, `tcp has no "dts"; did you mean "dst"?`, 24},
		{`on("tcp prt 80", f)`, `on: filter: column 5 of "tcp prt 80": unexpected "prt"`, 9},
		{`f(x) g(x)`, `attempt to call local 'x' (a nil value)`, 0}, // which of them?
		{`error("something else")`, `bad`, 0},
		{``, `hex: "4z": no`, 0},
	} {
		e := Error{Script: "x.lua", Line: 1, Message: tt.message}
		if e.Locate(tt.source); e.Column != tt.column {
			t.Errorf("%s\n%s: column %d, want %d", tt.source, tt.message, e.Column, tt.column)
		}
	}
	e := Error{Line: 1, Column: 7, Message: "near x"}
	if e.Locate("x"); e.Column != 7 {
		t.Error("a column that was known has changed")
	}
	e = Error{Message: `"x" is wrong`}
	if e.Locate("x"); e.Column != 0 {
		t.Error("a column without a line")
	}
}
