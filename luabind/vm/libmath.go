package vm

import (
	"math"

	lua "github.com/yuin/gopher-lua"
)

func (s *State) mathLib() map[string]lua.LGFunction {
	unary := func(f func(float64) float64) lua.LGFunction {
		return func(L *lua.LState) int {
			L.Push(lua.LNumber(f(checkNumber(L, 1))))
			return 1
		}
	}
	binary := func(f func(a, b float64) float64) lua.LGFunction {
		return func(L *lua.LState) int {
			L.Push(lua.LNumber(f(checkNumber(L, 1), checkNumber(L, 2))))
			return 1
		}
	}
	fold := func(better func(a, b float64) bool) lua.LGFunction {
		return func(L *lua.LState) int {
			best := checkNumber(L, 1)
			for i := 2; i <= L.GetTop(); i++ {
				if v := checkNumber(L, i); better(v, best) {
					best = v
				}
			}
			L.Push(lua.LNumber(best))
			return 1
		}
	}
	return map[string]lua.LGFunction{
		"abs": unary(math.Abs), "acos": unary(math.Acos), "asin": unary(math.Asin), "atan": unary(math.Atan),
		"atan2": binary(math.Atan2), "ceil": unary(math.Ceil), "cos": unary(math.Cos), "cosh": unary(math.Cosh),
		"deg": unary(func(x float64) float64 { return x / (math.Pi / 180) }), "exp": unary(math.Exp),
		"floor": unary(math.Floor), "fmod": binary(math.Mod), "mod": binary(math.Mod),
		"log": unary(math.Log), "log10": unary(math.Log10), "pow": binary(math.Pow),
		"max": fold(func(a, b float64) bool { return a > b }), "min": fold(func(a, b float64) bool { return a < b }),
		"rad": unary(func(x float64) float64 { return x * (math.Pi / 180) }),
		"sin": unary(math.Sin), "sinh": unary(math.Sinh), "sqrt": unary(math.Sqrt), "tan": unary(math.Tan), "tanh": unary(math.Tanh),
		"frexp": func(L *lua.LState) int {
			m, e := math.Frexp(checkNumber(L, 1))
			L.Push(lua.LNumber(m))
			L.Push(lua.LNumber(e))
			return 2
		},
		"ldexp": func(L *lua.LState) int {
			L.Push(lua.LNumber(math.Ldexp(checkNumber(L, 1), max(-1<<20, min(1<<20, checkInt(L, 2))))))
			return 1
		},
		"modf": func(L *lua.LState) int {
			f := checkNumber(L, 1)
			i, frac := math.Modf(f)
			if math.IsInf(f, 0) {
				i, frac = f, math.Copysign(0, f)
			}
			L.Push(lua.LNumber(i))
			L.Push(lua.LNumber(frac))
			return 2
		},
		"random":     s.random,
		"randomseed": func(L *lua.LState) int { checkNumber(L, 1); return 0 },
	}
}

// openMath adds what is no function.
func (s *State) openMath() {
	t := s.Shown(s.l.G.Global.RawGetString("math").(*lua.LTable))
	t.RawSetString("pi", lua.LNumber(math.Pi))
	t.RawSetString("huge", lua.LNumber(math.Inf(1)))
}

func (s *State) random(L *lua.LState) int {
	r := s.opt.Rand.Float64()
	switch L.GetTop() {
	case 0:
		L.Push(lua.LNumber(r))
	case 1:
		u := checkInt(L, 1)
		if u < 1 {
			argError(L, 1, "interval is empty")
		}
		L.Push(lua.LNumber(math.Floor(r*float64(u)) + 1))
	case 2:
		l, u := checkInt(L, 1), checkInt(L, 2)
		if l > u {
			argError(L, 2, "interval is empty")
		}
		L.Push(lua.LNumber(math.Floor(r*(float64(u)-float64(l)+1)) + float64(l)))
	default:
		raise(L, "wrong number of arguments")
	}
	return 1
}
