package vm

import (
	"fmt"
	"strings"
)

// protected calls that fail, with closures over variables of the enclosing function.
func (g *gen) protected() {
	n := g.name("n")
	g.w("local %s, log = 0, {} local function inc() %s = %s + 1 return %s end\n", n, n, n, n)
	for range 1 + g.n(3) {
		body := g.pick("error 'x'", "error('x', 0)", "error({code = 5})", "error()", "error(nil)", "local t = nil; t.x = 1", "inc() error('y', 2)", "return 1, nil, 3",
			"return inc()", "return pcall(error, 'in')", "local e = 1 + {} return e", "error(12)", "assert(false)", "assert(nil, 'msg')", "return assert(1, 2)", "string.rep()",
			"for i = 1, 3 do local c = i log[i] = function() c = c + 1 return c end if i == 2 then error('loop') end end")
		g.w("out(pcall(function(...) %s = %s + 10 %s end, %s)) inc()\n", n, n, body, g.pick("1", "1, 2", "nil"))
		if g.chance(30) {
			g.w("out(xpcall(function() inc() %s end, function(e) %s = %s + 100 return type(e) end))\n", body, n, n)
		}
	}
	g.w("out(%s, inc()) for i = 1, #log do out(log[i](), log[i]()) end\n", n)
	if g.chance(40) {
		g.w("local function deep(n) if n == 0 then error('bottom') end local ok, e = pcall(deep, n - 1) error(e, 0) end out(pcall(deep, %d))\n", g.n(6))
	}
	if g.chance(40) {
		g.w("local function h() local c = 0 local function b() c = c + 1 end for i = 1, 3 do pcall(function() error 'bad' end) b() end return c end out(h())\n")
	}
}

// metatables with every event that Lua 5.1 has.
func (g *gen) metatables() {
	g.w("local mt = {} mt.__index = %s\n", g.pick("{z = 26}", "function(t, k) return k .. '?' end", "setmetatable({z = 1}, {__index = function(_, k) return k end})"))
	g.w("mt.__add = function(a, b) return 'add' end mt.__concat = function(a, b) return (type(a) == 'table' and 'T' or a) .. '~' .. (type(b) == 'table' and 'T' or b) end\n")
	g.w("mt.__eq = function(a, b) return rawget(a, 1) == rawget(b, 1) end mt.__lt = function(a, b) return a[1] < b[1] end mt.__call = function(self, ...) return 'called', ... end\n")
	g.w("mt.__unm = function() return 'unm' end mt.__len = function() return 42 end mt.__tostring = function(s) return 'obj' .. tostring(rawget(s, 1)) end mt.__mod = function() return 'mod' end\n")
	if g.chance(50) {
		g.w("mt.__newindex = %s\n", g.pick("function(t, k, v) rawset(t, k, v and v .. '!' or nil) end", "{}", "function() end"))
	}
	if g.chance(30) {
		g.w("mt.__le = function(a, b) return a[1] <= b[1] end\n")
	}
	g.w("local a, b = setmetatable({%d}, mt), setmetatable({%d}, mt)\n", g.n(3), g.n(3))
	for range 4 {
		g.w("out(%s)\n", g.pick("a.z", "a.q", "a + 1", "1 + a", "a + b", "a .. b", "a .. 'x'", "'x' .. a", "1 .. a", "'p' .. 'q' .. a", "a .. 'p' .. 'q'", "a == b", "a ~= b", "a < b", "a <= b", "a > b", "a >= b", "a(1, 2)", "(a(3))",
			"-a", "#a", "tostring(a)", "a % 2", "rawequal(a, b)", "a.z and a.q", "rawget(a, 'z')", "getmetatable(a) == mt", "pcall(function() return a * 2 end)", "pcall(function() return a < 1 end)"))
	}
	g.w("a.w = 'v' out(rawget(a, 'w'), a.w) a[1] = 9 out(a[1])\n")
	if g.chance(30) {
		g.w("mt.__metatable = 'locked' out(getmetatable(a), pcall(setmetatable, a, {}))\n")
	}
}

// strings tries the string library with random patterns and formats.
func (g *gen) strings() {
	for range 5 {
		s, p := g.subject(), g.pattern()
		switch g.n(12) {
		case 0:
			g.w("out(pcall(string.find, %s, %s, %s))\n", s, p, g.pick("1", "2", "-3", "nil", "100"))
		case 1:
			g.w("out(pcall(string.match, %s, %s))\n", s, p)
		case 2:
			g.w("out(pcall(string.gsub, %s, %s, %s))\n", s, p, g.pick("'<%0>'", "'<%1>'", "''", "{a = 'A', b = false}", "function(x, y) return y end", "'%%'", "string.upper", "5"))
		case 3:
			g.w("out(pcall(function() for a, b in (%s):gmatch(%s) do out(a, b) end end))\n", s, p)
		case 4:
			g.w("out(pcall(string.format, %s%s))\n", g.format(), g.pick(", 1", ", -1.5", ", 'str'", ", 255, 3", ", 1e15", ", 'a\\nb\"', 2", "", ", 0", ", {}", ", nil", ", 65"))
		case 5:
			g.w("out((%s):sub(%d, %d), (%s):byte(%d, %d))\n", s, g.n(9)-4, g.n(9)-4, s, g.n(7)-3, g.n(7)-3)
		case 6:
			g.w("out((%s):rep(%d), (%s):reverse(), (%s):upper(), (%s):len(), #%s)\n", s, g.n(4)-1, s, s, s, s)
		case 7:
			g.w("out(%s < %s, %s == %s, %s <= %s)\n", s, g.subject(), s, s, g.subject(), s)
		case 8:
			g.w("out(string.char(%d, %d), pcall(string.char, %s))\n", 32+g.n(90), 32+g.n(90), g.pick("256", "-1", "65", "'66'", "{}"))
		case 9:
			g.w("out(%s)\n", g.str(3))
		case 10:
			g.w("out(pcall(string.gsub, %s, %s, '%%%d', %d))\n", s, p, g.n(4), g.n(3))
		case 11:
			g.w("out(pcall(string.%s%s))\n", g.pick("rep", "sub", "len", "upper", "byte", "find", "format"), g.pick("", ", {}", ", nil, 1", ", 'x'", ", 12", ", 'x', 'y'", ", 'x', {}"))
		}
	}
}

func (g *gen) subject() string {
	return g.pick(`"hello world"`, `"key = value"`, `"a.b-c"`, `"aaa"`, `""`, `"  trim  "`, `"(nested (x))"`, `"k1=v1,k2=v2"`, `"THE (quick) fox"`, `"abcabc"`, `"x\0y"`, `"12.5e3"`)
}

func (g *gen) pattern() string {
	p := ""
	for range 1 + g.n(4) {
		item := g.pick("a", "b", ".", "%a", "%d", "%s", "%w", "[abc]", "[^a]", "[%w_]", "%.", "l", "o", "(.)", "(%w+)", "()", "%b()", "[a-m]", "%S", "x", "=", "%f[%w]", "%u", "%x", "[]]", "[^%s]")
		if len(item) < 6 && item[0] != '(' && item != "%b()" && g.chance(50) {
			item += g.pick("*", "+", "-", "?")
		}
		p += item
	}
	if g.chance(15) {
		p = "^" + p
	}
	if g.chance(10) {
		p += "$"
	}
	if g.chance(4) {
		p += g.pick("[", "%", "(", ")", "%1", "%b", "[%", "%f")
	}
	return "'" + p + "'"
}

func (g *gen) format() string {
	f := ""
	for range 1 + g.n(2) {
		f += g.pick("", "x", " ") + "%" + g.pick("", "-", "+", "0", "#", " ") + g.pick("", "", "5", "12", "1") + g.pick("", "", ".0", ".3", ".10") +
			g.pick("d", "i", "u", "x", "X", "o", "c", "e", "f", "g", "G", "s", "s", "q", "%", "y", "5.2f")
	}
	return "'" + f + "'"
}

// coroutines yield and resume in all directions, but not inside pcall, where Lua
// 5.1 cannot.
func (g *gen) coroutines() {
	co := g.name("co")
	g.w("local %s = coroutine.create(function(a, b) out('start', a, b)\n", co)
	for range 1 + g.n(3) {
		g.w("%s\n", g.pick("local x, y, z = coroutine.yield(a, 'y') out('got', x, y, z)", "out('all', coroutine.yield())", "coroutine.yield(1, 2, 3)", "a = coroutine.yield(a) or a",
			"for i = 1, 2 do coroutine.yield(i) end", "out(coroutine.status(coroutine.running()))", "a, b = coroutine.yield(b, a)", "out(pcall(error, 'e'))", "local t = {coroutine.yield('t')} out(#t)"))
	}
	g.w("%s end)\n", g.pick("return 'end', a", "error 'died'", "error({})", "return coroutine.yield('tail')", "", "return (coroutine.yield('paren'))"))
	for i := range 5 {
		g.w("out(coroutine.resume(%s, %s)) out(coroutine.status(%s))\n", co, g.pick("1", "nil", "1, 2", "'r"+fmt.Sprint(i)+"', nil, 3"), co)
	}
	g.w("local gen = coroutine.wrap(function(n) for i = 1, n do coroutine.yield(i, i * i) end %s end)\n", g.pick("return 'fin'", "error 'wrapped'", "error({1})"))
	g.w("for _ = 1, 4 do out(pcall(gen, 2)) end\n")
	if g.chance(50) {
		g.w("local function perm(a, n) if n == 0 then coroutine.yield(table.concat(a)) else for i = 1, n do a[n], a[i] = a[i], a[n] perm(a, n - 1) a[n], a[i] = a[i], a[n] end end end\n")
		g.w("for p in coroutine.wrap(function() perm({1, 2, 3}, 3) end) do out(p) end\n")
	}
	if g.chance(30) {
		g.w("local c2 c2 = coroutine.create(function() out(coroutine.resume(c2)) out(coroutine.status(c2)) local c3 = coroutine.create(function() out(coroutine.status(c2)) end) out(coroutine.resume(c3)) end) out(coroutine.resume(c2))\n")
	}
	if g.chance(20) {
		g.w("out(coroutine.running()) out(pcall(coroutine.create, %s)) out(pcall(coroutine.resume, 1))\n", g.pick("print", "1", "nil"))
	}
}

// tables tries constructors and the table library.
func (g *gen) tables() {
	g.w("local t = {%s}\n", g.pick("", "1, 2, 3", "5, 3, 9, 1", "'b', 'a', 'c'", "1, 2, 3, x = 1, [0] = 2", "two()", "two(), two()", "(two())", "id(1, 2), id(3, 4)"))
	for range 5 {
		g.w("%s\n", g.pick("table.insert(t, 4) out(t)", "table.insert(t, 1, 'f') out(t)", "out(table.remove(t)) out(t)", "out(table.remove(t, 1)) out(t)", "out(#t)",
			"out(pcall(table.concat, t, '-'))", "out(pcall(table.sort, t)) out(t)", "pcall(table.sort, t, function(a, b) return tostring(a) > tostring(b) end) out(t)", "out(unpack(t))",
			"out(next({}), next(t) ~= nil)", "t[#t + 1] = 'n' out(t)", "t.x = nil t.y = 1 out(t)", "out(pcall(table.concat, t, ', ', 2, 3))", "out(table.maxn(t), table.getn(t))",
			"local n = 0 for k in pairs(t) do n = n + 1 end out(n)", "out(pcall(table.insert, t))", "out(pcall(table.insert, t, 1, 2, 3))", "out(pcall(rawset, t, nil, 1))", "out(pcall(function() t[0/0] = 1 end))",
			"out(t[1], t[2.0], t['1'])", "out(pcall(table.insert, nil, 1))", "t[-1] = 'neg' t[0] = 'zero' out(t)", "for i = #t, 1, -1 do if i % 2 == 0 then table.remove(t, i) end end out(t)",
			"table.foreach({7}, out)", "out(pcall(unpack, t, 1, 1e8))", "for k, v in pairs(t) do t[k] = nil end out(#t, next(t))", "t = {unpack(t)} out(t)", "out(pcall(next, t, 'nokey'))"))
	}
}

// numbers are printed, parsed and calculated with.
func (g *gen) numbers() {
	for range 6 {
		v := g.pick("1", "-1", "0.1", "1e15", "1e16", "2^53", "1e100", "-1e-7", "123456.789", "1/3", "1e14", "99999999999999", "100000000000000", "0.5", "3.0", "1e300*1e10", "-1e300*1e10", "2^31", "0xff", "5e-300", "7")
		w := g.pick("2", "3", "-3", "0.5", "1e3", "10", "7")
		g.w("out(%s)\n", spell(g.pick("%[1]s", "%[1]s + %[2]s", "%[1]s * %[2]s", "%[1]s / %[2]s", "math.floor(%[1]s), math.ceil(%[1]s)", "%[1]s .. ''", "tostring(%[1]s)", "tonumber(tostring(%[1]s))",
			"- %[1]s", "math.max(%[1]s, %[2]s), math.min(%[1]s, %[2]s)", "string.format('%%d %%g %%.3f', %[2]s, %[1]s, %[1]s)", "%[1]s == %[2]s, %[1]s < %[2]s", "#tostring(%[1]s)", "math.abs(%[1]s)", "math.sqrt(math.abs(%[1]s))",
			"'10' + %[2]s", "%[2]s * '3'", "-'2'", "10 %% %[2]s, -7 %% %[2]s", "2 ^ %[2]s", "math.modf(%[2]s)", "math.fmod(7, %[2]s)", "%[1]s ~= %[1]s"), v, w))
	}
	g.w("out(tonumber(%s))\n", g.pick("'0x1F'", "'1e2'", "'  5  '", "'5x'", "''", "' '", "'0x'", "'1 2'", "'.5'", "'5.'", "'1e'", "'ff', 16", "'zz', 36", "'12', 3", "'19', 8", "'-ff', 16", "'1.5', 10", "10, 2", "'1e1', 16", "nil", "{}", "'inf'", "'nan'", "'1_000'", "'0b1'"))
	g.w("out(pcall(tonumber%s))\n", g.pick("", ", '1', 99", ", '1', 1", ", {}, 16", ", '7', 8"))
}

// mistakes are errors of the VM and the library, whose texts users read.
func (g *gen) mistakes() {
	g.w("local t, s, n, up = {k = {}}, 'str', 5, nil\n")
	for range 5 {
		g.w("out(pcall(function(p, q) %s end, 1))\n", g.pick(
			"local x; x.y = 1", "local x; return x.y", "return nope.y", "nope.y = 1", "return t.a.b", "t.a.b = 1", "return t.k.z.w", "return up.x", "up.x = 1", "return q.x", "q[1] = 2", "return t[1][2]",
			"local x; x()", "nope()", "t.nope()", "t:nope()", "up()", "q()", "t.k.f()", "s:nope()", "return (nil)()", "return p.x.y", "p()",
			"return t + 1", "return 1 + t", "return nope + 1", "return t.a + 1", "local x; return x - 1", "return -t", "return up * 2", "return 'abc' + 1", "return q .. 'x'", "return 'x' .. q", "return 'x' .. t.a", "return t .. t", "return nope .. 1",
			"return #q", "return #nope", "return #n", "return #t.a", "return t < 1", "return 1 < 'x'", "return t < t", "return nil < 1", "return {} <= {}", "return print < print", "return 'a' < 1",
			"for i = 1, {} do end", "for i = 'x', 2 do end", "for i = 1, 2, {} do end", "for k in 5 do end", "for k in pairs(nil) do end", "for k in ipairs() do end", "for k in nil do end",
			"error('with', 1)", "error('two', 2)", "error('none', 0)", "error(s .. n)", "assert(n == 6, 'no six')", "assert()", "setmetatable(1, {})", "setmetatable({}, 1)", "return ('x'):rep({})", "string.sub()", "('x'):bad()", "tostring()", "ipairs()", "math.floor('x')", "math.floor({})", "select(0)", "string.rep('x')", "table.concat({{}})", "table.concat({1, {}, 3})", "unpack()", "rawset(1, 2, 3)", "type()", "getmetatable()", "t.k.x.y.z = 1", "t[nil] = 1", "return math.huge()", "coroutine.resume(1)", "math.random(0)", "math.random(2, 1)"))
	}
}

// errorsInside raise from nested functions, with positions that must be right.
func (g *gen) errorsInside() {
	g.w("local function lvl(n)\n  error('lvl', n)\nend\n")
	g.w("local function outer(n)\n  lvl(n)\n  return 1\nend\n")
	for range 3 {
		g.w("out(pcall(%s, %d))\n", g.pick("lvl", "outer", "function(n)\n local r = outer(n)\n return r end", "function(n) out(pcall(outer, n)) error('again', n) end"), g.n(4))
	}
	g.w("local co = coroutine.wrap(function() outer(%d) end) out(pcall(co))\n", g.n(3))
	g.w("local co = coroutine.create(function() local x = nil\n x = x.y\n end) out(coroutine.resume(co))\n")
	g.w("out(xpcall(function()\n outer(1)\nend, function(m) return '<' .. m .. '>' end))\n")
}

// spell fills in a form that need not use both values.
func spell(form, v, w string) string {
	return strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(form, "%%", "%"), "%[1]s", v), "%[2]s", w)
}
