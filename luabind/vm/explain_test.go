package vm

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/yuin/gopher-lua/parse"
)

// TestSyntaxErrorsSayWhatIsMissing: as PUC Lua does, and what may be meant.
func TestSyntaxErrorsSayWhatIsMissing(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		// Blocks that are not closed.
		{"on(function(p)\n  return p:reply()\n", "2:19: 'end' expected (to close 'function' at line 1) near the end of the source"},
		{"if a then\n  if b then\n    c()\nend", "4:4: 'end' expected (to close 'if' at line 1) near the end of the source; is one missing for 'if' at line 2?"},
		{"on(function(p)\n  if a then\n    b()\nend)", "4:4: 'end' expected (to close 'function' at line 1) near ')'; is one missing for 'if' at line 2?"},
		{"on(function(p)\n  if a then\n    return 1\n  return 2\nend)", "4:3: 'end' expected (to close 'if' at line 2) near 'return'"},
		{"on(function(p) return 1)", "1:24: 'end' expected near ')'"},
		{"for i = 1, 2 do\n  while a do\n", "2:13: 'end' expected (to close 'while' at line 2) near the end of the source"},
		{"repeat\n  a()\nend", "3:1: 'until' expected (to close 'repeat' at line 1) near 'end'"},
		{"if a then\n  b()\nelse if c then\n  d()\nend", "5:4: 'end' expected (to close 'if' at line 1) near the end of the source; 'else if' at line 3 opens another 'if': write elseif"},
		{"on('x', function()\nend", "2:4: ')' expected (to close '(' at line 1) near the end of the source"},
		{"t = { 1,\n  2\nx = 1", "3:1: '}' expected (to close '{' at line 1) near 'x'; is a ',' missing before it?"},
		// Too much of them.
		{"on(function(p)\nend)\nend", "3:1: unexpected 'end': no block is open here"},
		{"a()\nelse", "2:1: unexpected 'else': no 'if' is open here"},
		{"on(function(p)\n  a())\nend)", "2:6: unexpected symbol near ')'"},
		{"a())", "1:4: unexpected symbol near ')'; no '(' is open here"},
		{"function f()\n  return 1\n  a()\nend", "3:3: 'end' expected (to close 'function' at line 1) near 'a'; 'return' must be the last statement of its block"},
		{"return 1\na()", "2:1: unexpected symbol near 'a'; 'return' must be the last statement of its block"},
		// Other languages.
		{"if a = 1 then end", "1:6: 'then' expected near '='; equal is =="},
		{"if a === 1 then end", "1:8: unexpected symbol near '='; equal is =="},
		{"if a != 1 then end", "1:6: unexpected symbol near '!='; unequal is ~="},
		{"if a && b then end", "1:6: unexpected symbol near '&&'; write and"},
		{"if !a then end", "1:4: unexpected symbol near '!'; write not"},
		{"if a { b() }", "1:13: 'then' expected near the end of the source"},
		{"if (a) {\n  return 1\n}", "2:3: unexpected symbol near 'return'; a block ends with 'end' and has no braces"},
		{"function f(a) {\n}", "1:15: unexpected symbol near '{'; a block ends with 'end' and has no braces"},
		{"n += 1", "1:3: '=' expected near '+'; Lua has no +=: write n = n + ..."},
		{"n++", "1:2: '=' expected near '+'; Lua has no ++: write x = x + 1"},
		{"// text", "1:1: unexpected symbol near '/'; a comment begins with --"},
		{"elif a then", "1:6: '=' expected near 'a'; Lua has no 'elif': write elseif"},
		{"var a = 1", "1:5: '=' expected near 'a'; Lua has no 'var': write local"},
		{"f(x = 1)", "1:5: ')' expected near '='; named values stand in braces: { name = value }"},
		{"f((p) => p)", "1:7: ')' expected near '='; a function is function(p) ... end"},
		{"f(\u201ca\u201d)", "1:3: unexpected symbol near '\u201c'; write \""},
		{"\xef\xbb\xbff()", "1:1: unexpected symbol near 'char(239)'; save the file without a byte order mark"},
		// The rest.
		{"fucntion f() end", "1:10: '=' expected near 'f'; did you mean 'function'?"},
		{"if a tehn b() end", "1:6: 'then' expected near 'tehn'; did you mean 'then'?"},
		{"retrun a", "1:8: '=' expected near 'a'; did you mean 'return'?"},
		{"if a\n  b()\nend", "2:3: 'then' expected near 'b'"},
		{"while a b() end", "1:9: 'do' expected near 'b'"},
		{"f(a b)", "1:5: ')' expected near 'b'; is a ',' missing before it?"},
		{"local 1 = 2", "1:7: '<name>' expected near '1'"},
		{"for i 1, 2 do end", "1:7: '=' or 'in' expected near '1'"},
		{"a.b", "1:4: '=' expected near the end of the source"},
		{"f() = 1", "1:5: syntax error near '='; a call is no variable"},
		{"a:b", "1:4: function arguments expected near the end of the source"},
		{"f(function g() end)", "1:12: '(' expected near 'g'"},
	} {
		_, err := Compile("f.lua", c.src, Limits{})
		if err == nil {
			t.Errorf("%q compiles", c.src)
		} else if want := "f.lua:" + c.want; err.Error() != want {
			t.Errorf("%q\n got %s\nwant %s", c.src, err, want)
		}
	}
}

// TestGrammarTakesWhatTheParserTakes: what compiles has nothing wrong in it.
func TestGrammarTakesWhatTheParserTakes(t *testing.T) {
	for n := range uint64(300) {
		if src, _ := program(n); explain("p", src) != nil {
			t.Errorf("program %d: %v\n%s", n, explain("p", src), src)
		}
	}
	for name, src := range scripts(t) {
		if err := explain(name, src); err != nil {
			t.Error(err)
		}
	}
}

// scripts are those that ship.
func scripts(t testing.TB) map[string]string {
	all := map[string]string{}
	for _, pattern := range []string{"../lib/*.lua", "../../scripts/examples/*.lua"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, n := range names {
			b, err := os.ReadFile(n)
			if err != nil {
				t.Fatal(err)
			}
			all[filepath.Base(n)] = string(b)
		}
	}
	return all
}

// TestSyntaxErrorsAgainstPUC breaks scripts that ship, a token taken away, doubled or
// exchanged, and compares line and message with PUC Lua's, which also stumbles over the
// first token that does not fit.
func TestSyntaxErrorsAgainstPUC(t *testing.T) {
	puc := requireLua(t)
	all := scripts(t)
	names := make([]string, 0, len(all))
	for n := range all {
		names = append(names, n)
	}
	slices.Sort(names)
	r := rand.New(rand.NewPCG(1, 2))
	var programs []string
	for len(programs) < 3000 {
		if p := broken(r, all[names[r.IntN(len(names))]]); !strings.Contains(p, "goto") {
			programs = append(programs, p)
		}
	}
	differ := 0
	for i, out := range onPUC(t, puc, programs) {
		_, err := Compile("p", programs[i], Limits{})
		var e *Error
		text := strings.Join(out, "\n")
		want, refused := strings.CutPrefix(text, "COMPILE p:")
		if !errors.As(err, &e) || !refused {
			continue // it is Lua still, or gopher-lua takes more of it
		}
		got := fmt.Sprintf("%d: %s", e.Line, e.Message)
		if !samePUC(got, want) {
			if differ++; differ <= 10 {
				t.Logf("got %s\nPUC %s", got, want)
			}
		}
	}
	if differ > 0 {
		t.Errorf("%d of %d differ", differ, len(programs))
	}
}

var toClose = regexp.MustCompile(` \(to close .*?\)`)

// samePUC compares without what is ours: the advice, the end of the source, and brackets
// behind an unclosed block.
func samePUC(got, want string) bool {
	g, _, _ := strings.Cut(got, "; ")
	g = strings.ReplaceAll(g, "near the end of the source", "near '<eof>'")
	line, _, _ := strings.Cut(want, ":")
	switch {
	case g == want, strings.Contains(want, "ambiguous"), strings.Contains(want, "no loop to break"): // what PUC Lua refuses alone, or earlier
		return true
	case strings.Contains(want, "near '\""), strings.Contains(want, "\n"): // a string, which PUC Lua shows by its value
		return strings.HasPrefix(g, line+":")
	case strings.Contains(g, "(to close '[' "): // which PUC Lua does not say
		return toClose.ReplaceAllString(g, "") == want
	case strings.HasSuffix(g, "...'"): // a long token
		return strings.HasPrefix(want, strings.TrimSuffix(g, "...'"))
	case strings.Contains(want, "'<eof>' expected near"):
		return strings.HasPrefix(g, line+":")
	case strings.Contains(want, "<eof>"): // a blank line or a comment before it
		_, g, _ = strings.Cut(toClose.ReplaceAllString(g, ""), ":")
		_, want, _ = strings.Cut(toClose.ReplaceAllString(want, ""), ":")
		return g == want || strings.Contains(want, "unexpected symbol") // a table that ends in a comma
	case strings.Contains(g, "syntax error near '='"), strings.Contains(want, "unexpected symbol near ')'"), strings.Contains(want, "unexpected symbol near '}'"):
		return strings.HasPrefix(g, line+":")
	}
	return false
}

// broken is src with one token taken away, doubled or exchanged with another.
func broken(r *rand.Rand, src string) string {
	all := tokenize(src)
	all = all[:len(all)-1]
	i := r.IntN(len(all))
	other := all[r.IntN(len(all))].text
	var b strings.Builder
	line := 1
	for n, t := range all {
		for ; line < t.line; line++ {
			b.WriteByte('\n')
		}
		text := t.text
		if n == i {
			text = []string{"", t.text + " " + t.text, other}[r.IntN(3)]
		}
		b.WriteString(text + " ")
		line += strings.Count(text, "\n")
	}
	return strings.TrimLeft(b.String(), "\n") // a long string has no first newline
}

// FuzzExplain: whatever the source, a refusal has a place in it.
func FuzzExplain(f *testing.F) {
	for _, s := range []string{"if a then", "f(", "x = { 1, 2", "else if", "n += 1", "end", "a.b", "return 1 2", "[[", "--[["} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) > 10_000 || scan("f", src) != nil {
			return
		}
		e := explain("f", src)
		if e == nil {
			return
		}
		if _, err := parse.Parse(strings.NewReader(src), "f"); err != nil && (e.Line < 1 || e.Column < 1 || e.Message == "") {
			t.Errorf("%q: %+v", src, e)
		}
	})
}
