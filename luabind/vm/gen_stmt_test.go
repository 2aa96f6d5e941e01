package vm

import (
	"fmt"
	"strings"
)

// target is something to assign to, and an expression that reads it back.
func (g *gen) target(tab string) string {
	return g.pick(g.local(), g.local(), g.local(), tab+".x", tab+"[1]", tab+"[2]", tab+"['y']", tab+"[one()]", "id("+tab+").z", "gl"+g.pick("1", "2"))
}

// assignments of every shape: locals, upvalues, globals, fields, keys, several at
// once, too many, too few, values that read what is being assigned.
func (g *gen) assignments() {
	vs := g.vars(3)
	t := g.name("t")
	g.w("local %s = {1, 2, x = 3}\n", t)
	inFunction := g.chance(40)
	if inFunction {
		g.w("local function fn(%s)\n", g.pick("", vs[0], "p, q", "p, "+vs[1]))
	}
	for range 2 + g.n(4) {
		n := 1 + g.n(4)
		var lhs, rhs []string
		for range n {
			lhs = append(lhs, g.target(t))
		}
		for range max(1, n+g.n(3)-1) {
			rhs = append(rhs, g.pick(g.local(), g.logical(2), t+".x", t+"[1]", "one()", "two()", "id("+g.local()+", 4)", "F() and T()",
				g.local()+" and F()", g.local()+" or N()", "{"+g.local()+"}", "#'abc'", "N() and 5", "not "+g.local(), g.local()+" == 1"))
		}
		g.w("%s = %s\n", strings.Join(lhs, ", "), strings.Join(rhs, ", "))
		if g.chance(50) {
			g.w("%s = type(%s) == 'table' and %s or {1}\n", t, t, t)
		}
	}
	if inFunction {
		g.w("out(%s) end fn(%s) fn()\n", strings.Join(vs, ", "), g.pick("", "1", "1, 2", "nil, false"))
	}
	g.out(append(vs, t, "gl1", "gl2")...)
}

// logic puts logical expressions wherever an expression may stand.
func (g *gen) logic() {
	g.vars(3)
	for i := range 4 {
		e, e2 := g.logical(3), g.logical(2)
		switch g.n(12) {
		case 0:
			v := g.local()
			g.w("%s = %s\n", v, e)
			g.out(v)
		case 1:
			g.w("local w = %s out(w)\n", e)
		case 2:
			g.w("if %s then out(%d, 'T') else out(%d, 'F') end\n", e, i, i)
		case 3:
			g.out(e, e2)
		case 4:
			g.w("local t = {%s, k = %s, [%d] = %s} out(t[1], t.k, t[9])\n", e, e2, 9, e)
		case 5:
			a, b := g.local(), g.local()
			g.w("%s, %s = %s, %s out(%s, %s)\n", a, b, e, e2, a, b)
		case 6:
			v := g.local()
			g.w("local function q() %s = %s return %s end local r = q() out(%s, r)\n", v, e, e2, v)
		case 7:
			g.w("local n = 0 while %s do n = n + 1 if n > 2 then break end end out('n', n)\n", e)
		case 8:
			g.w("local n = 0 repeat n = n + 1 local z = n > 2 until z or %s out('n', n)\n", e)
		case 9:
			g.w("local t = {} t.a = %s t[%s or 1] = %s out(t)\n", e, e2, e2)
		case 10:
			g.w("out((%s) and 'and' or 'or', not (%s))\n", e, e2)
		case 11:
			g.w("if %s then out 'a' elseif %s then out 'b' else out 'c' end\n", e, e2)
		}
	}
}

// closures capture variables of loops and blocks and change them afterwards.
func (g *gen) closures() {
	f, n := g.name("f"), g.name("n")
	g.w("local %s, %s = {}, %d\n", f, n, g.n(5))
	loop := g.pick("for i = 1, %d do", "for _, i in ipairs{1, 2, %d} do", "local i = 0 while i < %d do i = i + 1", "local i = 0 repeat i = i + 1")
	if strings.Contains(loop, "%d") {
		loop = fmt.Sprintf(loop, 2+g.n(3))
	}
	g.w("do %s\n", loop)
	g.w("local c = i * %d\n", 1+g.n(3))
	g.w("%s[#%s + 1] = function() c = c + 1 %s = %s + i return c, %s end\n", f, f, n, n, n)
	switch g.n(4) {
	case 0:
		g.w("if i == 2 then break end\n")
	case 1:
		g.w("c = c + 10\n")
	case 2:
		g.w("do local d = c %s[#%s + 1] = function() d = d + c return d, i end end\n", f, f)
	}
	if strings.Contains(loop, "repeat") {
		g.w("until %s end\n", g.pick("c > 3", "i >= 3", "(function() return c end)() > 3 or i > 4"))
	} else {
		g.w("end end\n")
	}
	g.w("for _ = 1, 2 do for i = 1, #%s do out(i, %s[i]()) end end\n", f, f)
	g.out(n)
	if g.chance(50) {
		g.w("local function counter() local k = %d return function(d) k = k + (d or 1) return k end, function() return k end end\n", g.n(9))
		g.w("local a, b = counter() local c = counter() out(a(), a(5), b(), c(2), b())\n")
	}
}

// varargs pass, drop, select and store "...".
func (g *gen) varargs() {
	f := g.name("f")
	g.w("local function %s(%s...)\n", f, g.pick("", "a, ", "a, b, "))
	for range 1 + g.n(3) {
		g.w("%s\n", g.pick("out(select('#', ...), ...)", "out((...))", "local x, y, z = ... out(x, y, z)", "local t = {...} out(#t, t[1])",
			"local t = {..., 5} out(t[1], t[2])", "out(..., 'end')", "local t = {n = select('#', ...), ...} out(t.n, t[2])",
			"for i = 1, select('#', ...) do out(i, (select(i, ...))) end", "if ... then out 'some' end", "local x = ... and 1 or 2 out(x)",
			"local g2 = function(...) return select('#', ...), ... end out(g2(1, ...)) out(g2(..., 1))", "out(pcall(id, ...))",
			"local k = (... or 7) out(k)", "out(#{...}, -1)", "out(tostring((...)) .. 'x')"))
	}
	g.w("return %s\nend\n", g.pick("...", "(...)", "..., 1", "1, ...", "select(2, 1, ...)", "id(...)", "#{...}"))
	for range 3 {
		g.w("out(%s(%s))\n", f, g.pick("", "1", "1, nil", "nil, nil", "1, 2, 3", "two()", "two(), 3", "3, two()", "nil, two()", "unpack({1, 2, 3}, 2)", "unpack({1, nil, 3}, 1, 3)"))
	}
}

// gotos jump to the end of a loop's body and backwards, past closures.
func (g *gen) gotos() {
	l, f := g.name("cont"), g.name("f")
	g.w("local %s, s = {}, 0\n", f)
	g.w("for i = 1, %d do ", 3+g.n(3))
	g.either("", "repeat ")
	g.w("\nlocal c = i\n")
	if g.chance(60) {
		g.w("%s[#%s + 1] = function() c = c + 1 return c end\n", f, f)
	}
	g.w("if %s then ", g.pick("i == 2", "i % 2 == 0", "c > 2", "i == 1 or i == 3"))
	g.either("goto "+l, "break")
	g.w(" end\n")
	if g.chance(50) {
		g.w("local d = c * 2 %s[#%s + 1] = function() d = d + 1 return d end\n", f, f)
	}
	g.w("s = s + c\n")
	g.either("::"+l+"::", "until true")
	g.w(" end\n")
	g.w("out(s) for i = 1, #%s do out(%s[i](), %s[i]()) end\n", f, f, f)
	if g.chance(60) {
		top := g.name("top")
		g.w("local k, fs = 0, {}\n")
		g.either("do ::"+top+":: ", "while true do ")
		g.w("local c = k fs[#fs + 1] = function() c = c + 10 return c end\n")
		g.w("if k < 3 then k = k + 1 ")
		g.either("goto "+top+" end", "else break end")
		g.w(" end\nfor i = 1, #fs do out(k, fs[i](), fs[i]()) end\n")
	}
	if g.chance(40) {
		done := g.name("done")
		g.either("do ", "repeat ")
		g.w("for i = 1, 3 do for j = 1, 3 do if i * j == %d then out(i, j) ", 2+g.n(5))
		g.either("goto "+done+" end end end out 'none' ::"+done+":: end", "NESTED = true break end end if NESTED then break end end if NESTED then NESTED = nil break end out 'none' until true")
		g.w("\n")
	}
}

// loops of all kinds with breaks, bounds and steps.
func (g *gen) loops() {
	for range 2 {
		v := g.name("i")
		switch g.n(6) {
		case 0:
			g.w("for %s = %d, %d, %s do out(%s) end\n", v, g.n(4)-1, g.n(6)-1, g.pick("1", "-1", "2", "0.5", "-2"), v)
		case 1:
			g.w("for %s = %s, %s do out(%s) if %s > 4 then break end end\n", v, g.num(1, "1"), g.num(1, "3"), v, v)
		case 2:
			g.w("local t = {10, 20, 30, x = 1} for k, %s in ipairs(t) do out(k, %s) t[4] = k == 1 and 40 or t[4] end\n", v, v)
		case 3:
			g.w("local function iter(s, c) if c < s then return c + 1, c * 2 end end for a, b in iter, %d, 0 do out(a, b) end\n", g.n(4))
		case 4:
			g.w("local %s = 5 while %s > 0 do %s = %s - 1 if %s == 2 then break end local q = %s out(q) end\n", v, v, v, v, v, v)
		case 5:
			g.w("for a in (\"k1 k2 k3\"):gmatch('%%w+') do if a == 'k%d' then break end out(a) end\n", 1+g.n(3))
		}
	}
}

// functions with recursion, methods, tail calls and shadowed names.
func (g *gen) functions() {
	switch g.n(6) {
	case 0:
		g.w("local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end out(fib(%d))\n", 5+g.n(8))
	case 1:
		g.w("local o = {n = %d} function o:add(d) self.n = self.n + d return self end function o.get(s) return s.n end out(o:add(2):add(3):get(), o.get(o))\n", g.n(5))
	case 2:
		g.w("local function loop(n, acc) if n == 0 then return acc end return loop(n - 1, acc + n) end out(loop(%d, 0))\n", g.n(100))
	case 3:
		g.w("local x = 1 local f = function() return x end local x = 2 local g2 = function() x = x + 1 return x end out(f(), g2(), f(), x)\n")
	case 4:
		g.w("local f = function(n) return n <= 0 and 'done' or (f and 'self' or 'global') end out(f(%d))\n", g.n(2))
	case 5:
		g.w("local even, odd function even(n) if n == 0 then return true end return odd(n - 1) end function odd(n) if n == 0 then return false end return even(n - 1) end out(even(%d), odd(7))\n", g.n(9))
	}
	g.w("local function p(x, y) x = id(x, y) y = x and y or x x, y = y, x return x, y end out(p(1, 2)) out(p(nil, 3)) out(p(%s, %s))\n", g.atom(), g.atom())
	g.w("local function q(x) x = %s return x end out(q(%s), q(2))\n", g.pick("id(x)", "not x", "x and id(x)", "two()", "{x}", "x == 2", "(x or 1)", "id(id(x), x)"), g.atom())
}

// mixture is nested statements of all sorts over a few variables.
func (g *gen) mixture() {
	g.vars(3)
	g.w("local a, b = 1, 2\n")
	for range 4 {
		g.statement(3)
	}
	g.out(append(append([]string{}, g.locals...), "a", "b")...)
}

func (g *gen) statement(d int) {
	keep := len(g.locals)
	switch k := g.n(10); {
	case d == 0 || k < 3:
		v := g.local()
		g.w("%s = %s\n", v, g.logical(2))
	case k == 3:
		g.w("a, b = b, a + 1\n")
	case k == 4:
		g.w("if %s then\n", g.logical(2))
		g.statement(d - 1)
		g.w("else\n")
		g.statement(d - 1)
		g.w("end\n")
	case k == 5:
		g.w("for i = 1, %d do local w = %s\n", 1+g.n(3), g.atom())
		g.locals = append(g.locals, "w")
		g.statement(d - 1)
		g.w("a = a + i end\n")
	case k == 6:
		g.w("do local u, w = %s, %s\n", g.logical(2), g.atom())
		g.locals = append(g.locals, "u", "w")
		g.statement(d - 1)
		g.statement(d - 1)
		g.w("end\n")
	case k == 7:
		g.w("local _ = (function(...) local x = %s\n", g.pick("...", "a", "b", "(...)"))
		g.locals = append(g.locals, "x")
		g.statement(d - 1)
		g.w("b = b + 1 end)(%s)\n", g.atom())
	case k == 8:
		g.w("pcall(function() a = a + 1\n")
		g.statement(d - 1)
		g.w("%s end)\n", g.pick("error 'x'", "b = b * 2", "error()", "local n n()"))
	default:
		g.w("out(%s)\n", g.any(2))
	}
	g.locals = g.locals[:keep]
}
