package luabind_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/luabind/vm"
)

// A task runs at once to its first wait, and between waits nothing comes between.
func TestSpawn(t *testing.T) {
	l := newLab(t, `
		local t0 = now()
		local function tell(...) log.info(("%.2f"):format(now() - t0), ...) end
		spawn(function(a, b)
			tell("task", a, b)
			sleep(0.5)
			tell("half a second later")
			spawn(function() tell("inner") sleep(0) tell("inner again") end)
			tell("after inner")
			sleep(1)
			tell("end")
		end, 1, "two")
		on_start(function() tell("started") spawn(function() tell("of on_start") end) tell("on_start ends") end)
		tell("loaded")
	`)
	l.advance(5 * time.Second)
	l.clean()
	want := `info: 0.00 loaded
info: 0.00 started
info: 0.00 of on_start
info: 0.00 on_start ends
info: 0.00 task 1 two
info: 0.50 half a second later
info: 0.50 inner
info: 0.50 after inner
info: 0.50 inner again
info: 1.50 end`
	if got := l.said(); got != want {
		t.Errorf("said\n%s\nwant\n%s", got, want)
	}
}

// What is cancelled does not go on, wherever it waits, and a task may end itself.
func TestCancelATask(t *testing.T) {
	l := newLab(t, `
		local early = spawn(function() log.info("never") end)
		early:cancel()
		local h
		h = spawn(function() log.info("self") h:cancel() log.info("still runs") sleep(1) log.info("never") end)
		local sleeps = spawn(function() sleep(1) log.info("never") end)
		local waits = spawn(function() local ok = pcall(function() recv("udp") log.info("never") end) log.info("never") end)
		local box = spawn(function() inbox("udp"):recv() log.info("never") end)
		after(0.5, function() sleeps:cancel() waits:cancel() box:cancel() box:cancel() end)
		after(0.6, function() early:cancel() end)
		on("udp", function(p) log.info("a handler") end)
	`)
	l.advance(time.Second)
	l.put(build(t, ip4(), udp()))
	l.advance(5 * time.Second)
	l.clean()
	if got := l.said(); got != "info: self\ninfo: still runs\ninfo: a handler" {
		t.Errorf("said\n%s", got)
	}
}

// Only tasks wait; inside a task pcall is no obstacle.
func TestWhoCanWait(t *testing.T) {
	l := newLab(t, `
		on("udp", function(p) sleep(1) end)
		after(0, function() recv("udp") end)
		log.info(pcall(sleep, 1))
		log.info(select(2, pcall(function() expect("udp") end)))
		spawn(function()
			log.info(pcall(function() sleep(0.1) error("caught") end))
			log.info(select("#", sleep(0.1)))
			log.info(coroutine.wrap(function() return pcall(sleep, 1) end)())
			table.sort({ 1, 2 }, function() sleep(1) end)
		end)
	`)
	l.put(build(t, ip4(), udp()))
	l.advance(time.Second)
	want := `info: false only a task can wait: use spawn
info: script1.lua:5: only a task can wait: use spawn
info: false script1.lua:7: caught
info: 0
info: false a task cannot wait in a function that Lua calls for it: `
	if got := l.said(); !strings.HasPrefix(got, want) {
		t.Errorf("said\n%s\nwant\n%s", got, want)
	}
	for i, want := range []string{"3: only a task can wait: use spawn", "2: only a task can wait: use spawn", "10: a task cannot wait in a function that Lua calls for it: "} {
		if i >= len(l.errs) || !strings.HasPrefix(l.errs[i].Error(), "script1.lua:"+want) {
			t.Errorf("error %d of %v, want %s", i, l.errs, want)
		}
	}
}

// recv takes the packet, and handlers of prio 0 do not see it; those below do.
func TestRecv(t *testing.T) {
	l := newLab(t, `
		on{ prio = -1, run = function(p) p.ip.ttl = 9 end }
		on("udp", function(p) log.info("handler", p.payload) end)
		spawn(function()
			while true do
				local p = recv({ udp = { dport = 7 } }, 2)
				log.info("task", p and p.payload, p and p.ip.ttl)
				if not p then break end
				p.payload = p.payload .. "!"     -- a packet that a task got is its own
				sleep(0.1)
				send(p:reply())
				send(p, "tun0")
			end
			log.info("over at", ("%.1f"):format(now() - 1772366400))
		end)
	`)
	l.put(build(t, ip4(), udp(), packet.Payload("a")), build(t, ip4(), packet.UDP{Sport: 1, Dport: 8}, packet.Payload("b")))
	l.put(build(t, ip4(), udp(), packet.Payload("while it sleeps")))
	l.advance(time.Second)
	l.put(build(t, ip4(), udp(), packet.Payload("c")))
	l.advance(5 * time.Second)
	l.clean()
	want := `info: task a 9
info: handler b
info: handler while it sleeps
info: task c 9
info: task nil nil
info: over at 3.1`
	if got := l.said(); got != want {
		t.Errorf("said\n%s\nwant\n%s", got, want)
	}
	if got := payloads(l.got()); got != "a! a! c! c!" {
		t.Errorf("left %q", got)
	}
	if n := l.eng.Stats().Verdicts["taken"]; n != 2 {
		t.Errorf("%d were counted as taken, want 2", n)
	}
}

// Two tasks wait for the same: the one that has waited longer gets it. One that
// peeks sees it, too, and it goes on.
func TestTwoTasksWait(t *testing.T) {
	l := newLab(t, `
		local function wait(name, pattern) spawn(function() local p = recv(pattern) log.info(name, p.payload) end) end
		wait("a", "udp")
		wait("b", { udp = true })
		wait("peeks", { "udp", peek = true })
		wait("peeks late", { "udp", peek = true, payload = "2" })
		on("udp", function(p) log.info("handler", p.payload) end)
	`)
	for _, s := range []string{"1", "2", "3"} {
		l.put(build(t, ip4(), udp(), packet.Payload(s)))
	}
	l.clean()
	want := "info: peeks 1\ninfo: a 1\ninfo: peeks late 2\ninfo: b 2\ninfo: handler 3"
	if got := l.said(); got != want {
		t.Errorf("said\n%s\nwant\n%s", got, want)
	}
}

// A task that raises ends, is counted, and touches no packet; the others go on.
func TestATaskThatFails(t *testing.T) {
	l := newLab(t, `
		spawn(function()
			local p = recv("udp")
			local x = nil + 1
		end)
		on("udp", function(p)
			spawn(function() error("at once") end)
			return p:reply()
		end)
	`)
	l.put(build(t, ip4(), udp(), packet.Payload("taken")))
	if got := l.fails(); !strings.HasPrefix(got, "script1.lua:4: attempt to perform arithmetic on a nil value") {
		t.Errorf("the error is %s", got)
	}
	l.put(build(t, ip4(), udp(), packet.Payload("answered")))
	if got := l.fails(); got != "script1.lua:7: at once" {
		t.Errorf("the error is %s", got)
	}
	if got := payloads(l.got()); got != "answered" {
		t.Errorf("left %q", got)
	}
	if n := l.eng.Stats().Errors["script1.lua"]; n != 2 {
		t.Errorf("%d errors counted, want 2", n)
	}
}

// Every step of a task has a budget of its own, and waiting costs nothing.
func TestTaskBudgets(t *testing.T) {
	l := setup{limits: vm.Limits{Instructions: 20_000}, scripts: []string{`
		spawn(function()
			for i = 1, 50 do
				for i = 1, 1000 do end
				sleep(0.1)
			end
			log.info("done")
			while true do end
		end)
	`}}.start(t)
	l.advance(time.Minute)
	if got := l.said(); got != "info: done" {
		t.Errorf("said %q", got)
	}
	if got := l.fails(); !strings.Contains(got, "script1.lua:8: used up its 20000 instructions") {
		t.Errorf("the error is %s", got)
	}
}

// The acceptance script, played through by hand.
func TestHandshakeByHand(t *testing.T) {
	src, err := os.ReadFile(filepath.Join("..", "..", "shared", "acceptance", "handshake.lua"))
	if err != nil {
		t.Skip("no acceptance scripts beside the repository:", err)
	}
	l := newLab(t, string(src))
	var seq, ack uint32 = 100, 0
	put := func(flags packet.Flags, payload string) {
		l.put(build(t, ip4(), packet.TCP{Sport: 4000, Dport: 80, Seq: seq, Ack: ack, Flags: flags}, packet.Payload(payload)))
	}
	put(packet.SYN, "")
	tcp, _ := l.one().TCP()
	if tcp.Flags() != packet.SYN|packet.ACK || tcp.Seq() != 1000 || tcp.Ack() != 101 {
		t.Errorf("answered %v", tcp)
	}
	seq, ack = 101, 1001
	put(packet.ACK, "")
	put(packet.PSH|packet.ACK, "GET / HTTP/1.0\r\n\r\n")
	if got := string(l.one().Payload()); got != "HTTP/1.0 200 OK\r\n\r\nhi\n" {
		t.Errorf("answered %q", got)
	}
	seq, ack = 101+18, 1001+22
	put(packet.ACK, "")
	tcp, _ = l.one().TCP()
	if tcp.Flags() != packet.FIN|packet.ACK || tcp.Seq() != 1001+22 {
		t.Errorf("the close is %v", tcp)
	}
	ack++
	put(packet.FIN|packet.ACK, "")
	tcp, _ = l.one().TCP()
	if tcp.Flags() != packet.ACK || tcp.Ack() != seq+1 || tcp.Seq() != ack {
		t.Errorf("the last is %v", tcp)
	}
	l.clean()
	if got := l.said(); got != "info: closed cleanly" {
		t.Errorf("said %q", got)
	}
}
