package luabind_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/luabind/vm"
)

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gate.lua")
	if _, err := luabind.Load(path, luabind.Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := os.WriteFile(path, []byte("on(function(p) end)"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := luabind.Load(path, luabind.Options{})
	if err != nil || s.Name() != "gate.lua" {
		t.Errorf("%v, %v", s, err)
	}
	if s, _ := luabind.Load(path, luabind.Options{Name: "other"}); s.Name() != "other" {
		t.Errorf("Options.Name is %q", s.Name())
	}
	_, err = luabind.LoadString("gate.lua", "on(function(p)\n  if p.tcp the\nend)", luabind.Options{})
	var se *luabind.ScriptError
	if !errors.As(err, &se) || se.Reason != vm.Syntax || se.Line != 2 {
		t.Errorf("%v is no syntax error at line 2", err)
	}
}

// Two scripts share nothing but the packet.
func TestScriptsAreIsolated(t *testing.T) {
	l := setup{forward: true, scripts: []string{
		`count = 0 rawset(_G, "mine", 1) on(function(p) count = count + 1 p.ip.ttl = 9 log.info("one", count) end)`,
		`on(function(p) log.info("two", tostring(count), p.ip.ttl, tostring(mine)) end)`,
	}}.start(t)
	l.put(build(t, ip4(), udp()), build(t, ip4(), udp()))
	l.clean()
	if got := l.said(); got != "info: one 1\ninfo: two nil 9 nil\ninfo: one 2\ninfo: two nil 9 nil" {
		t.Errorf("said %q", got)
	}
}

// A script's globals are its state; they last from packet to packet.
func TestGlobalsAreState(t *testing.T) {
	l := newLab(t, `
		seen = 0
		on(function(p) seen = seen + 1 last = p.ip.src log.info(seen, last) end)
		on(function(p) log.info(seen * 10) end)
	`)
	l.put(build(t, ip4(), udp()), build(t, ip4(), udp()))
	l.clean()
	if got := l.said(); got != "info: 1 192.0.2.1\ninfo: 10\ninfo: 2 192.0.2.1\ninfo: 20" {
		t.Errorf("said %q", got)
	}
}

func TestLogLevels(t *testing.T) {
	l := newLab(t, `
		log.debug("a", 1, nil) log.info(true, { } ~= nil) log.warn("w") log.error("e") print("p", 2)
		log.info(setmetatable({}, { __tostring = function() return "mine" end }))
	`)
	want := "debug: a 1 nil\ninfo: true true\nwarn: w\nerror: e\ninfo: p\t2\ninfo: mine"
	if got := l.said(); got != want {
		t.Errorf("said %q, want %q", got, want)
	}
}

func TestBytesAndText(t *testing.T) {
	l := newLab(t, `
		assert(hex"45 00:ff\n0a" == "\69\0\255\10")
		assert(tohex("\0\255A") == "00ff41")
		assert(hex(tohex("any")) == "any" and hex"" == "")
		assert(checksum("\0\1\242\3\244\245\246\247") == 0x220d)   -- the example of RFC 1071
		assert(worker == 1)
	`)
	l.clean()
}

// Lengths about those at which the key begins again, or is longer, against a byte at a
// time.
func TestXor(t *testing.T) {
	l := newLab(t, `
		local function slow(s, key)
			local out = {}
			for i = 1, #s do out[i] = string.char(bit.bxor(s:byte(i), key:byte((i - 1) % #key + 1))) end
			return table.concat(out)
		end
		local function any(n)
			local t = {}
			for i = 1, n do t[i] = string.char(math.random(0, 255)) end
			return table.concat(t)
		end
		for _, n in ipairs{ 0, 1, 2, 3, 63, 64, 65, 130 } do
			for _, k in ipairs{ 1, 2, 3, 7, 33, 63, 64, 65, 200 } do
				local s, key = any(n), any(k)
				assert(xor(s, key) == slow(s, key) and xor(xor(s, key), key) == s, n .. " " .. k)
			end
		end
		assert(tohex(xor(hex"12 34 56", hex"ff 00")) == "ed34a9")
	`)
	l.clean()
}

func TestDevices(t *testing.T) {
	l := setup{kind: "tap", scripts: []string{`
		local d = devices.tap0
		log.info(d.mtu, d.mac, d.peer_mac, table.concat(d.address, ","), table.concat(d.peer, ","))
	`}}.start(t)
	want := "info: 1500 02:00:00:00:00:01 02:00:00:00:00:02 192.0.2.1/24,2001:db8::1/64 192.0.2.2,2001:db8::2"
	if got := l.said(); got != want {
		t.Errorf("said %q", got)
	}
	l = setup{devices: 2, forward: true, scripts: []string{`log.info(devices.tun0.forward) on_start(function() log.info(devices.tun1.forward) end)`}}.start(t)
	if got := l.said(); got != "info: tun1\ninfo: tun0" {
		t.Errorf("the ways out are %q", got)
	}
	l = newLab(t, `log.info(tostring(devices.tun0.mac))`)
	if got := l.said(); got != "info: nil" {
		t.Errorf("a TUN device has the MAC %q", got)
	}
}

// A handler that never ends is broken off; the next packet finds all in order.
func TestAnEndlessHandler(t *testing.T) {
	l := setup{forward: true, limits: vm.Limits{Instructions: 10_000}, scripts: []string{`
		local n = 0
		on(function(p)
			n = n + 1
			if n == 1 then while true do end end
			pcall(function() if n == 2 then while true do end end end)
			p.payload = "packet " .. n
		end)
	`}}.start(t)
	for range 3 {
		l.put(build(t, ip4(), udp(), text()))
	}
	if got := payloads(l.got()); got != "packet 3" {
		t.Errorf("left %q", got)
	}
	for _, err := range l.errs {
		var se *luabind.ScriptError
		if !errors.As(err, &se) || se.Reason != vm.Instructions || !strings.Contains(se.Message, "10000 instructions") {
			t.Errorf("%v", err)
		}
	}
	if len(l.errs) != 2 {
		t.Errorf("%d errors, want 2", len(l.errs))
	}
}

// A script that holds too much memory is started anew, and handles the next packet;
// one that does so again and again is out of service until it is loaded anew.
func TestAMemoryBomb(t *testing.T) {
	const script = `
		local hoard = {}
		on{ "udp", on_error = "drop", run = function(p)
			if p.payload == "bomb" then
				while true do hoard[#hoard + 1] = ("x"):rep(100000) .. #hoard end
			end
			p.payload = "fine"
		end }`
	l := setup{forward: true, limits: vm.Limits{Memory: 4 << 20, Instructions: 50_000_000}}.withScript(t, script)
	l.put(build(t, ip4(), udp(), text()))
	l.put(build(t, ip4(), udp(), packet.Payload("bomb")))
	if got := l.fails(); !strings.Contains(got, "more than its 4 MiB (limits: memory)") {
		t.Errorf("the error is %s", got)
	}
	l.put(build(t, ip4(), udp(), text()))
	if got := payloads(l.got()); got != "fine fine" {
		t.Errorf("left %q, want the packets before and after the bomb", got)
	}
	for range 8 {
		l.put(build(t, ip4(), udp(), packet.Payload("bomb")))
		l.fails()
	}
	l.put(build(t, ip4(), udp(), text()))
	if got := l.fails(); !strings.Contains(got, "out of service since it failed (script1.lua:5: holds") || !strings.HasSuffix(got, "load it anew") {
		t.Errorf("the error afterwards is %s", got)
	}
	again, err := l.load("again.lua", script, vm.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.eng.Swap(l.script, again); err != nil {
		t.Fatal(err)
	}
	l.put(build(t, ip4(), udp(), text()))
	if got := payloads(l.got()); got != "fine" {
		t.Errorf("after loading it anew %q left", got)
	}
}

// withScript starts one script and remembers it, to be exchanged.
func (s setup) withScript(t *testing.T, src string) *lab {
	t.Helper()
	l := s.start(t)
	script, err := l.load("script1.lua", src, s.limits)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.eng.Add(script); err != nil {
		t.Fatal(err)
	}
	l.script = script
	return l
}

var _ engine.Program = (*luabind.Script)(nil)
