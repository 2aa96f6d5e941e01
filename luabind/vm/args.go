package vm

import (
	"math"

	lua "github.com/yuin/gopher-lua"
)

// Arguments of library functions, checked and converted as PUC Lua's auxiliary
// library does: numbers are strings and strings that look like numbers are numbers.

func checkString(L *lua.LState, n int) string {
	switch v := L.Get(n).(type) {
	case lua.LString:
		return string(v)
	case lua.LNumber:
		return formatNumber(float64(v))
	}
	typeError(L, n, "string")
	return ""
}

func optString(L *lua.LState, n int, def string) string {
	if L.Get(n) == lua.LNil {
		return def
	}
	return checkString(L, n)
}

func checkNumber(L *lua.LState, n int) float64 {
	switch v := L.Get(n).(type) {
	case lua.LNumber:
		return float64(v)
	case lua.LString:
		if f, ok := parseNumber(string(v)); ok {
			return f
		}
	}
	typeError(L, n, "number")
	return 0
}

// checkInt truncates; what no int64 holds becomes the smallest one, as on amd64.
func checkInt(L *lua.LState, n int) int { return toInt(checkNumber(L, n)) }

func toInt(f float64) int {
	if f >= -(1<<63) && f < 1<<63 {
		return int(f)
	}
	return math.MinInt64
}

func optInt(L *lua.LState, n, def int) int {
	if L.Get(n) == lua.LNil {
		return def
	}
	return checkInt(L, n)
}

func checkTable(L *lua.LState, n int) *lua.LTable {
	if t, ok := L.Get(n).(*lua.LTable); ok {
		return t
	}
	typeError(L, n, "table")
	return nil
}

func checkFunction(L *lua.LState, n int) *lua.LFunction {
	if f, ok := L.Get(n).(*lua.LFunction); ok {
		return f
	}
	typeError(L, n, "function")
	return nil
}

func checkAny(L *lua.LState, n int) lua.LValue {
	if n > L.GetTop() {
		argError(L, n, "value expected")
	}
	return L.Get(n)
}

// text is a string, or a number as text; "" of anything else.
func text(v lua.LValue) string {
	switch v := v.(type) {
	case lua.LString:
		return string(v)
	case lua.LNumber:
		return formatNumber(float64(v))
	}
	return ""
}

func isText(v lua.LValue) bool {
	switch v.(type) {
	case lua.LString, lua.LNumber:
		return true
	}
	return false
}

func pushString(L *lua.LState, s string) { L.Push(lua.LString(s)) }

// pushInt pushes small numbers without allocating, as the VM does.
func pushInt(L *lua.LState, n int) {
	if 0 <= n && n < len(smallInts) {
		L.Push(smallInts[n])
		return
	}
	L.Push(lua.LNumber(n))
}

var smallInts = func() (v [2048]lua.LValue) {
	for i := range v {
		v[i] = lua.LNumber(i)
	}
	return v
}()
