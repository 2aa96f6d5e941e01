package luabind_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/luabind"
)

const ms = time.Millisecond

// What a script says of a link holds, in milliseconds of its clock: for the question
// when it comes, for the answer when it leaves.
func TestImpair(t *testing.T) {
	for _, tt := range []struct {
		faults string
		after  time.Duration // when the answer comes; negative: never
	}{
		{`{ delay = 0.04 }`, 80 * ms},
		{`{ "udp port 7", delay = 0.04, device = "tun0" }`, 80 * ms},
		{`{ "udp port 8", delay = 0.04 }`, 0},
		{`{ delay = 0.04, direction = "in" }`, 40 * ms},
		{`{ delay = 0.04, device = { "tun0" }, direction = "out" }`, 40 * ms},
		{`{ loss = 1 }`, -1},
		{`{ loss = 1, at = 1 }`, 0},
		{`{ blackhole = true, for_ = 1, every = 2 }`, -1},
		{`{ mtu = 20 }`, -1},
		{`{ rate = "8kbit", queue = 100 }`, 66 * ms}, // 33 bytes each way
		{`{ rate = 8000 }`, 66 * ms},
		{`{ profile = "satellite", loss = 0 }`, 558 * ms},
		{`{ profile = "satellite", loss = 0, delay = 0.001 }`, 2 * ms},
		{`{ profile = "flaky", loss = 0, jitter = 0, distribution = "uniform", corrupt = 0, duplicate = 0 }`, 100 * ms},
		{`{ gilbert = { p = 1, r = 0 }, direction = "out" }`, 0}, // the first finds it good
		{`{ gilbert = { good = 1 } }`, -1},
	} {
		l := newLab(t, `
			local impair = require "impair"
			impair`+tt.faults+`
			on(function(p) return p:reply() end)`)
		l.put(build(t, ip4(), udp(), text()))
		if tt.after > 0 {
			l.advance(tt.after - 1)
			if n := len(l.got()); n > 0 {
				t.Errorf("impair%s: %d came before %v", tt.faults, n, tt.after)
			}
			l.advance(1)
		}
		if tt.after < 0 {
			l.advance(900 * ms)
		}
		if n := len(l.got()); n != 1 && tt.after >= 0 || n != 0 && tt.after < 0 {
			t.Errorf("impair%s: %d came, want it after %v", tt.faults, n, tt.after)
		}
		l.clean()
	}
}

// A rule ends by its handle, also from a timer, and any number may stand.
func TestImpairHandle(t *testing.T) {
	l := setup{devices: 2, forward: true, scripts: []string{`
		local down = require "impair" { blackhole = true }
		after(1, function() down:cancel() down:cancel() end)
		after(2, function() down = require "impair" { blackhole = true, direction = "out" } end)`}}.start(t)
	got := ""
	for range 3 {
		l.put(build(t, ip4(), udp(), text()))
		got += fmt.Sprint(len(l.gotOn("tun1")))
		l.advance(time.Second)
	}
	if got != "010" {
		t.Errorf("%s came through in three seconds, want 010", got)
	}
	l.clean()
}

// Another script's link is bad for all: faults are the link's, not the script's.
func TestImpairIsSeenByAll(t *testing.T) {
	l := setup{scripts: []string{
		`on("udp", function(p) return p:reply() end)`,
		`require "impair" { "udp", loss = 1, direction = "out" }`,
	}}.start(t)
	l.put(build(t, ip4(), udp(), text()), build(t, ip4(), packet.ICMP{Type: packet.EchoRequest}))
	if n := len(l.got()); n != 0 {
		t.Errorf("%d came", n)
	}
	if n := l.eng.Stats().Reasons["impair_loss"]; n != 1 {
		t.Errorf("%d were lost, want 1", n)
	}
}

func TestImpairMistakes(t *testing.T) {
	for _, tt := range []struct{ faults, want string }{
		{`(0.1)`, `impair: want a table, as in impair{ "udp", loss = 0.1 }, got the number 0.1`},
		{`("udp", { loss = 0.1 })`, `impair: want a table`},
		{`({ loss = 0.1 }, 2)`, `impair: everything goes into one table`},
		{`{}`, `impair: it changes nothing: add loss`},
		{`{ los = 0.1 }`, `impair: there is no option "los"; did you mean "loss"? (there are at, blackhole,`},
		{`{ "udp", "tcp", loss = 1 }`, `impair: there is no option [2]`},
		{`{ 7, loss = 1 }`, `impair: the filter is a string, got the number 7`},
		{`{ "udp prot 7", loss = 1 }`, `impair: filter: column 5 of "udp prot 7"`},
		{`{ loss = 10 }`, `impair: loss: 10 is out of range, 0 to 1: did you mean 0.1 (10%)?`},
		{`{ loss = "10%" }`, `impair: loss: want a number, got the string "10%"`},
		{`{ delay = -1 }`, `impair: delay: want seconds from 0 to 1e9, got the number -1`},
		{`{ delay = 40 * 1000 }`, `impair: delay: 11h6m40s is too long: it takes 1h0m0s at most`},
		{`{ reorder = 0.1 }`, `impair: reorder: packets jump ahead of those that are delayed, and none is: add delay`},
		{`{ delay = 1, jitter = 1, distribution = "norml" }`, `impair: distribution: is "norml", want "uniform", "normal" or "pareto"; did you mean "normal"?`},
		{`{ profile = "4g" }`, `impair: profile: is "4g", want "3g", "lte"`},
		{`{ loss = 1, device = "tun7" }`, `impair: no device "tun7": there is tun0`},
		{`{ loss = 1, device = {} }`, `impair: device: the list is empty`},
		{`{ rate = "10mbps" }`, `impair: rate: want a number and bit, kbit, Mbit or Gbit, as in "10Mbit"`},
		{`{ rate = 0 }`, `impair: rate: want 1 to 1e12 bits per second`},
		{`{ keep_order = 1, loss = 1 }`, `impair: keep_order: want true or false`},
		{`{ mtu = 1.5 }`, `impair: mtu: is 1.5, want a whole number`},
		{`{ gilbert = 0.1 }`, `impair: gilbert: want a table, as in { p = 0.01, r = 0.25 }`},
		{`{ gilbert = { p = 0.1, q = 1 } }`, `impair: gilbert: there is no option "q"`},
		{`{ gilbert = { p = 2 } }`, `impair: gilbert.p: 2 is out of range`},
	} {
		got := failure(t, "local impair = require \"impair\"\nimpair"+tt.faults, build(t, ip4(), udp()))
		if !strings.HasPrefix(got, "script1.lua:2: "+tt.want) {
			t.Errorf("impair%s\ngot  %s\nwant %s", tt.faults, got, tt.want)
		}
	}
	got := failure(t, `
		local impair = require "impair"
		while true do impair{ loss = 0.1 } end`, build(t, ip4(), udp()))
	if !strings.Contains(got, "impair: the script has 1000 rules, and more may not be: cancel some") {
		t.Error(got)
	}
}

// Every option that a script can say is in the reference.
func TestImpairReference(t *testing.T) {
	c, ok := luabind.APIReference().Class("impair.options")
	if !ok || len(c.Fields) < 20 {
		t.Errorf("%+v", c)
	}
}
