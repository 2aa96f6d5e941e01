package luabind_test

import (
	"strings"
	"testing"

	"github.com/tunscript/tunscript/engine/packet"
)

// keepers are ways to keep a packet or a part of it beyond its handler: keep runs
// with the first packet in hand, use with the second, and must not show its bytes.
var keepers = []struct{ keep, use string }{
	{`kept = p`, `kept.ip.id`},
	{`kept = p`, `kept.payload`},
	{`kept = p`, `kept:reply()`},
	{`kept = p`, `kept:bytes()`},
	{`kept = p`, `send(kept)`},
	{`kept = p`, `kept == p`},
	{`kept = p`, `kept / "x"`},
	{`list[1] = p`, `list[1].ip.id`},
	{`list[p] = true`, `next(list).ip.id`},
	{`kept = function() return p.ip.id end`, `kept()`},
	{`u = p`, `u.ip.id`},
	{`kept = coroutine.create(function(x) coroutine.yield() coroutine.yield(x.ip.id) end) coroutine.resume(kept, p)`, `assert(select(2, assert(coroutine.resume(kept))))`},
	{`kept = coroutine.wrap(function() coroutine.yield(1) return p.ip.id end) kept()`, `kept()`},
	{`kept = setmetatable({}, { __index = p })`, `kept.ip.id`},
	{`kept = setmetatable({}, { __index = function(t, k) list.p = k end }) local _ = kept[p]`, `list.p.ip.id`},
	{`local t = setmetatable({}, { __add = function(a, b) list.p = b end }) local _ = t + p`, `list.p.ip.id`},
	{`local t = setmetatable({}, { __concat = function(a, b) list.p = b return "" end }) local _ = t .. p`, `list.p.ip.id`},
	{`(function(...) kept = { ... } end)(1, p)`, `kept[2].ip.id`},
	{`save(p)`, `kept.ip.id`},
	{`save(p:reply(), p)`, `second.ip.id`},
	{`pcall(error, p) kept = select(2, pcall(error, p))`, `kept.ip.id`},
	{`pcall(function() error({ p }) end) xpcall(function() error(p) end, function(e) kept = e end)`, `kept.ip.id`},
	{`kept = p.ip`, `kept.id`},
	{`kept = p.ip`, `kept == p.ip`},
	{`kept = p.tcp`, `kept:has("A")`},
	{`kept = p.tcp.options`, `kept.mss`},
	{`kept = p.tcp.options`, `kept[8]`},
	{`kept = { p.ip, p.tcp }`, `kept[2].seq`},
	{`for _, x in ipairs{ p } do kept = x end`, `kept.ip.id`},
	{`for x in function(s, c) if not c then return s end end, p do kept = x end`, `kept.ip.id`},
	{`kept = false or p`, `kept.ip.id`},
	{`local x local f = function() return x end x = p kept = f`, `kept().ip.id`},
	{`after(0, function() kept = p end)`, `kept.ip.id`},
	{`table.insert(list, p)`, `list[1].ip.id`},
	{`rawset(_G, "kept", p)`, `kept.ip.id`},
	{`kept = select(2, 1, p)`, `kept.ip.id`},
	{`kept = unpack{ p }`, `kept.ip.id`},
	{`kept = ({ p, n = p }).n`, `kept.ip.id`},
	// What was given away as a verdict is gone, too, though the script made it.
	{`kept = p:reply() return kept`, `kept.ip.id`},
	{`kept = p:copy() return { p, kept }`, `kept.ip.id`},
	{`kept = p:reply() list[1] = kept.tcp return kept`, `list[1].seq`},
}

func TestAKeptPacketIsGone(t *testing.T) {
	for _, tt := range keepers {
		l := setup{forward: true, scripts: []string{`
			local list, u, first = {}, nil, true
			local function save(x, y) kept, second = x, y end
			on(function(p)
				if first then first = false ` + tt.keep + ` else local shown = ` + use(tt.use) + ` log.info("shows", shown) end
			end)
		`}}.start(t)
		for i := range 2 {
			h, tcp := ip4(), ack()
			h.ID, tcp.Options = uint16(100+i), []byte{2, 4, 5, 180, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0}
			l.put(build(t, h, tcp, packet.Payload(strings.Repeat("x", 1+i))))
			if i == 0 {
				l.clean()
				l.advance(0)
				l.said()
			}
		}
		if said := l.said(); said != "" {
			t.Errorf("%s, then %s: %s", tt.keep, tt.use, said)
		}
		if got := l.fails(); !strings.Contains(got, "use p:copy()") {
			t.Errorf("%s, then %s: the error is %s", tt.keep, tt.use, got)
		}
	}
}

// use is an expression of what may be a statement.
func use(code string) string {
	if strings.HasPrefix(code, "send") {
		return "(function() " + code + " end)()"
	}
	return code
}

// What a script made itself is its own until it is returned.
func TestWhatAScriptMadeStays(t *testing.T) {
	tests := []string{
		`kept = p:copy()`,
		`kept = p:reply()`,
		`kept = p:copy() list[1] = kept.ip`,
		`local function f(q) kept = q:copy() end f(p)`,
		`kept = packet(p:bytes())`,
		`local r = p:reply() kept = r:copy()`,
		`kept = p:copy() send(kept) send(kept)`,
		`local q = p:copy() kept = q return "pass"`,
		`template = template or p:copy() local function f() kept = template:reply() end f()`,
	}
	for _, keep := range tests {
		l := setup{forward: true, scripts: []string{`
			local list, n, first = {}, 0
			on(function(p)
				n = n + 1
				if n == 1 then ` + keep + ` end
			end)
			on(function(p)
				first = first or kept.tcp.seq .. kept.ip.id
				local a, b, c = p:reply(), p:reply(), p:copy() -- userdata that are used again
				if kept.tcp.seq .. kept.ip.id ~= first then log.error("shows another packet") end
				if list[1] and list[1].id ~= kept.ip.id then log.error("its layer shows another packet") end
			end)
		`}}.start(t)
		for i := range 4 {
			h, tcp := ip4(), ack()
			h.ID, tcp.Seq, tcp.Ack = uint16(100+i), uint32(i), uint32(50+i)
			l.put(build(t, h, tcp, text()))
		}
		l.clean()
		if said := l.said(); said != "" {
			t.Errorf("%s: %s", keep, said)
		}
	}
}

// The same script on the next packet begins with nothing of the last one: an answer
// that was not returned goes back where it came from, unseen.
func TestAnswersThatAreNotReturned(t *testing.T) {
	l := newLab(t, `on(function(p)
		for i = 1, 100 do
			local r = p:reply{ payload = tostring(i) }
			if r.payload ~= tostring(i) then log.error("shows", r.payload) end
		end
		local a, b = p:reply{ payload = "a" }, p:reply{ payload = "b" }
		if a == b or a ~= a then log.error("cannot be told apart") end
		return b
	end)`)
	for range 50 {
		l.put(build(t, ip4(), udp(), text()))
		if got := string(l.one().Payload()); got != "b" {
			t.Fatalf("got %q", got)
		}
	}
	l.clean()
	if said := l.said(); said != "" {
		t.Error(said)
	}
}

// A failure in the middle leaves nothing behind for the next packet.
func TestAfterAFailure(t *testing.T) {
	l := newLab(t, `on(function(p)
		local r = p:reply()
		r.payload = p.payload .. "!"
		if p.payload == "bad" then local x = r.nothing end
		return r
	end)`)
	for range 3 {
		l.put(build(t, ip4(), udp(), packet.Payload("bad")), build(t, ip4(), udp(), packet.Payload("good")))
		if got := string(l.one().Payload()); got != "good!" {
			t.Errorf("got %q", got)
		}
	}
}
