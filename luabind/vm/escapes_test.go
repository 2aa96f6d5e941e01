package vm

import (
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
)

// escapes are attempts to get out of a locked-down state, or from one handler into
// another. Each is an expression or statement that must fail, or yield exactly what
// is said. A world has been entered before each, and is looked at after it.
var escapes = []struct{ code, want string }{
	// What reaches the host.
	{`return io`, "nil"}, {`return debug`, "nil"}, {`return package`, "nil"}, {`return dofile`, "nil"}, {`return loadfile`, "nil"},
	{`return module`, "nil"}, {`return newproxy`, "nil"}, {`return channel`, "nil"}, {`return getfenv`, "nil"}, {`return setfenv`, "nil"},
	{`return collectgarbage`, "nil"}, {`return _printregs`, "nil"}, {`return gcinfo`, "nil"}, {`return _GOPHER_LUA_VERSION`, "nil"},
	{`return os.execute`, "nil"}, {`return os.exit`, "nil"}, {`return os.getenv`, "nil"}, {`return os.setenv`, "nil"}, {`return os.remove`, "nil"},
	{`return os.rename`, "nil"}, {`return os.tmpname`, "nil"}, {`return os.setlocale`, "nil"},
	{`return io.open("/etc/passwd")`, "error"}, {`return require "os"`, "error"}, {`return require "../x"`, "error"}, {`return require "/etc/passwd"`, "error"},
	{`return package.loaded.os`, "error"}, {`return _G.package`, "nil"}, {`return _G.io`, "nil"}, {`return _G._G._G.debug`, "nil"},
	// Code made from data.
	{`return load "return 1"`, "error"}, {`return loadstring "return 1"`, "error"}, {`return load(function() return nil end)`, "error"},
	{`return load(string.dump(function() end))`, "error"}, {`return string.dump(print)`, "error"}, {`return string.dump(function() end)`, "error"},
	{`return pcall(load, "\27Lua")`, "false"}, {`return coroutine.wrap(load)("return 1")`, "error"},
	{`return select(2, pcall(string.format, "%s", load))`, "error-text"},
	// The library.
	{`string.find = nil`, "error"}, {`string.find = print`, "error"}, {`string.mine = 1`, "error"}, {`rawset(string, "find", print)`, "error"},
	{`table.insert(string, print)`, "error"}, {`table.insert(string, 1, print)`, "error"}, {`table.remove(string)`, "error"}, {`table.sort(string)`, "error"},
	{`setmetatable(string, {})`, "error"}, {`setmetatable(string, nil)`, "error"}, {`getmetatable(string).__index = {}`, "error"}, {`return getmetatable(string)`, "false"},
	{`for k, v in pairs(string) do string[k] = nil end`, "error"}, {`local k = next(string) string[k] = nil`, "error"},
	{`math.random = function() return 4 end`, "error"}, {`os.time = nil`, "error"}, {`coroutine.yield = nil`, "error"}, {`table.concat = nil`, "error"},
	{`rawset(math, "pi", 3)`, "error"}, {`rawset(os, "exit", print)`, "error"}, {`rawset(coroutine, 1, 2)`, "error"},
	// Methods of strings.
	{`getmetatable("").__index = function() return 42 end`, "error"}, {`getmetatable("").__add = print`, "error"}, {`getmetatable("").__index.find = print`, "error"},
	{`rawset(getmetatable(""), "__index", {})`, "error"}, {`setmetatable(getmetatable(""), {})`, "error"}, {`setmetatable("", {})`, "error"},
	{`string = {find = print} return ("abc"):find("b")`, "2"}, {`local s = string string = nil string = s return ("x"):rep(2)`, "xx"},
	{`getmetatable("").__metatable = nil`, "error"}, {`for k in pairs(getmetatable("")) do getmetatable("")[k] = 1 end`, "error"},
	// The helpers of compiled code and the worker of pcall.
	{`return _G["(concat)"]`, "nil"}, {`_G["(concat)"] = print return "a" .. 1`, "a1"}, {`_G["(len)"] = nil return #{1, 2}`, "2"},
	{`local concat = print return "a" .. "b" .. 1`, "ab1"}, {`pcall = nil return ("x"):upper()`, "X"},
	{`return pcall(error, {1}) and 1 or 2`, "2"},
	// Metamethods where the library is at work.
	{`return tostring(setmetatable({}, {__tostring = function() return io end}))`, "nil"},
	{`print(setmetatable({}, {__tostring = function() return {} end}))`, "error"},
	{`return #setmetatable({}, {__len = function() return 7 end})`, "0"},
	{`table.sort({3, 1, 2}, function(a, b) string.find = nil return a < b end)`, "error"},
	{`("x"):gsub("x", function() string.gsub = nil end)`, "error"},
	// Other coroutines.
	{`return coroutine.running()`, "nil"}, {`coroutine.yield()`, "error"}, {`return coroutine.resume(coroutine.running())`, "error"},
	{`return coroutine.create(print)`, "error"}, {`return coroutine.wrap(pcall)`, "error"},
}

func TestEscapes(t *testing.T) {
	if len(escapes) < 60 {
		t.Fatalf("only %d", len(escapes))
	}
	for _, e := range escapes {
		s := loaded(t, "function handler() "+e.code+" end function same() return ('abc'):find('b', 1, true), string.rep('x', 2), #'abc', math.pi > 3, type(os.time) end")
		r, err := s.Call(s.global("handler"))
		got := "nil"
		if err != nil {
			got = "error"
		} else if len(r) > 0 {
			got = r[0].String()
		}
		if got != e.want && !(e.want == "error-text" && err == nil) {
			t.Errorf("%s: %s (%v), want %s", e.code, got, err, e.want)
		}
		s2 := loaded(t, "return 1") // another state was never within reach
		if s2.l.GetGlobal("string") == lua.LNil {
			t.Errorf("%s reached another state", e.code)
		}
		if strings.Contains(e.code, "string = ") {
			continue // its own global, which is its own affair
		}
		if r, err = s.Call(s.global("same")); err != nil || len(r) != 5 || r[0] != lua.LNumber(2) || r[1] != lua.LString("xx") || r[4] != lua.LString("function") {
			t.Errorf("%s changed the library: %v, %v", e.code, r, err)
		}
	}
	t.Logf("%d escapes", len(escapes))
}

// TestTrusted has what the locked-down state lacks, under the same limits.
func TestTrusted(t *testing.T) {
	s := newState(t, Options{Trusted: true})
	defer s.Close()
	run := func(src string) ([]lua.LValue, error) {
		t.Helper()
		c, err := Compile("t", src, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		return s.Run(c)
	}
	for _, src := range []string{`return io.open`, `return os.getenv`, `return debug.traceback`, `return getfenv`, `return load "return 1"`, `return package.loaded`, `string.mine = 1 return ("x").mine`} {
		if r, err := run(src); err != nil || len(r) == 0 || r[0] == lua.LNil {
			t.Errorf("%s: %v, %v", src, r, err)
		}
	}
	c, _ := Compile("t", `while true do end`, Limits{})
	s.lim.LoadInstructions = 1000
	if _, err := s.Run(c); err == nil || err.(*Error).Reason != Instructions {
		t.Errorf("an endless loop: %v", err)
	}
}
