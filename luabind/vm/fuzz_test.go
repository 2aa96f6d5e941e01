package vm

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
)

// FuzzCompile: whatever the bytes, a typed error within the limits or a chunk that
// runs within them.
func FuzzCompile(f *testing.F) {
	for _, s := range []string{"x = 1", "local a, b = b, a", "return 'a' .. 1 .. {}", "for i = 1, 3 do goto c ::c:: end", "f{[1]=2,...}", "a.b[c].d, e = f()", "return #x % 2 ^ -y", "\"\\x41\"", "[==[", "repeat local x until x", "while not nil or a do end"} {
		f.Add(s)
	}
	for n := range uint64(32) {
		p, _ := program(n)
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, src string) {
		c, err := Compile("fuzz", src, Limits{})
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Reason != Syntax || strings.Contains(e.Message, "runtime error") {
				t.Fatalf("%#v", err)
			}
			return
		}
		s := newState(t, Options{Limits: Limits{LoadInstructions: 20_000}})
		defer s.Close()
		_, err = s.Run(c)
		var e *Error
		if errors.As(err, &e) && e.Reason == Panic {
			t.Fatalf("%s\n%s", e.Detail(), src)
		}
	})
}

// FuzzMatch compares find with captures to PUC Lua's, where there is one.
func FuzzMatch(f *testing.F) {
	puc := requireLua(f)
	for _, p := range []string{"a*b", "(%w+)=(.-);", "^%s*(.-)%s*$", "%b()", "%f[%w]%w+", "[^%a]", "()a()", "(a)%1", "[]]", "[a-]", "%", "(", "a-$", "[%]]"} {
		f.Add("key=value; (x) aa]", p)
	}
	s := newState(f, Options{})
	fn := s.l.NewFunction(func(L *lua.LState) int {
		n := s.strFind(L, true)
		return n
	})
	f.Fuzz(func(t *testing.T, src, pat string) {
		if strings.ContainsAny(src+pat, "\x00") || len(src) > 200 || len(pat) > 40 {
			t.Skip() // a pattern ends at a zero byte in Lua 5.1
		}
		r, err := s.Call(fn, lua.LString(src), lua.LString(pat))
		var e *Error
		if errors.As(err, &e) && e.Reason != Runtime {
			return // PUC Lua has no limits
		}
		var got []string
		for _, v := range r {
			got = append(got, fmt.Sprintf("%q", text(v)))
			if v == lua.LNil {
				got = []string{"nil"}
			}
		}
		if err != nil {
			got = []string{"error"}
		}
		const script = `local function q(v) return '"' .. tostring(v) .. '"' end
			local r = {pcall(string.find, arg[1], arg[2])}
			if not r[1] then io.write("error") elseif r[2] == nil then io.write("nil") else for i = 2, #r do io.write(q(r[i]), i < #r and "\1" or "") end end`
		cmd := exec.CommandContext(t.Context(), puc, "-", src, pat)
		cmd.Stdin = strings.NewReader(script)
		out, cerr := cmd.Output()
		if cerr != nil {
			t.Skip(cerr)
		}
		var want []string
		for _, w := range strings.Split(string(out), "\x01") {
			if strings.HasPrefix(w, `"`) {
				w = fmt.Sprintf("%q", w[1:len(w)-1])
			}
			want = append(want, w)
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("find(%q, %q): %v, PUC Lua %v", src, pat, got, want)
		}
	})
}

// FuzzNumber: what parses prints, and parses again as what it printed.
func FuzzNumber(f *testing.F) {
	for _, s := range []string{"1", "0x10", " 5 ", "1e5", ".5", "5.", "0x.8", "inf", "nan", "1_0", "0b1", "--1", "1e400", "0x1p4", "+1", "- 1", "1e+5", "0x", "e5", "infinity", "-inf"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, ok := parseNumber(s)
		if !ok {
			return
		}
		out := formatNumber(v)
		back, ok := parseNumber(out)
		if !ok {
			t.Fatalf("%q is %v, printed %q, which is no number", s, v, out)
		}
		if again := formatNumber(back); again != out {
			t.Fatalf("%q prints %q, then %q", s, out, again)
		}
	})
}
