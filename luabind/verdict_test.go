package luabind_test

import (
	"strings"
	"testing"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
)

// verdicts is what a handler on tun0, which forwards to tun1, returns for a UDP
// packet with the payload "hello", and what leaves: the payloads on tun0 and tun1.
var verdicts = []struct {
	code       string
	tun0, tun1 string
	err        string // what the failure says, after the position
}{
	{code: ``, tun1: "hello"},
	{code: `return`, tun1: "hello"},
	{code: `return nil`, tun1: "hello"},
	{code: `return nil, nil`, tun1: "hello"},
	{code: `return false`, tun1: "hello"},
	{code: `return "pass"`, tun1: "hello"},
	{code: `return "accept"`, tun1: "hello"},
	{code: `return "drop"`},
	{code: `return "drop", "because"`},
	{code: `return "drop", nil`},
	{code: `p.payload = "changed"`, tun1: "changed"},
	{code: `p.payload = "changed" return p`, tun1: "changed"},
	{code: `return p:reply()`, tun0: "hello"},
	{code: `return p:copy{ payload = "other" }`, tun1: "other"},
	{code: `local c = p:copy() p.payload = "gone" return c`, tun1: "hello"},
	{code: `return { p, p:copy{ payload = "two" }, p:reply{ payload = "three" } }`, tun1: "hello two", tun0: "three"},
	{code: `return {}`},
	{code: `return ip{ dst = "192.0.2.9" }/udp{ sport = 1, dport = 2 }/"built"`, tun0: "built"},
	{code: `send(p:reply{ payload = "first" }) return p:reply{ payload = "second" }`, tun0: "first second"},
	{code: `send(p, "tun0") return "drop"`, tun0: "hello"},
	{code: `p.out = "tun0"`, tun0: "hello"},
	{code: `p.out = nil`},
	// An answer that may not be given is empty: returned it drops, sent it is nothing.
	{code: `local e = p:unreachable("port") return e:unreachable("port")`},
	{code: `send(p:unreachable("port"):unreachable("port"))`, tun1: "hello"},
	{code: `local e = p:unreachable("port"):unreachable("host") if e.len == 0 and not e.ip then return { e, p:copy() } end`, tun1: "hello"},

	{code: `return true`, err: `true means nothing`},
	{code: `return 1`, err: `the number 1 means nothing`},
	{code: `return print`, err: `a function means nothing`},
	{code: `return "DROP"`, err: `there is no "DROP"`},
	{code: `return "reject"`, err: `there is no "reject"`},
	{code: `return "accepted"`, err: `there is no "accepted"; did you mean "accept"?`},
	{code: `return "pass", "why"`, err: `value 2, the string "why", is one too many`},
	{code: `return p, p`, err: `value 2, a packet, is one too many`},
	{code: `return nil, p`, err: `value 2, a packet, is one too many`},
	{code: `return "drop", 3`, err: `the reason of a drop is a string, not the number 3`},
	{code: `return "drop", "a", "b"`, err: `a third value is too many`},
	{code: `return p.ip`, err: `is a layer (ip), not a packet: return the packet whose it is`},
	{code: `return { p.udp }`, err: `item 1: is a layer (udp), not a packet: return the packet whose it is`},
	{code: `return { p, "drop" }`, err: `item 2: is the string "drop", not a packet`},
	{code: `return { p, nil, p:copy() }`, err: `item 2: is nil, not a packet`},
	{code: `return { p, p }`, err: `items 1 and 2 are one packet: use p:copy() to send it twice`},
	{code: `return { packet = p }`, err: `the table is no list of packets (it has the string "packet")`},
	{code: `return { p, dev = "tun1" }`, err: `the table is no list of packets (it has the string "dev")`},
	{code: `return on(function() end)`, err: `is a handle, not a packet`},
	{code: `return ip{ dst = "192.0.2.9" }/udp{ sport = 1, dport = 2, len = -1 }`, err: `udp.len is -1, want 0..65535`},
}

func TestVerdicts(t *testing.T) {
	for _, tt := range verdicts {
		l := setup{devices: 2, forward: true, scripts: []string{"on(function(p)\n" + tt.code + "\nend)"}}.start(t)
		l.put(build(t, ip4(), udp(), text()))
		if tun0, tun1 := payloads(l.gotOn("tun0")), payloads(l.gotOn("tun1")); tun0 != tt.tun0 || tun1 != tt.tun1 {
			t.Errorf("%s: tun0 %q, tun1 %q; want %q, %q; errors %v", tt.code, tun0, tun1, tt.tun0, tt.tun1, l.errs)
		}
		if tt.err == "" {
			l.clean()
		} else if got := l.fails(); !strings.HasPrefix(got, "script1.lua:1: verdict: "+tt.err) {
			t.Errorf("%s: %s, want %s", tt.code, got, tt.err)
		}
	}
}

func payloads(ps []*packet.Packet) string {
	var all []string
	for _, p := range ps {
		all = append(all, string(p.Payload()))
	}
	return strings.Join(all, " ")
}

// The order is by prio, then as written; pass goes on, accept ends.
func TestTheChain(t *testing.T) {
	l := setup{forward: true, scripts: []string{`
		local function says(name, verdict) return function(p) log.info(name) return verdict end end
		on("udp", says("second", "pass"))
		on{ "udp", prio = 50, name = "last", run = says "never" }
		on{ "udp", prio = -50, run = says "first" }
		on("udp", says "third")
		on{ "tcp", prio = -100, run = says "not this" }
		on{ prio = 10, run = says("fourth", "accept") }
	`}}.start(t)
	l.put(build(t, ip4(), udp(), text()))
	if got := l.said(); got != "info: first\ninfo: second\ninfo: third\ninfo: fourth" {
		t.Errorf("the order is\n%s", got)
	}
	l.one()
}

// A handler sees what the ones before it changed, and so does its filter.
func TestAFilterSeesThePacketAsItIs(t *testing.T) {
	l := setup{forward: true, scripts: []string{`
		on("udp dst port 7", function(p) p.udp.dport = 8 end)
		on("udp dst port 7", function(p) log.info("seven") end)
		on("udp dst port 8", function(p) log.info("eight") end)
	`}}.start(t)
	l.put(build(t, ip4(), udp(), text()))
	l.clean()
	if got := l.said(); got != "info: eight" {
		t.Errorf("said %q", got)
	}
}

func TestOnErrorDecides(t *testing.T) {
	for word, left := range map[string]int{"drop": 0, "pass": 1, "stop": 0} {
		l := setup{forward: true, scripts: []string{`on{ "udp", on_error = "` + word + `", run = function(p) error("no") end }`}}.start(t)
		l.put(build(t, ip4(), udp(), text()))
		if got := l.fails(); got != "script1.lua:1: no" {
			t.Errorf("%s: the error is %q", word, got)
		}
		if got := len(l.got()); got != left {
			t.Errorf("%s: %d packets left, want %d", word, got, left)
		}
		if (l.ended != nil) != (word == "stop") {
			t.Errorf("%s: the run ended with %v", word, l.ended)
		}
	}
}

// The reason of a drop is counted; so is an error, by handler.
func TestCounters(t *testing.T) {
	l := setup{forward: true, scripts: []string{`
		on{ "udp", name = "gate", run = function(p) if p.udp.dport == 7 then return "drop", "echo is off" end error("no") end }
	`}}.start(t)
	other := udp()
	other.Dport = 8
	l.put(build(t, ip4(), udp()), build(t, ip4(), udp()), build(t, ip4(), other))
	s := l.eng.Stats()
	if s.Reasons["echo is off"] != 2 || s.Reasons[engine.ReasonError] != 1 {
		t.Errorf("reasons: %v", s.Reasons)
	}
	if h := s.Handlers[0]; h.Name != "gate" || h.Packets != 3 || h.Failed != 1 {
		t.Errorf("handler: %+v", h)
	}
}

// A cancelled handler sees nothing more; one may be added while the script runs.
func TestHandlersComeAndGo(t *testing.T) {
	l := setup{forward: true, scripts: []string{`
		local h
		h = on(function(p)
			log.info("old")
			h:cancel() h:cancel()
			on(function(p) log.info("new") end)
		end)
	`}}.start(t)
	for range 3 {
		l.put(build(t, ip4(), udp(), text()))
	}
	l.clean()
	if got := l.said(); got != "info: old\ninfo: new\ninfo: new" {
		t.Errorf("said %q", got)
	}
}

func TestADeviceOfAHandler(t *testing.T) {
	l := setup{devices: 2, forward: true, scripts: []string{`
		on{ device = "tun1", run = function(p) log.info(p.device, "to", p.out) end }
	`}}.start(t)
	l.putOn("tun0", build(t, ip4(), udp()))
	l.putOn("tun1", build(t, ip4(), udp()))
	if got := l.said(); got != "info: tun1 to tun0" {
		t.Errorf("said %q", got)
	}
}
