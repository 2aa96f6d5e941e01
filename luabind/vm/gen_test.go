package vm

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// gen writes random Lua programs. Each comes in two spellings that must print the
// same: one for this package, and one for PUC Lua 5.1, which has no goto. Lines
// correspond, so that error positions can be compared.
type gen struct {
	r         *rand.Rand
	ours, puc strings.Builder

	locals []string // variables in scope, all assignable
	id     int
}

const prelude = `local function T() return true end local function F() return false end local function N() return nil end ` +
	`local function one() return 1 end local function id(...) return ... end local function two() return 7, 8 end ` +
	`local function show(v) if type(v) == "table" then local k = {} for i in pairs(v) do k[#k+1] = tostring(i) end table.sort(k) ` +
	`local o = {} for i, n in ipairs(k) do local x = v[n] if x == nil then x = v[tonumber(n)] end ` +
	`o[i] = n .. "=" .. (type(x) == "table" and "{}" or type(x) == "function" and "fn" or tostring(x)) end return "{" .. table.concat(o, ",") .. "}" end ` +
	`if type(v) == "function" then return "fn" elseif type(v) == "thread" then return "co" end return (tostring(v):gsub("%z", "^0")) end ` +
	`local function out(...) local o = {} for i = 1, select("#", ...) do o[i] = show((select(i, ...))) end print(table.concat(o, " ")) end ` +
	`local G = {a = true, b = false, n = 3, s = "str"} `

// program is program number n in both spellings.
func program(n uint64) (ours, puc string) {
	g := &gen{r: rand.New(rand.NewPCG(n, 4711))}
	g.either(prelude, prelude)
	g.w("\n")
	blocks := []func(){
		g.assignments, g.logic, g.closures, g.varargs, g.gotos, g.protected, g.metatables, g.strings,
		g.coroutines, g.tables, g.numbers, g.mixture, g.mistakes, g.loops, g.functions, g.errorsInside,
	}
	for range 1 + g.r.IntN(2) {
		b := blocks[(int(n)+g.r.IntN(3)*5)%len(blocks)]
		g.w("do\n")
		keep := len(g.locals)
		b()
		g.locals = g.locals[:keep]
		g.w("end\n")
	}
	return g.ours.String(), g.puc.String()
}

// w writes to both spellings.
func (g *gen) w(format string, args ...any) {
	s := format
	if len(args) > 0 {
		s = fmt.Sprintf(format, args...)
	}
	g.ours.WriteString(s)
	g.puc.WriteString(s)
}

// either writes a different text to each.
func (g *gen) either(ours, puc string) {
	g.ours.WriteString(ours)
	g.puc.WriteString(puc)
}

func (g *gen) name(prefix string) string {
	g.id++
	return fmt.Sprintf("%s%d", prefix, g.id)
}

func (g *gen) pick(s ...string) string { return s[g.r.IntN(len(s))] }
func (g *gen) n(n int) int             { return g.r.IntN(n) }
func (g *gen) chance(p int) bool       { return g.r.IntN(100) < p }

// vars declares n locals with values of all kinds.
func (g *gen) vars(n int) []string {
	var names, vals []string
	for range n {
		names = append(names, g.name("v"))
		vals = append(vals, g.pick("true", "false", "nil", "1", "2", "'s'"))
	}
	g.w("local %s = %s\n", strings.Join(names, ", "), strings.Join(vals, ", "))
	g.locals = append(g.locals, names...)
	return names
}

func (g *gen) out(exprs ...string) { g.w("out(%s)\n", strings.Join(exprs, ", ")) }

// atom is a small expression without errors in it.
func (g *gen) atom() string {
	if len(g.locals) > 0 && g.chance(45) {
		return g.local()
	}
	l := "nil"
	if len(g.locals) > 0 {
		l = g.local()
	}
	return g.pick("F()", "T()", "N()", "one()", "true", "false", "nil", "G.a", "G.b", "G.zz", "G.n", "G.s", "0", "5", "'x'",
		"(1<2)", "(2<1)", "not "+l, "id("+l+")", "("+l+" == nil)", "("+l+" == "+l+")", "select('#', "+l+", nil)", "(id("+l+", 2))",
		"type("+l+")", "(two())", "not not "+l)
}

func (g *gen) local() string { return g.locals[g.n(len(g.locals))] }

// logical is a tree of and, or, not and comparisons.
func (g *gen) logical(d int) string {
	if d == 0 || g.chance(15) {
		return g.atom()
	}
	a, b := g.logical(d-1), g.logical(d-1)
	return fmt.Sprintf(g.pick("%s and %s", "%s or %s", "(%s and %s)", "(%s or %s)", "%s and (%s)", "%s or (%s)", "not (%s and %s)",
		"not (%s) and %s", "(%s) == (%s)", "(%s) ~= (%s)", "id(%s and %s)", "(%s or %s) and T()"), a, b)
}

// num is an arithmetic expression over constants and a numeric variable.
func (g *gen) num(d int, v string) string {
	if d == 0 || g.chance(20) {
		return g.pick(v, v, "1", "2", "3", "10", "0.5", "7", "#'abc'", "one()", "(two())", "-"+v, "#{1, 2}", "0x10", "1e2")
	}
	a, b := g.num(d-1, v), g.num(d-1, v)
	return fmt.Sprintf(g.pick("%s + %s", "%s - %s", "%s * %s", "(%s + %s)", "(%s - %s) * 2", "%s / 4 + %s", "-(%s) + %s",
		"math.max(%s, %s)", "math.floor(%s) + %s", "(%s) %% 7 + %s", "id(%s) + id(%s)", "2 ^ 3 + %s - %s"), a, b)
}

// str is an expression of a string value.
func (g *gen) str(d int) string {
	if d == 0 || g.chance(25) {
		return g.pick(`"abc"`, `"a.b"`, `"hello world"`, `""`, `"x"`, `("rep"):rep(2)`, `tostring(12)`, `G.s`, `"k=v"`, `("%d"):format(7)`, `[[l]]`, `'q\65'`)
	}
	a, b := g.str(d-1), g.str(d-1)
	return fmt.Sprintf(g.pick("%s .. %s", "(%s .. %s)", "%s .. 1 .. %s", "%s .. -2.5 .. %s", "(%s):upper() .. %s", "(%s):sub(2) .. %s", "id(%s) .. %s",
		"(%s):rep(2) .. (%s):reverse()"), a, b)
}

// any is an expression of any kind.
func (g *gen) any(d int) string {
	switch g.n(5) {
	case 0:
		return g.str(d)
	case 1:
		return g.num(d, "2")
	case 2:
		return "(" + g.logical(d) + ")"
	case 3:
		return fmt.Sprintf("{%s, k = %s}", g.atom(), g.atom())
	}
	return g.logical(d)
}
