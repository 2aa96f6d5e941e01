package luabind_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/luabind"
)

// An inbox keeps what comes while its task is busy, and gives it out selectively.
func TestInbox(t *testing.T) {
	l := newLab(t, `
		on(function(p) log.info("handler", p.payload) end)
		spawn(function()
			local box = inbox("udp dst port 7")
			sleep(1)
			log.info("awake")
			log.info(box:recv({ payload = "c" }, 0).payload)
			log.info(box:recv().payload)
			log.info(box:expect(5).payload)
			log.info(box:recv(0))
			log.info(box:recv("udp", 0.5))
			log.info(box:expect({ payload = "e" }).payload)
			log.info(box:recv(nil, 1).payload)
		end)
	`)
	put := func(port uint16, s string) {
		l.put(build(t, ip4(), packet.UDP{Sport: 1, Dport: port}, packet.Payload(s)))
	}
	for _, s := range []string{"a", "b", "c"} {
		put(7, s)
	}
	put(8, "other")
	l.advance(time.Second)
	l.advance(time.Second)
	put(7, "d")
	put(7, "e")
	put(7, "after the end")
	l.clean()
	want := "handler other, awake, c, a, b, nil, nil, e, d, handler after the end"
	if got := strings.ReplaceAll(strings.ReplaceAll(l.said(), "info: ", ""), "\n", ", "); got != want {
		t.Errorf("said\n%s\nwant\n%s", got, want)
	}
}

// box:expect shows the nearest of what is kept.
func TestInboxExpect(t *testing.T) {
	l := newLab(t, `spawn(function()
		local box = inbox("udp")
		box:expect({ payload = "y" }, 1)
	end)`)
	l.put(build(t, ip4(), udp(), packet.Payload("x")))
	l.advance(2 * time.Second)
	want := `script1.lua:3: box:expect: nothing that matches came in 1 s; the nearest of 1 packet is IP 192.0.2.1.4000 > 192.0.2.2.7: UDP, length 1: payload is "x", want to match "y"`
	if got := l.fails(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// An inbox keeps 256 packets, and the script so many in all; the oldest goes.
func TestInboxIsBounded(t *testing.T) {
	l := newLab(t, `
		spawn(function()
			local box, n = inbox("udp"), 0
			sleep(1)
			local first = box:recv(0).payload
			while box:recv(0) do n = n + 1 end
			log.info(first, n)
		end)
	`)
	for i := range 300 {
		l.put(build(t, ip4(), udp(), packet.Payload(fmt.Sprint(i))))
	}
	l.advance(time.Second)
	l.clean()
	if got := l.said(); got != "info: 44 255" {
		t.Errorf("said %q", got)
	}
	if n := l.eng.Stats().Reasons[engine.ReasonInboxFull]; n != 44 {
		t.Errorf("%d were counted, want 44", n)
	}
	s, err := luabind.LoadString("held.lua", `
		for port = 1, 3 do spawn(function()
			local box = inbox("udp dst port " .. port)
			sleep(1)
		end) end`, luabind.Options{Held: 10})
	if err != nil {
		t.Fatal(err)
	}
	l = setup{programs: []engine.Program{s}}.start(t)
	for i := range 30 {
		l.put(build(t, ip4(), packet.UDP{Sport: 1, Dport: uint16(1 + i/8)}, packet.Payload("x")))
	}
	l.advance(time.Second)
	if n := l.eng.Stats().Reasons[engine.ReasonInboxFull]; n != 14 {
		t.Errorf("%d were counted, want 14 of 24", n)
	}
}

// An inbox ends with its task, and who reads it is told.
func TestInboxEndsWithItsTask(t *testing.T) {
	l := newLab(t, `
		local box
		on(function(p) log.info("handler", p.payload) end)
		spawn(function() box = inbox("udp") sleep(1) end)
		spawn(function()
			log.info(box:recv().payload)
			log.info(pcall(box.recv, box))
			log.info(pcall(box.recv, box, 1))
		end)
	`)
	l.put(build(t, ip4(), udp(), packet.Payload("1")))
	l.advance(2 * time.Second)
	l.put(build(t, ip4(), udp(), packet.Payload("2")))
	l.clean()
	want := `info: 1
info: false the inbox has ended, as the task that made it has: make one in the task that reads it
info: false box:recv: the inbox has ended, as the task that made it has: make one in the task that reads it
info: handler 2`
	if got := l.said(); got != want {
		t.Errorf("said\n%s\nwant\n%s", got, want)
	}
}

func TestInboxMistakes(t *testing.T) {
	for call, want := range map[string]string{
		`inbox()`:                          "inbox: want a pattern",
		`inbox("tcp", 1)`:                  "inbox: 2 arguments, want at most 1",
		`inbox("tcp").recv()`:              "recv: call it with a colon, as in box:recv()",
		`inbox("tcp"):recv("tcp", 1, 2)`:   "box:recv: 4 arguments, want at most 3",
		`inbox("tcp"):recv({ tpc = 1 })`:   `box:recv: a pattern has no "tpc"; did you mean "tcp"?`,
		`inbox("tcp"):recv{ peek = true }`: "box:recv: peek belongs to the inbox itself: inbox{..., peek = true}",
		`inbox("tcp"):read()`:              `inbox has no "read"`,
	} {
		l := newLab(t, "spawn(function() "+call+" end)")
		if got := l.fails(); !strings.Contains(got, want) {
			t.Errorf("%s:\n got %s\nwant %s", call, got, want)
		}
	}
	l := newLab(t, `log.info(pcall(inbox, "tcp"))`)
	if got := l.said(); got != "info: false only a task can wait: use spawn" {
		t.Errorf("said %q", got)
	}
}
