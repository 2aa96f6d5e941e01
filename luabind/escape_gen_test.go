package luabind

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// A handlerGen writes random handlers that move their packet around: through
// variables, branches, loops, closures, calls and metamethods, and now and then
// into a place that outlives them. q and r always hold a packet, l a TCP header, n
// a number; x, y and z hold anything.
type handlerGen struct {
	*rand.Rand
	b     strings.Builder
	depth int
	sinks bool // whether places that outlive the handler are written at all
	loops int
}

// randomHandler is the source of "function(p) ... end".
func randomHandler(r *rand.Rand) string {
	g := &handlerGen{Rand: r, sinks: r.IntN(3) > 0}
	g.line("function(p)")
	g.line("local q, r, l, n, x, y = p, p, p.tcp, 1")
	g.block(4 + g.IntN(8))
	switch g.IntN(6) {
	case 0:
		g.line("do return %s end", g.packet(2))
	case 1:
		g.line(`do return "drop" end`)
	case 2:
		if g.sinks {
			g.line("do return { %s:copy(), %s:reply() } end", g.packet(1), g.packet(1))
		}
	}
	g.line("end")
	return g.b.String()
}

func (g *handlerGen) line(format string, args ...any) { fmt.Fprintf(&g.b, format+"\n", args...) }

func (g *handlerGen) of(choices ...string) string { return choices[g.IntN(len(choices))] }

func (g *handlerGen) block(n int) {
	for range n {
		g.statement()
	}
}

// packet is an expression that is a packet.
func (g *handlerGen) packet(deep int) string {
	if deep <= 0 {
		return g.of("p", "q", "r")
	}
	switch g.IntN(9) {
	case 0:
		return "(" + g.packet(deep-1) + "):copy()"
	case 1:
		return "(" + g.packet(deep-1) + "):reply()"
	case 2:
		return "(" + g.packet(deep-1) + "):copy{ ip = { ttl = n % 200 } }"
	case 3:
		return "(" + g.condition() + " and " + g.packet(deep-1) + " or " + g.packet(deep-1) + ")"
	case 4:
		return "(" + g.packet(deep-1) + " or x)"
	}
	return g.packet(0)
}

func (g *handlerGen) header(deep int) string {
	switch g.IntN(4) {
	case 0:
		return "l"
	case 1:
		return "(l or " + g.packet(deep) + ".tcp)"
	}
	return "(" + g.packet(deep) + ").tcp"
}

func (g *handlerGen) number() string {
	return g.of("n", "n + 1", "l.seq", "q.len", "p.ip.ttl", "q:u8(9)", "#q.payload", "(l:has('A') and 3 or 4)", "1")
}

func (g *handlerGen) condition() string {
	return g.of("n % 2 == 0", "x", "not x", "l.seq % 3 == 0", "x == y", "q == r", "q:valid()", "n > 2", "l:has('S')")
}

// any is an expression for x, y and z.
func (g *handlerGen) any(deep int) string {
	if deep <= 0 {
		return g.of("x", "y", "p", "q", "l", "nil", "n")
	}
	choices := []func() string{
		func() string { return g.packet(deep) },
		func() string { return g.header(deep) },
		func() string { return "(" + g.packet(deep-1) + ").ip" },
		func() string { return "(" + g.packet(deep-1) + ").tcp.options" },
		func() string { return "(" + g.condition() + " and " + g.any(deep-1) + " or " + g.any(deep-1) + ")" },
		func() string { return "(" + g.any(deep-1) + " or " + g.any(deep-1) + ")" },
		func() string { return "(" + g.any(deep-1) + " and " + g.any(deep-1) + ")" },
		func() string { return g.number() },
		func() string { return g.any(0) },
	}
	if g.sinks && g.IntN(4) == 0 {
		choices = []func() string{
			func() string { return "{ " + g.any(deep-1) + ", k = " + g.any(deep-1) + " }" },
			func() string { return "{ id(" + g.any(deep-1) + ", " + g.any(deep-1) + ") }" },
			func() string { return "id(" + g.any(deep-1) + ")" },
			func() string { return "second(" + g.any(deep-1) + ", " + g.any(deep-1) + ")" },
			func() string { return "select(2, id(1, " + g.any(deep-1) + "))" },
			func() string { return "(function(...) return ... end)(" + g.any(deep-1) + ")" },
			func() string { return "function() return " + g.any(deep-1) + " end" },
			func() string { return "box(" + g.any(deep-1) + ")" },
			func() string { return "setmetatable({}, { __index = { v = " + g.any(deep-1) + " } })" },
			func() string { return "coroutine.wrap(function() coroutine.yield(" + g.any(deep-1) + ") end)" },
			func() string { return "second(pcall(error, " + g.any(deep-1) + "))" },
			func() string { return "second(pcall(id, " + g.any(deep-1) + "))" },
			func() string { return "template:reply()" },
			func() string { return "packet(p:bytes())" },
		}
	}
	return choices[g.IntN(len(choices))]()
}

func (g *handlerGen) statement() {
	if g.sinks && g.IntN(6) == 0 {
		g.sink()
		return
	}
	switch g.IntN(14) {
	case 0, 1:
		g.line("%s = %s", g.of("q", "r"), g.packet(2))
	case 2:
		g.line("l = %s", g.header(1))
	case 3, 4:
		g.line("%s = %s", g.of("x", "y"), g.any(2))
	case 5:
		g.line("%s", g.of("x, y = y, x", "q, r = r, q", "x, q = q, q", "q, x, r = r, q, q", "x, y, n = p.ip, l, l.ack"))
	case 6:
		g.line("n = %s", g.number())
	case 7:
		g.line("%s", g.of("q.ip.ttl = 9", "l.window = n % 100", "p.ip.tos = 4", "q.tcp.urgent = 3"))
	case 8:
		g.line("count = n + %s", g.number())
	default:
		g.nested()
	}
}

func (g *handlerGen) nested() {
	if g.depth > 2 {
		g.line("x = %s", g.any(1))
		return
	}
	g.depth++
	defer func() { g.depth-- }()
	switch g.IntN(6) {
	case 0:
		g.line("if %s then", g.condition())
		g.block(1 + g.IntN(3))
		if g.IntN(2) == 0 {
			g.line("else")
			g.block(1 + g.IntN(2))
		}
	case 1:
		g.line("for n = 1, 3 do")
		g.block(1 + g.IntN(3))
		if g.IntN(4) == 0 {
			g.line("if n == 2 then break end")
		}
	case 2:
		g.loops++
		g.line("local i%d = 0 while i%d < 3 do i%d = i%d + 1", g.loops, g.loops, g.loops, g.loops)
		g.block(1 + g.IntN(3))
	case 3:
		g.line("for k, z in pairs{ 1, 2 } do local w = %s x = %s", g.any(1), g.of("w", "z", "k"))
		g.block(1 + g.IntN(2))
	case 4:
		g.line("do local z, w = %s, %s", g.any(1), g.any(1))
		g.block(1 + g.IntN(2))
		g.line("x = %s", g.of("z", "w", "y"))
	default:
		if g.sinks {
			g.line("local function f() return %s end", g.of("x", "q", "l", "n", "y"))
			g.line("fns[#fns + 1] = f do")
		} else {
			g.line("do")
		}
		g.block(1 + g.IntN(3))
	}
	g.line("end")
}

// sink writes into a place that outlives the handler.
func (g *handlerGen) sink() {
	v := g.any(1)
	g.line("%s", g.of(
		"kept[#kept + 1] = "+v,
		"kept.last = "+v,
		"kept[q] = true",
		"u1 = "+v,
		"u2, u1 = u1, "+v,
		"g1 = "+v,
		"save("+v+")",
		"save(1, "+v+")",
		"x = object[q]",
		"object.field = "+v,
		"x = object + q",
		"x = l + object",
		"x = object .. q",
		"x = object / r",
		"x = object(q)",
		"x = object:method(l)",
		"fns[#fns + 1] = function() return x, q, l end",
		"fns[#fns + 1] = function() return y end y = "+v,
		"fns[#fns + 1] = coroutine.wrap(function() coroutine.yield("+v+") end)",
		"save(pcall(error, q))",
		"save(select(2, pcall(function() error(r) end)))",
		"u1 = template:copy() u2 = u1.ip",
		"u1 = packet(p:bytes())",
		"for z in id, nil, q do save(z) break end",
		"table.insert(kept, "+g.of("q", "l", "r")+")",
		"kept = { kept[1], "+v+", k = "+v+" }",
		"(function(...) kept[#kept + 1] = ... end)("+v+")",
		"save(string.format('%s', x), q)",
		"l:has('S', save(q))",
		"u1 = u1 and q or "+v,
		"g1 = { [p] = l }",
		"u1 = { "+g.packet(1)+" }",
		"u1 = { 1, "+g.of("q:copy()", "r:reply()", "id(q)")+" }",
		"save(n, "+g.of("q:copy()", "r:reply()", "id(l)")+")",
	))
}
