package luabind_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
)

func TestAfterAndEvery(t *testing.T) {
	l := newLab(t, `
		local t0 = now()
		local function tell(...) log.info(("%.2f"):format(now() - t0), ...) end
		after(0.5, tell, "once", 7, nil, "last")
		local e = every(0.2, function() tell("again") end)
		after(0.7, function() e:cancel() e:cancel() tell("cancelled") end)
		local never = after(0.6, tell, "never")
		never:cancel()
		after(0, tell, "at once")
		on_start(function() tell("started") end)
	`)
	l.advance(2 * time.Second)
	l.clean()
	want := `info: 0.00 started
info: 0.00 at once
info: 0.20 again
info: 0.40 again
info: 0.50 once 7 nil last
info: 0.60 again
info: 0.70 cancelled`
	if got := l.said(); got != want {
		t.Errorf("said\n%s\nwant\n%s", got, want)
	}
}

// A timer that fails is reported, and the next one runs.
func TestATimerThatFails(t *testing.T) {
	l := newLab(t, "\nevery(1, function() local x = nil + 1 end)\nafter(1.5, function() log.info('still here') end)")
	l.advance(2500 * time.Millisecond)
	if len(l.errs) != 2 || !strings.HasPrefix(l.errs[0].Error(), "script1.lua:2: attempt to perform arithmetic on a nil value") {
		t.Errorf("errors: %v", l.errs)
	}
	if l.said() != "info: still here" {
		t.Error("the other timer did not run")
	}
}

// A packet may be sent from a timer; what a handler keeps for it is a copy.
func TestSendLater(t *testing.T) {
	l := newLab(t, `on("udp", function(p)
		local r = p:reply{ payload = "later" }
		after(0.04, function() send(r) end)
		return "drop"
	end)`)
	l.put(build(t, ip4(), udp(), text()))
	if got := l.got(); len(got) != 0 {
		t.Fatalf("left at once: %v", got)
	}
	l.advance(40 * time.Millisecond)
	l.clean()
	if p := l.one(); string(p.Payload()) != "later" {
		t.Error(p)
	}
}

// send takes the packet as it is now.
func TestSendIsASnapshot(t *testing.T) {
	l := newLab(t, `on("udp", function(p)
		local r = p:reply{ payload = "1" }
		send(r)
		r.payload = "2"
		send(r, "tun0")
		p.payload = "3"
		send(p, "tun0")
		p.payload = "4"
		return r
	end)`)
	l.put(build(t, ip4(), udp(), text()))
	l.clean()
	if got := payloads(l.got()); got != "1 2 3 2" {
		t.Errorf("left %q", got)
	}
}

// With several devices a packet made of nothing has a way out while one is in hand,
// else it must be told.
func TestWaysOut(t *testing.T) {
	l := setup{devices: 2, scripts: []string{`
		local function make(s) return ip{ src = "192.0.2.2", dst = "192.0.2.1" }/udp{ sport = 1, dport = 2 }/s end
		on(function(p) send(make("in hand")) return "drop" end)
		after(1, function() send(make("told"), "tun1") end)
		after(2, function() local q = make("set") q.out = "tun1" send(q) end)
		after(3, function() send(make("nowhere")) end)
	`}}.start(t)
	l.putOn("tun1", build(t, ip4(), udp(), text()))
	l.advance(5 * time.Second)
	if got := payloads(l.gotOn("tun1")); got != "in hand told set" {
		t.Errorf("tun1 got %q", got)
	}
	if got := l.fails(); !strings.Contains(got, "send: ") || !strings.Contains(got, "way out") {
		t.Errorf("the error is %s", got)
	}
}

func TestStop(t *testing.T) {
	for status, want := range map[string]int{"": 0, "0": 0, "3": 3} {
		l := newLab(t, `on(function(p) stop(`+status+`) end)`)
		l.put(build(t, ip4(), udp()))
		exit, ok := errors.AsType[*engine.ExitError](l.ended)
		if got := 0; ok {
			got = exit.Status
			if got != want {
				t.Errorf("stop(%s) ended with %d", status, got)
			}
		} else if want != 0 || l.ended != nil {
			t.Errorf("stop(%s) ended with %v", status, l.ended)
		}
		if err := l.eng.Advance(0); !errors.Is(err, engine.ErrStopped) {
			t.Errorf("after stop(%s): %v", status, err)
		}
	}
}
