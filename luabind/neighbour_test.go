package luabind_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/tundev"
)

// neighbours are two scripts on tun0, which forwards to tun1: first.lua, and behind it
// second.lua, which the operator has put behind all of the other's handlers, whatever prio
// it gives its own. Neither is trusted.
func neighbours(t *testing.T, clock engine.Clock, first, second string) *lab {
	t.Helper()
	l := &lab{t: t, wires: map[string]*tundev.Wire{}, first: "tun0"}
	c := engine.Config{Seed: 1, Clock: clock, Observer: engine.ObserverFunc(l.observe)}
	for i, name := range []string{"tun0", "tun1"} {
		dev, wire := tundev.Pipe(tundev.Config{Name: name})
		l.wires[name] = wire
		c.Devices = append(c.Devices, engine.DeviceConfig{Device: dev, Forward: []string{"tun1", ""}[i]})
	}
	for i, src := range []string{first, second} {
		s, err := luabind.LoadString([]string{"first.lua", "second.lua"}[i], src, luabind.Options{})
		if err != nil {
			t.Fatal(err)
		}
		c.Programs = append(c.Programs, engine.ProgramConfig{Program: s, Prio: i * 100, Confined: true})
	}
	eng, err := engine.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { eng.Close() })
	l.eng = eng
	return l
}

// The good one marks every packet and passes it on. Whatever the other does, it sees each
// packet, as it came, and goes on to the end.
func TestANeighbourTakesNothing(t *testing.T) {
	const good = `
		local seen = 0
		on("udp", function(p)
			seen = seen + 1
			if p.payload ~= "x" or p.ip.src ~= "192.0.2.1" or p.ip.ttl ~= 64 then error("not as it came: " .. p:show()) end
			p.payload = "seen " .. seen
		end)`
	for _, row := range []struct {
		name, hostile string
		passes        bool // the packet goes on behind both
	}{
		{"drops at the lowest prio", `on{ "udp", prio = -100, run = function() return "drop" end }`, false},
		{"takes by a task", `spawn(function() while true do recv("udp") end end)`, false},
		{"keeps in an inbox", `spawn(function() local b = inbox("udp") sleep(1e6) end)`, false},
		{"peeks", `spawn(function() while true do recv{ "udp", peek = true }.payload = "mine" end end)`, true},
		{"says that it is done", `on("udp", function(p) p.flow:bypass("pass") end)`, true},
		{"rewrites", `on("udp", function(p) p.flow:rewrite{ src = "203.0.113.7", sport = 9 } end)`, true},
		{"changes", `on{ "udp", prio = -100, run = function(p) p.ip.src = "203.0.113.7" p.ip.ttl = 3 end }`, true},
		{"stops", `on("udp", function() stop(3) end)`, true},
		{"fails and says stop", `on{ "udp", on_error = "stop", run = function() error("oh") end }`, true},
		{"stops from a timer", `after(0, function() stop() end) every(0.001, function() stop(7) end)`, true},
		{"fails for ever", `on{ "udp", on_error = "pass", run = function() error("oh") end }`, true},
		{"breaks its state", `local t = {} on{ "udp", on_error = "pass", run = function() for i = 1, 200 do t[#t + 1] = ("x"):rep(1000000) .. #t end end }`, true},
	} {
		l := neighbours(t, engine.Virtual(t0), good, row.hostile)
		if err := l.eng.Advance(0); err != nil {
			t.Fatal(err)
		}
		for range 30 {
			l.put(build(t, ip4(), udp(), packet.Payload("x")))
			if l.ended != nil {
				t.Fatalf("%s: the run has ended: %v", row.name, l.ended)
			}
			if err := l.eng.Advance(10 * time.Millisecond); err != nil {
				t.Fatalf("%s: the run has ended: %v", row.name, err)
			}
		}
		for _, err := range l.errs {
			if strings.HasPrefix(err.Error(), "first.lua") {
				t.Errorf("%s: %v", row.name, err)
				break
			}
		}
		if h := l.eng.Stats().Handlers[0]; h.Packets != 30 || h.Failed != 0 {
			t.Errorf("%s: the good script saw %d packets, want all 30", row.name, h.Packets)
		}
		if n := l.wires["tun1"].Pending(); row.passes && n < 29 { // one it may have been handling
			t.Errorf("%s: %d packets went on, want 29 or 30", row.name, n)
		}
	}
}

// A script that burns what it may burn costs the other at most that, also where it
// stands in front of it: on the system's clock, every packet is answered soon.
func TestANeighbourThatBurns(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds: leave -short out")
	}
	const good = `on{ "udp", prio = -100, run = function(p) return p:reply() end }`
	const burn = `while true do end`
	for _, row := range []struct{ name, hostile string }{
		{"timers that spin", `for i = 1, 1000 do every(0.001, function() ` + burn + ` end) end`},
		{"timers that set the next", `local function f() after(0, f) for i = 1, 100000 do end end for i = 1, 1000 do after(0, f) end`},
		{"timers that set the next and spin", `local function f() after(0, f) ` + burn + ` end for i = 1, 100 do after(0, f) end`},
		{"tasks that wake each other", `local e = event() for i = 1, 900 do spawn(function() while true do e:set() sleep(0) end end) end`},
		{"tasks that peek and spin", `for i = 1, 900 do spawn(function() while true do recv{ "udp", peek = true } for i = 1, 100000 do end end end) end`},
		{"handlers that spin", `for i = 1, 3000 do on{ "udp", disable_after = 0, on_error = "pass", run = function() ` + burn + ` end } end`},
		{"handlers nearly so", `for i = 1, 3000 do on{ "udp", on_error = "pass", run = function() for i = 1, 100000 do end end } end`},
		{"handlers that come and go", `on("udp", function() for i = 1, 20 do on("tcp", function() end) end end)`},
	} {
		l := neighbours(t, engine.Clock{}, row.hostile, good)
		done := make(chan error, 1)
		ctx, stop := context.WithCancel(context.Background())
		go func() { done <- l.eng.Run(ctx) }()
		w := l.wires["tun0"]
		answers := make(chan time.Time, 100_000)
		go func() {
			b := make([]byte, 2048)
			for {
				n, err := w.Read(b)
				if err != nil {
					return
				}
				if p, err := packet.Parse(b[:n], packet.IP); err == nil && string(p.Payload()) == "good" {
					answers <- time.Now()
				}
			}
		}()
		p := build(t, ip4(), udp(), packet.Payload("good")).Bytes()
		var took []time.Duration
		for range 20 {
			time.Sleep(5 * time.Millisecond) // in which the other is not idle
			began := time.Now()
			if _, err := w.Write(p); err != nil {
				t.Fatalf("%s: %v: Run returns %v", row.name, err, <-done)
			}
			select {
			case at := <-answers:
				took = append(took, at.Sub(began))
			case <-time.After(20 * time.Second):
				t.Fatalf("%s: no answer within 20 s", row.name)
			}
		}
		slices.Sort(took)
		t.Logf("%s: median %v, worst %v; %v", row.name, took[10].Round(time.Microsecond), took[19].Round(time.Microsecond), l.eng.Stats().Failures)
		if took[10] > 2*time.Second { // it was half a minute; the race detector makes 50 ms of it ten times that
			t.Errorf("%s: an answer takes %v, the worst %v", row.name, took[10], took[19])
		}
		stop()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("%s: Run returns %v", row.name, err)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: the run does not end", row.name)
		}
	}
}
