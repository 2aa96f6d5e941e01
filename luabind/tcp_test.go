package luabind_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/impair"
	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/tundev"
)

// far is the other end of a pipe, by a name of its own.
type far struct {
	engine.Device
	name string
}

func (d far) Info() engine.Info {
	info := d.Device.Info()
	info.Name = d.name
	return info
}

// talk runs two scripts at the two ends of a pipe, with faults between them, for a while
// of virtual time, and gives what they logged.
func talk(t *testing.T, server, client string, faults impair.Options, d time.Duration) (log []string) {
	t.Helper()
	dev, wire := tundev.Pipe(tundev.Config{
		Name: "tun0", Kind: tundev.TUN, TxQueueLen: 10_000,
		Address: []netip.Prefix{netip.PrefixFrom(host, 24), netip.PrefixFrom(host6, 64)}, Peer: []netip.Addr{peer, peer6},
	})
	c := engine.Config{
		Seed: 3, Clock: engine.Virtual(t0), Held: 100_000,
		Devices: []engine.DeviceConfig{{Device: dev}, {Device: far{wire.Device(), "far0"}}},
		Observer: engine.ObserverFunc(func(e *engine.Event) {
			if e.Kind == engine.Failed {
				t.Errorf("%s: %v", e.Program, e.Err)
			}
		}),
	}
	if faults != (impair.Options{}) {
		c.Impair = []engine.ImpairConfig{{Devices: []string{"tun0"}, Options: faults}, {Devices: []string{"far0"}, Options: faults}}
	}
	for i, src := range []string{server, client} {
		script, err := luabind.LoadString([]string{"server.lua", "client.lua"}[i], src, luabind.Options{
			Log: func(_ luabind.Level, script, text string) { log = append(log, script+": "+text) },
		})
		if err != nil {
			t.Fatal(err)
		}
		c.Programs = append(c.Programs, engine.ProgramConfig{Program: script, Devices: []string{[]string{"tun0", "far0"}[i]}})
	}
	eng, err := engine.New(c)
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	if err := eng.Advance(d); err != nil {
		t.Fatal(err)
	}
	return log
}

const echoServer = `
	local tcp = require "tcp"
	tcp.listen(7, function(conn)
		while true do
			local s, err = conn:read("*l")
			if not s then return log.info("closed", err) end
			conn:write(s:upper() .. "\n")
		end
	end)`

func TestTCPLines(t *testing.T) {
	for _, dst := range []string{"192.0.2.2", "2001:db8::2"} {
		log := talk(t, echoServer, fmt.Sprintf(`
			local tcp = require "tcp"
			spawn(function()
				local conn = assert(tcp.connect{ dst = %q, dport = 7 })
				conn:write("hello\nwor")
				log.info(conn:read("*l"))
				conn:write("ld\n")
				log.info(conn:read("*l"))
				conn:close()
				log.info(conn:read("*a") == "", conn.state)
				sleep(3)
				log.info(conn.state)
			end)`, dst), impair.Options{}, time.Minute)
		want := "client.lua: HELLO|client.lua: WORLD|server.lua: closed nil|client.lua: true time-wait|client.lua: closed"
		if got := strings.Join(log, "|"); got != want {
			t.Errorf("%s:\n got %s\nwant %s", dst, got, want)
		}
	}
}

// A megabyte each way, over links that are ever worse: what arrives is what was sent.
func TestTCPOverBadLinks(t *testing.T) {
	const server = `
		local tcp = require "tcp"
		tcp.listen(80, function(conn)
			while true do
				local s = conn:read(10000)
				if not s then return end
				conn:write(s)
			end
		end)`
	const client = `
		local tcp = require "tcp"
		local piece = {}
		for i = 1, 1000 do piece[i] = ("%06d "):format(i) end
		piece = table.concat(piece)
		local start = now()
		spawn(function()
			local conn = assert(tcp.connect{ dst = "192.0.2.2", dport = 80 })
			spawn(function()
				for i = 1, 150 do assert(conn:write(i .. piece)) end
				conn:close()
			end)
			for i = 1, 150 do
				local want = i .. piece
				local got = conn:read(#want)
				if got ~= want then return log.info("differs at", i, #(got or ""), #want, conn.err) end
			end
			log.info(conn:read(1) == nil and "the same" or "more", conn.state)
		end)`
	for name, faults := range map[string]impair.Options{
		"a wire":   {},
		"delay":    {Delay: 20 * time.Millisecond},
		"loss":     {Delay: 5 * time.Millisecond, Loss: 0.02},
		"all":      {Delay: 5 * time.Millisecond, Jitter: 2 * time.Millisecond, Loss: 0.03, Reorder: 0.02, Duplicate: 0.01},
		"terrible": {Delay: 10 * time.Millisecond, Loss: 0.15},
	} {
		log := talk(t, server, client, faults, 30*time.Minute)
		if got := strings.Join(log, "|"); !strings.HasPrefix(got, "client.lua: the same") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestTCPEnds(t *testing.T) {
	for name, tt := range map[string]struct{ server, client, want string }{
		"nobody listens": {`local tcp = require "tcp" tcp.listen(1, function() end) on("tcp", function(p) return p:rst() end)`,
			`local c, err = tcp.connect{ dst = "192.0.2.2", dport = 2 } log.info(c, err)`, "client.lua: nil refused"},
		"nobody is there": {`on("udp", function() end)`,
			`local c, err = tcp.connect{ dst = "192.0.2.2", dport = 2, timeout = 5 } log.info(c, err, now() - start)`, "client.lua: nil timed out 5"},
		"the server aborts": {`require "tcp".listen(2, function(conn) conn:read("*l") conn:abort() end)`,
			`local c = tcp.connect{ dst = "192.0.2.2", dport = 2 } c:write("x\n") log.info(c:read("*a"))`, "client.lua: nil reset by the other end"},
		"the server fails": {`require "tcp".listen(2, function(conn) conn:write("bye") end)`,
			`local c = tcp.connect{ dst = "192.0.2.2", dport = 2 } log.info(c:read("*a")) c:close() log.info(c:write("late"))`, "client.lua: bye|client.lua: nil the connection is closed"},
		"segments can be bent": {`require "tcp".listen(2, function(conn) local n = 0
				conn.on_segment = function(c, p, way) if way == "in" and #p.payload > 0 then n = n + 1 return n > 2 end end
				conn:write(conn:read("*l")) end)`,
			`local c = tcp.connect{ dst = "192.0.2.2", dport = 2 } sleep(0.1) c:write("three times\n") log.info(c:read("*a"), now() - start > 0.5)`, "client.lua: three times true"},
		"a read larger than the window": {`require "tcp".listen(2, function(conn) local s = conn:read(600000) conn:write(#s .. " " .. s:sub(-3)) end)`,
			`local c = tcp.connect{ dst = "192.0.2.2", dport = 2 } c:write(("abc"):rep(300000)) log.info(c:read("*a"))`, "client.lua: 600000 abc"},
		"a line larger than the window": {`require "tcp".listen(2, function(conn) conn:write(#conn:read("*l") .. conn:read("*a")) end)`,
			`local c = tcp.connect{ dst = "192.0.2.2", dport = 2 } c:write(("x"):rep(300000)) c:write("\r\nrest") c:close() log.info(c:read("*a"))`, "client.lua: 300000rest"},
		"small writes share a segment": {`require "tcp".listen(2, function(conn)
				local n = 0
				conn.on_segment = function(c, p, way) if way == "in" and #p.payload > 0 then n = n + 1 end end
				conn:write(#conn:read("*a") .. " in " .. (n < 20 and "few" or n)) end)`,
			`local c = tcp.connect{ dst = "192.0.2.2", dport = 2, }
			for i = 1, 2000 do c:write("x") end c:close() log.info(c:read("*a"))`, "client.lua: 2000 in few"},
		"the handshake can be watched": {`require "tcp".listen(2, function(conn) conn:close() end, function(c, p, way) if p.tcp:has("S") then log.info(way, p.tcp.flags, c.state) end end)`,
			`local c = tcp.connect{ dst = "192.0.2.2", dport = 2, on_segment = function(c, p, way) if p.tcp:has("S") then log.info(way, p.tcp.flags, c.state) end end }`,
			"client.lua: out S syn-sent|server.lua: in S syn-received|server.lua: out SA syn-received|client.lua: in SA syn-sent"},
		"what leaves can be bent": {`require "tcp".listen(2, function(conn) log.info(conn.mss) end)`,
			`tcp.connect{ dst = "192.0.2.2", dport = 2, on_segment = function(c, p, way) if way == "out" and p.tcp:has("S") then p.tcp.options.mss = 99 end end }`,
			"server.lua: 99"},
		"what leaves can be lost": {`require "tcp".listen(2, function(conn) end)`,
			`local n = 0 local c, err = tcp.connect{ dst = "192.0.2.2", dport = 2, on_segment = function(c, p, way) n = n + 1 return n > 3 end } log.info(c ~= nil, err, now() - start)`,
			"client.lua: true nil 7"},
		"both call at once": {`local tcp = require "tcp" on_start(function() spawn(function() local c = tcp.connect{ dst = "192.0.2.1", dport = 3000, sport = 4000 } c:write("from one\n") log.info(c:read("*l")) end) end)`,
			`local c = tcp.connect{ dst = "192.0.2.2", dport = 4000, sport = 3000 } c:write("from two\n") log.info(c:read("*l"))`, "from two|"},
		"a port that is none": {`on("udp", function() end)`, `log.info(select(2, pcall(tcp.listen, "80", print)))`, "want a port from 1 to 65535 and a function"},
		"the module still builds": {`on("udp", function() end)`,
			`local p = ip{ dst = "192.0.2.2" }/tcp{ dport = 80 } log.info(p.tcp.dport)`, "client.lua: 80"},
		"an option that is none": {`on("udp", function() end)`,
			`log.info(select(2, pcall(tcp.connect, { dst = "192.0.2.2", dport = 2, prot = 1 })))`, `there is no "prot"`},
	} {
		log := talk(t, tt.server, `local tcp = require "tcp" local start = now() spawn(function() `+tt.client+` end)`, impair.Options{}, 10*time.Minute)
		if got := strings.Join(log, "|"); !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

func TestEvent(t *testing.T) {
	l := newLab(t, `
		local ev = event()
		local start = now()
		local function tell(...) log.info(now() - start, ...) end
		spawn(function()
			tell(ev:wait(1))
			tell(ev:wait())
			tell(ev:wait(0.5))
		end)
		after(1.5, function() ev:set() end)
		after(3, function() ev:set() ev:set() spawn(function() tell("kept", ev:wait()) end) end)
		spawn(function() sleep(4) for i = 1, 2 do spawn(function() ev:wait() tell("both", i) end) end ev:set() end)`)
	l.advance(10 * time.Second)
	l.clean()
	want := "info: 1 false\ninfo: 1.5 true\ninfo: 2 false\ninfo: 3 kept true\ninfo: 4 both 1\ninfo: 4 both 2"
	if got := l.said(); got != want {
		t.Errorf("said\n%s\nwant\n%s", got, want)
	}
	for src, want := range map[string]string{`event():wait()`: "only a task can wait", `event().set()`: "call it with a colon"} {
		if _, err := (setup{scripts: []string{src}}).try(t); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", src, err)
		}
	}
}
