package vm

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
)

// TestSyntaxErrors have line, column, the source line and a caret.
func TestSyntaxErrors(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"x = = 1", "f.lua:1:5: unexpected symbol near '='; equal is ==\n    x = = 1\n        ^"},
		{"local a\nif a then\n  print(a", "f.lua:3:10: ')' expected (to close '(' at line 3) near the end of the source\n      print(a\n             ^"},
		{"print('a\\x41')", `f.lua:1:9: Lua 5.1 has no \x escape: write hex"41"` + "\n    print('a\\x41')\n            ^"},
		{"a = \"\\xfg\"", `f.lua:1:6: Lua 5.1 has no \x escape: write hex"41"` + "\n    a = \"\\xfg\"\n         ^"},
		{"local s = 'a\\\nb\n", "f.lua:1:11: unfinished string\n    local s = 'a\\\n              ^"},
		{"\tlocal s = \"abc", "f.lua:1:12: unfinished string\n    \tlocal s = \"abc\n    \t          ^"},
		{"x = [[abc\ndef", "f.lua:1:5: unfinished long string\n    x = [[abc\n        ^"},
		{"--[[ abc\n", "f.lua:1:3: unfinished long comment\n    --[[ abc\n      ^"},
		{"x = 3..2", "f.lua:1:5: malformed number near '3..2'\n    x = 3..2\n        ^"},
		{"x = 0x", "f.lua:1:5: malformed number near '0x'\n    x = 0x\n        ^"},
		{"x = 1e", "f.lua:1:5: malformed number near '1e'\n    x = 1e\n        ^"},
		{"x = '\\300'", "f.lua:1:6: escape sequence too large\n    x = '\\300'\n         ^"},
		{"x = a & b", "f.lua:1:7: unexpected symbol near '&'; write bit.band(a, b)\n    x = a & b\n          ^"},
		{"x = a ! b", "f.lua:1:7: unexpected symbol near '!'; write not\n    x = a ! b\n          ^"},
		{"x = \x80", "f.lua:1:5: unexpected symbol near 'char(128)'\n    x = \x80\n        ^"},
		{"goto nowhere", "f.lua:"},
		{"break", "f.lua:1: no loop to break"},
		{"function f() return ... end", "f.lua:1: cannot use '...' outside a vararg function"},
		{"\x1bLua\x51", "f.lua: compiled Lua does not load"},
		{strings.Repeat(" ", 300<<10), "f.lua: the source is 307200 bytes long"},
	} {
		_, err := Compile("f.lua", c.src, Limits{})
		var e *Error
		if !errors.As(err, &e) || e.Reason != Syntax {
			t.Errorf("%.40q: %v", c.src, err)
			continue
		}
		if got := e.Detail(); !strings.HasPrefix(got, c.want) {
			t.Errorf("%.40q:\n%s\nwant\n%s", c.src, got, c.want)
		}
	}
}

// TestHardSources end soon, in an error or not, and never in a panic.
func TestHardSources(t *testing.T) {
	deep := func(open, shut string, n int) string { return strings.Repeat(open, n) + "1" + strings.Repeat(shut, n) }
	names := func(n int, sep string) string {
		var b strings.Builder
		for i := range n {
			if i > 0 {
				b.WriteString(sep)
			}
			b.WriteString("n" + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676)))
		}
		return b.String()
	}
	r := rand.New(rand.NewPCG(1, 1))
	random := make([]byte, 200_000)
	for i := range random {
		random[i] = byte(r.Uint32())
	}
	big := Limits{Source: 11 << 20}
	for name, src := range map[string]string{
		"parentheses": "return " + deep("(", ")", 1_000_000), "tables": "return " + deep("{", "}", 100_000), "minus": "return " + deep("- ", "", 1_000_000),
		"not": "return " + deep("not ", "", 100_000), "blocks": strings.Repeat("do ", 100_000) + strings.Repeat("end ", 100_000),
		"functions": "return " + strings.Repeat("function() return ", 10_000) + strings.Repeat(" end", 10_000), "concat": "return 1" + strings.Repeat("..1", 100_000),
		"plus": "return a" + strings.Repeat("+a", 100_000), "and": "return a" + strings.Repeat(" and a", 50_000), "power": "return 2" + strings.Repeat("^2", 100_000),
		"calls": "return f" + strings.Repeat("()", 100_000), "fields": "return a" + strings.Repeat(".b", 100_000), "elseif": "if a then " + strings.Repeat("elseif a then ", 20_000) + "end",
		"literal": "return {" + strings.Repeat("1,", 300_000) + "}", "locals": strings.Repeat("local a=1 ", 300), "arguments": "return print(" + strings.Repeat("1,", 400) + "1)",
		"parameters": "function f(" + names(300, ",") + ") end", "constants": "return {" + "'" + names(60_000, "','") + "'}", "targets": names(300, ",") + " = 1",
		"labels": strings.Repeat("::a:: ", 10_000), "random": string(random), "zeros": strings.Repeat("\x00", 1<<20), "10 MB": strings.Repeat("x = 1\n", 10<<20/6), "shebang": "#!/usr/bin/lua\nreturn 1",
		"upvalues": "local " + names(100, ",") + " return function() return " + names(100, "+") + " end", "empty": "", "bom": "\xef\xbb\xbfreturn 1", "long bracket": "return [" + strings.Repeat("=", 1<<20),
	} {
		c, err := Compile(name, src, big)
		if err == nil {
			s := newState(t, Options{})
			if _, err := s.Run(c); err != nil && err.(*Error).Reason == Panic {
				t.Errorf("%s: %v", name, err)
			}
			s.Close()
			continue
		}
		var e *Error
		if !errors.As(err, &e) || e.Reason != Syntax || len(e.Message) > maxErrorText+10 || strings.Contains(e.Message, "cannot compile") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRuntimeErrors say where, in PUC Lua's words, with a traceback of the script's
// own frames.
func TestRuntimeErrors(t *testing.T) {
	s := loaded(t, `local function inner(p)
  return p.tcp.dport
end
function handler(p)
  local ok = pcall(function()
    return 1
  end)
  return inner(p) + 1
end
function inpcall(p) error({}) end
function deep(n) if n == 0 then error("bottom") end deep(n - 1) return 1 end`)
	_, err := s.Call(s.global("handler"), s.l.NewTable())
	var e *Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	want := `bench.lua:2: attempt to index field 'tcp' (a nil value)
    bench.lua:2: in function 'inner'
    bench.lua:8: in function <bench.lua:4>`
	if got := e.Detail(); got != want || e.Script != "bench.lua" || e.Line != 2 || e.Reason != Runtime {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	_, err = s.Call(s.global("deep"), lua.LNumber(100))
	if !errors.As(err, &e) || len(e.Traceback) > maxTrace+1 || e.Message != "bottom" {
		t.Errorf("%v, %d lines", err, len(e.Traceback))
	}
	if _, err = s.Call(s.global("inpcall")); err == nil || err.(*Error).Message != "error object is a table value" {
		t.Error(err)
	}
	if r, err := s.Call(s.global("deep"), lua.LNumber(-1)); err == nil || !strings.Contains(err.Error(), "stack overflow") || s.Broken() {
		t.Error(r, err)
	}
}

// TestCause: a Go error raised by a binding comes out again, unless a pcall has it.
func TestCause(t *testing.T) {
	s := loaded(t, `function direct() bind() end function caught() return pcall(bind) end function again() local ok, e = pcall(bind) error(e, 0) end function other() pcall(bind) error("other") end`)
	cause := &fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist}
	s.l.SetGlobal("bind", s.l.NewFunction(func(L *lua.LState) int { return s.Raise(L, cause) }))
	for name, want := range map[string]bool{"direct": true, "again": true, "other": false} {
		_, err := s.Call(s.global(name))
		var pe *fs.PathError
		if err == nil || errors.As(err, &pe) != want || errors.Is(err, fs.ErrNotExist) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if r, err := s.Call(s.global("caught")); err != nil || r[1].String() != "open x: file does not exist" {
		t.Error(r, err)
	}
}

// TestGoPanic breaks the state, in a handler and on a coroutine, and says where.
func TestGoPanic(t *testing.T) {
	for _, name := range []string{"direct", "caught", "coro"} {
		s := loaded(t, `function direct() bind() end function caught() return pcall(bind) end function coro() return coroutine.resume(coroutine.create(function() bind() end)) end`)
		s.l.SetGlobal("bind", s.l.NewFunction(func(L *lua.LState) int { var p *Error; return p.Line }))
		_, err := s.Call(s.global(name))
		var e *Error
		if !errors.As(err, &e) || e.Reason != Panic || !s.Broken() || e.Line != 1 && name != "caught" {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := s.Call(s.global(name)); err == nil {
			t.Errorf("%s: a broken state was entered", name)
		}
	}
}
