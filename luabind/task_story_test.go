package luabind_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/luabind/vm"
)

// Tasks end with their script. Those of the new one first run at the exchange, behind
// on_start; what they raise there is reported, and refuses nothing.
func TestTasksAndReload(t *testing.T) {
	version := func(n int) string {
		return strings.ReplaceAll(`
			spawn(function()
				log.info("vN task starts")
				local box = inbox("tcp")
				while true do
					local p = recv("udp", 10)
					log.info("vN got", p and p.payload)
				end
			end)
			spawn(function() log.info("vN fails") error("vN") end)
			on_start(function() log.info("vN started") end)
			on_reload(function() log.info("vN reloads") end)
			on_stop(function() log.info("vN stops") end)
		`, "vN", fmt.Sprint("v", n))
	}
	l := setup{}.withScript(t, version(1))
	l.put(build(t, ip4(), udp(), packet.Payload("1")))
	l.advance(5 * time.Second)
	if err := l.reload(version(2)); err != nil {
		t.Fatal(err)
	}
	l.put(build(t, ip4(), udp(), packet.Payload("2")))
	l.advance(11 * time.Second)
	l.eng.Close()
	want := `v1 started
v1 task starts
v1 fails
v1 got 1
v1 stops
v2 reloads
v2 started
v2 task starts
v2 fails
v2 got 2
v2 got nil
v2 stops`
	if got := strings.ReplaceAll(l.said(), "info: ", ""); got != want {
		t.Errorf("said\n%s\nwant\n%s", got, want)
	}
	if len(l.errs) != 2 {
		t.Errorf("errors %v, want that of each version's second task", l.errs)
	}
}

// A script that breaks its state in a task is started anew, and its tasks with it.
func TestATaskThatBreaksTheState(t *testing.T) {
	l := setup{limits: vm.Limits{Memory: 4 << 20, Instructions: 50_000_000}}.withScript(t, `
		spawn(function()
			log.info("starts")
			recv("udp")
			local hoard = {}
			while true do hoard[#hoard + 1] = ("x"):rep(100000) .. #hoard end
		end)
		spawn(function() sleep(10) log.info("ten seconds") end)
	`)
	l.put(build(t, ip4(), udp()))
	if got := l.fails(); !strings.Contains(got, "limits: memory") {
		t.Errorf("the error is %s", got)
	}
	l.advance(11 * time.Second)
	l.clean()
	if got := l.said(); got != "info: starts\ninfo: starts\ninfo: ten seconds" {
		t.Errorf("said %q", got)
	}
}

// The clock of the library is the engine's.
func TestTheClockOfATask(t *testing.T) {
	l := newLab(t, `
		spawn(function()
			local a, b = os.time(), os.clock()
			sleep(3600)
			log.info(os.time() - a, os.clock() - b, os.date("!%H:%M"))
		end)`)
	l.advance(2 * time.Hour)
	l.clean()
	if got := l.said(); got != "info: 3600 3600 13:00" {
		t.Errorf("said %q", got)
	}
}

// schedule is a script whose tasks wait, send, spawn and end by chance.
const schedule = `
	local R = math.random
	local function q() return ip{ dst = "192.0.2.1" }/udp{ sport = R(1, 5), dport = R(1, 5) }/tostring(R(1000)) end
	local depth = 0
	local work
	local steps = {
		function() sleep(R(0, 3) * 0.1) end,
		function() send(q()) end,
		function() local p = recv({ udp = { dport = R(1, 5) } }, R(0, 3) * 0.1) if p then send(p:reply{ payload = "took " .. p.payload }) end end,
		function() local p = recv({ "udp", peek = true, payload = function(s) return #s > 2 end }, 0.3) send(q()) end,
		function() pcall(expect, { udp = { sport = R(1, 5) } }, 0.2) end,
		function() local p = sr(q(), 0.1, 2) if p then send(p:reply()) end end,
		function() local b = inbox({ udp = { dport = R(1, 5) } }) sleep(0.2) while b:recv(0) do send(q()) end end,
		function() if depth < 30 then depth = depth + 1 spawn(function() work(R(1, 5)) depth = depth - 1 end) end end,
		function() after(R() / 10, function() send(q()) end) end,
		function() local h = spawn(function() while true do sleep(0.05) send(q()) end end) sleep(0.12) h:cancel() end,
	}
	work = function(n) for i = 1, n do steps[R(#steps)]() end end
	for i = 1, 8 do spawn(function() while true do work(10) sleep(0.01) end end) end
	on("udp", function(p) if R() < 0.3 then spawn(function() work(2) end) end return p:reply() end)
`

// The same seed gives the same bytes, run after run, whatever tasks do.
func TestARandomScheduleIsRepeatable(t *testing.T) {
	runs := 100
	if testing.Short() {
		runs = 5
	}
	var first string
	for run := range runs {
		l := newLab(t, schedule)
		r := rand.New(rand.NewPCG(1, 2))
		sum := sha256.New()
		n := 0
		for range 200 {
			for range r.IntN(3) {
				l.put(build(t, ip4(), packet.UDP{Sport: uint16(1 + r.IntN(5)), Dport: uint16(1 + r.IntN(5))}, packet.Payload(fmt.Sprint(r.IntN(100000)))))
			}
			l.advance(time.Duration(r.IntN(100)) * time.Millisecond)
			for _, p := range l.got() {
				fmt.Fprintf(sum, "%d %x\n", p.Len(), p.Bytes())
				n++
			}
		}
		l.clean()
		l.eng.Close()
		got := fmt.Sprintf("%d packets, %x", n, sum.Sum(nil))
		switch {
		case run == 0:
			first = got
			t.Log(first)
			if n < 500 {
				t.Errorf("only %d packets: this says little", n)
			}
		case got != first:
			t.Fatalf("run %d gave %s, the first %s", run, got, first)
		}
	}
}

// What it costs to wait for a packet, get it and answer, while many others wait: 1000
// tasks at most twice of what one costs.
func BenchmarkTaskEcho(b *testing.B) {
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprintf("tasks=%d", n), func(b *testing.B) {
			l := limited(b, fmt.Sprintf(`
				for i = 1, %d do
					spawn(function()
						while true do
							local p = recv{ udp = { dport = i } }
							send(p:reply())
						end
					end)
				end`, n), luabind.Options{})
			p := build(b, ip4(), packet.UDP{Sport: 4000, Dport: uint16((n + 1) / 2)}).Bytes()
			buf := make([]byte, 2000)
			b.ReportAllocs()
			for b.Loop() {
				l.wires["tun0"].Write(p)
				if err := l.eng.Advance(0); err != nil {
					b.Fatal(err)
				}
				if _, err := l.wires["tun0"].Read(buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A packet that nobody waits for, past the tasks that wait for others, to a handler.
func BenchmarkPastTasks(b *testing.B) {
	for _, n := range []int{0, 1, 1000} {
		b.Run(fmt.Sprintf("tasks=%d", n), func(b *testing.B) {
			l := limited(b, fmt.Sprintf(`
				for i = 1, %d do spawn(function() recv{ udp = { dport = i } } end) end
				on("udp dst port 2000", function(p) return p:reply() end)`, n), luabind.Options{})
			p := build(b, ip4(), packet.UDP{Sport: 4000, Dport: 2000}).Bytes()
			buf := make([]byte, 2000)
			b.ReportAllocs()
			for b.Loop() {
				l.wires["tun0"].Write(p)
				if err := l.eng.Advance(0); err != nil {
					b.Fatal(err)
				}
				if _, err := l.wires["tun0"].Read(buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A task that never lets time go by is named.
func TestATaskThatStandsStill(t *testing.T) {
	l := newLab(t, `
		on("udp", function(p) spawn(function() while true do sleep(0) end end) end)
		every(1, function() end)
	`)
	l.put(build(t, ip4(), udp()))
	if !errors.Is(l.ended, engine.ErrStuck) || !strings.Contains(l.ended.Error(), "the last was script1.lua's") {
		t.Errorf("ended with %v", l.ended)
	}
}

// An inbox that peeks sees what others take, and takes nothing away.
func TestInboxThatPeeks(t *testing.T) {
	l := newLab(t, `
		spawn(function()
			local box = inbox{ "udp", peek = true }
			spawn(function() log.info("took", recv("udp").payload) end)
			sleep(1)
			while true do log.info("saw", box:expect(1).payload) end
		end)
		on("udp", function(p) log.info("handler", p.payload) end)
	`)
	l.put(build(t, ip4(), udp(), packet.Payload("1")), build(t, ip4(), udp(), packet.Payload("2")))
	l.advance(5 * time.Second)
	if got := l.said(); got != "info: took 1\ninfo: handler 2\ninfo: saw 1\ninfo: saw 2" {
		t.Errorf("said %q", got)
	}
	if got := l.fails(); !strings.HasSuffix(got, "box:expect: nothing that matches came in 1 s, nor anything else") {
		t.Errorf("the error is %q", got)
	}
}

// A task's first step shares the budget of who spawns it, and ends with it.
func TestAnEndlessFirstStep(t *testing.T) {
	l := setup{forward: true, limits: vm.Limits{Instructions: 10_000}, scripts: []string{`
		local n = 0
		spawn(function() while true do end end)
		on("udp", function(p)
			n = n + 1
			if n == 1 then pcall(spawn, function() while true do end end) end
			spawn(function() sleep(1) log.info("slept") end)
			p.payload = "packet " .. n
		end)
	`}}.start(t)
	for range 2 {
		l.put(build(t, ip4(), udp(), text()))
	}
	l.advance(2 * time.Second)
	if got := payloads(l.got()); got != "packet 2" {
		t.Errorf("left %q", got)
	}
	if got := l.said(); got != "info: slept" {
		t.Errorf("said %q", got)
	}
	for i, line := range []string{"3", "6"} {
		if i >= len(l.errs) || !strings.HasPrefix(l.errs[i].Error(), "script1.lua:"+line+": used up its 10000 instructions") {
			t.Errorf("errors %v", l.errs)
		}
	}
	if len(l.errs) != 2 {
		t.Errorf("errors %v, want two", l.errs)
	}
}

// What cannot be spawned, and what an inbox and sr do when things go wrong.
func TestTaskMistakes(t *testing.T) {
	l := newLab(t, `
		log.info(pcall(spawn))
		log.info(pcall(spawn, print))
		local f
		on("udp dst port 9", function(p) f = p.flow end)
		spawn(function()
			local box = inbox("udp dst port 7")
			log.info(pcall(box.recv, box, function(p) error("oh") end))
			log.info(pcall(box.recv, box, function(p) error("again") end))
			log.info(box:recv({ flow = f }, 0.1))
			local here = box:recv()
			log.info(box:recv({ flow = here.flow }, 0.1))
		end)
		local h = spawn(function() sr(ip{ dst = "192.0.2.1" }/udp{ sport = 1, dport = 2 }, 1, 5) log.info("never") end)
		after(0.5, function() h:cancel() end)
	`)
	l.got()
	for port := uint16(9); port >= 7; port -= 2 {
		l.put(build(t, ip4(), packet.UDP{Sport: 4000, Dport: port}, text()))
	}
	l.advance(5 * time.Second)
	l.clean()
	want := `false spawn: want a function, got nil
false spawn: a task runs a Lua function, not one of the library: wrap it, function() ... end
false the pattern's function failed: script1.lua:8: oh
false the pattern's function failed: script1.lua:9: again
nil
nil`
	if got := strings.ReplaceAll(l.said(), "info: ", ""); got != want {
		t.Errorf("said\n%s\nwant\n%s", got, want)
	}
	if got := l.got(); len(got) != 0 {
		t.Errorf("a cancelled sr has sent %v", got)
	}
}
