package luabind_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/luabind/vm"
)

// between starts a script between tun0, where the host is, and tun1.
func between(t testing.TB, scripts ...string) *lab {
	t.Helper()
	return setup{scripts: scripts, devices: 2, forward: true}.start(t)
}

// back has the far side put a datagram on the wire: an answer to udp().
func (l *lab) back(sport uint16) {
	l.t.Helper()
	l.putOn("tun1", build(l.t, packet.IPv4{Src: peer, Dst: host, ID: 8}, packet.UDP{Sport: sport, Dport: 4000}, packet.Payload("!")))
}

// It is one table for all packets of a flow, and another for each flow and script.
func TestFlowIsOneTable(t *testing.T) {
	script := `
		local first
		on(function(p)
			local f = p.flow
			assert(type(f) == "table" and f == p.flow and f == p:copy().flow)
			first = first or f
			f.n = (f.n or 0) + 1
			f[1], f[true] = "list", { deep = f.n }
			local keys = 0
			for k in pairs(f) do keys = keys + 1 end
			assert(keys == 3 and f[true].deep == f.n)
			log.info(f.dir, f.n, f == first, f.unknown)
		end)`
	l := between(t, script, script)
	l.put(build(t, ip4(), udp(), text()))
	l.back(7)
	l.put(build(t, ip4(), packet.UDP{Sport: 4000, Dport: 8}))
	want := "info: forward 1 true nil\ninfo: forward 1 true nil\ninfo: back 2 true nil\ninfo: back 2 true nil\n" +
		"info: forward 1 false nil\ninfo: forward 1 false nil"
	if got := l.said(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	l.clean()
}

// dir is that of the packet whose flow was read last.
func TestFlowDirIsThePackets(t *testing.T) {
	l := between(t, `
		local f
		on(function(p)
			if not f then f = p.flow after(1, function() log.info("later", f.dir) end) end
			log.info("before", f.dir)
			log.info("read", p.flow.dir, f.dir)
		end)`)
	l.put(build(t, ip4(), udp()))
	l.back(7)
	l.advance(time.Second)
	want := "info: before forward\ninfo: read forward forward\ninfo: before forward\ninfo: read back back\ninfo: later back"
	if got := l.said(); got != want {
		t.Errorf("got\n%s", got)
	}
	l.clean()
}

func TestFlowMistakes(t *testing.T) {
	for _, tt := range []struct{ code, want string }{
		{`p.flow = {}`, "packet.flow can only be read"},
		{`p.flow.dir = "back"`, "flow.dir is the engine's: keep your own under another name"},
		{`p.flow.rewrite = 1`, "flow.rewrite is the engine's"},
		{`p.flow.bypass = nil`, "flow.bypass is the engine's"},
		{`p.flow[nil] = 1`, "nil"},
		{`p.flow[0/0] = 1`, "NaN"},
		{`setmetatable(p.flow, {})`, "protected"},
		{`p.flow.bypass("pass")`, "call it with a colon"},
		{`p.flow.bypass({}, "pass")`, "call it with a colon"},
		{`p.flow:bypass("accept")`, `want "pass" or "drop", got the string "accept"`},
		{`p.flow:bypass()`, `want "pass" or "drop", got nil`},
		{`p.flow:bypass("pass", 1)`, "at most 2"},
		{`p.flow:rewrite("dport")`, "want a table, as in p.flow:rewrite{ dport = 80 }"},
		{`p.flow:rewrite{}`, "there is nothing to rewrite"},
		{`p.flow:rewrite{ dsport = 1 }`, `there is no "dsport"; did you mean "dport"?`},
		{`p.flow:rewrite{ 80 }`, "there is no [1]"},
		{`p.flow:rewrite{ dport = "free" }`, "dport: want a port 1..65535, got the string"},
		{`p.flow:rewrite{ sport = "any" }`, `sport: want a port 1..65535, or "free"`},
		{`p.flow:rewrite{ sport = 0 }`, "sport is 0, want a port 1..65535"},
		{`p.flow:rewrite{ dport = 70000 }`, "dport is 70000, want a port 1..65535"},
		{`p.flow:rewrite{ src = 1 }`, "src: want an address"},
		{`p.flow:rewrite{ src = "here" }`, `"here" is no address`},
		{`getmetatable(p.flow).__index = 1`, "boolean"},
	} {
		l := newLab(t, "on(function(p) "+tt.code+" end)")
		l.put(build(t, ip4(), udp()))
		if got := l.fails(); !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s\nwant %q", tt.code, got, tt.want)
		}
	}
}

// Expected failures are nil and a text.
func TestFlowRuleFailures(t *testing.T) {
	l := newLab(t, `
		on("udp", function(p)
			log.info(p.flow:rewrite{ src = "2001:db8::9" })
			log.info(p.flow:rewrite{ src = "203.0.113.1" })
		end)
		on("icmp", function(p) log.info(p.flow:rewrite{ dport = 1 }) end)`)
	l.put(build(t, ip4(), udp()), build(t, packet.IPv4{Src: peer, Dst: peer}, udp()), build(t, ip4(), packet.ICMP{Type: 8, ID: 1}))
	got := l.said()
	for _, want := range []string{"info: nil src: 2001:db8::9 is of the other IP version", "info: true", "info: nil dport: an echo request has an id alone"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	l.clean()
}

// The first packet asks Lua, the rest go without.
func TestFlowRewrite(t *testing.T) {
	l := between(t, `
		on("udp dst port 7", function(p)
			log.info("asked")
			assert(p.flow:rewrite{ dport = 80 } == true)
		end)`)
	for range 3 {
		l.put(build(t, ip4(), udp(), text()))
	}
	there := l.gotOn("tun1")
	l.back(80)
	home := l.gotOn("tun0")
	if len(there) != 3 || len(home) != 1 || l.said() != "info: asked" {
		t.Fatalf("%v there, %v back", there, home)
	}
	for _, p := range there {
		if u, _ := p.UDP(); u.Dport() != 80 {
			t.Errorf("%v", p)
		}
		intact(t, p)
	}
	if u, _ := home[0].UDP(); u.Sport() != 7 {
		t.Errorf("%v", home[0])
	}
	intact(t, home[0])
	l.clean()
}

func TestFlowBypass(t *testing.T) {
	l := between(t, `
		on("udp dst port 7", function(p) log.info("pass") p.flow:bypass("pass") end)
		on("udp dst port 8", function(p) log.info("drop") p.flow:bypass("drop") return "drop" end)`)
	for range 2 {
		l.put(build(t, ip4(), udp()), build(t, ip4(), packet.UDP{Sport: 4000, Dport: 8}))
	}
	if got := l.said(); got != "info: pass\ninfo: drop" {
		t.Errorf("asked: %s", got)
	}
	if n := len(l.gotOn("tun1")); n != 2 {
		t.Errorf("%d left, want 2", n)
	}
	l.clean()
}

// A flow that has ended leaves its table to the script, without the engine's names.
func TestFlowEnds(t *testing.T) {
	l := newLab(t, `
		local f
		on(function(p) f = p.flow f.own = "kept" end)
		after(100, function() log.info(f.own, f.dir, f:bypass("pass")) end)
		after(400, function() log.info(f.own, f.dir, f:bypass("pass")) end)
		after(400, function() log.info(f:rewrite{ dport = 1 }) end)`)
	l.put(build(t, ip4(), udp()))
	for range 5 {
		l.advance(100 * time.Second)
	}
	ended := "the flow has ended: ask the next packet for its flow"
	if got := l.said(); got != "info: kept forward true\ninfo: kept nil nil "+ended+"\ninfo: nil "+ended {
		t.Error(got)
	}
	l.clean()
}

// What was written in a flow outlives a reload as data; rules go on.
func TestFlowOutlivesAReload(t *testing.T) {
	l := setup{devices: 2, forward: true}.withScript(t, `
		on("udp dst port 7", function(p)
			local shared = { 1 }
			local f = p.flow
			f.count, f.name, f[3], f.list, f.again, f.fn = 7, "text", true, shared, shared, print
		end)
		on("udp dst port 8", function(p) p.flow:bypass("pass") end)`)
	other := func() *packet.Packet { return build(t, ip4(), packet.UDP{Sport: 4000, Dport: 8}) }
	l.put(build(t, ip4(), udp()), other())
	if err := l.reload(`
		on(function(p)
			local f = p.flow
			log.info(f.dir, f.count, f.name, f[3], f.list and f.list[1], f.list == f.again, f.fn, f == p.flow)
		end)`); err != nil {
		t.Fatal(err)
	}
	l.put(other())
	l.back(7)
	want := "warn: it is lost in the reload: p.flow[\"fn\"] is a function: only nil, booleans, numbers, strings and tables of these can be handed on\n" +
		"info: back 7 text true 1 true nil true"
	if got := l.said(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	l.clean()
}

// Flows that a script writes to count as its memory, until they end.
func TestFlowsCountAsMemory(t *testing.T) {
	l := setup{scripts: []string{`on(function(p) if p.udp.dport == 1 then log.info(p.flow.hoard == nil) end p.flow.hoard = ("x"):rep(20000) .. p.udp.dport end)`},
		limits: vm.Limits{Memory: 4 << 20}}.start(t)
	for i := range 1000 {
		l.put(build(t, ip4(), packet.UDP{Sport: 4000, Dport: uint16(1 + i)}))
	}
	if len(l.errs) == 0 || !strings.Contains(fmt.Sprint(l.errs), "memory") {
		t.Errorf("1,000 flows of 20 kB fit into 4 MB: %v", l.errs)
	}
	// What the script knew is lost when it is started anew.
	l.said()
	l.put(build(t, ip4(), packet.UDP{Sport: 4000, Dport: 1}))
	if got := l.said(); got != "info: true" {
		t.Errorf("the flow still holds what it did: %q", got)
	}
}

// Reading what a flow holds, and where its packet goes, allocates nothing.
func TestFlowAllocatesNothing(t *testing.T) {
	l := newLab(t, `
		local n = 0
		on(function(p)
			local f = p.flow
			if f.dir == "forward" and not f.busy then n = 1 end
		end)`)
	p := build(t, ip4(), udp()).Bytes()
	step := func() {
		l.wires["tun0"].Write(p)
		l.eng.Advance(0)
	}
	step()
	base := newLab(t, `on(function(p) if p.udp.dport == 8 then error("no") end end)`)
	other := func() {
		base.wires["tun0"].Write(p)
		base.eng.Advance(0)
	}
	other()
	if got, want := testing.AllocsPerRun(200, step), testing.AllocsPerRun(200, other); got > want {
		t.Errorf("%v allocations, without flows %v", got, want)
	}
	l.clean()
}

// A packet kept in a flow is gone like any other that was kept.
func TestAPacketKeptInAFlow(t *testing.T) {
	l := newLab(t, `
		on(function(p)
			local f = p.flow
			if f.last then log.info(pcall(function() return f.last.len end)) end
			f.last, f.copy = p, p:copy()
			log.info(f.copy.len)
		end)`)
	l.put(build(t, ip4(), udp(), text()), build(t, ip4(), udp()))
	if got := l.said(); !strings.HasPrefix(got, "info: 33\ninfo: false") || !strings.Contains(got, "use p:copy() to keep one") {
		t.Error(got)
	}
	l.clean()
}
