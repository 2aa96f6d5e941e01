package lint_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/luabind/lint"
)

// Whatever the source, the lint ends, and its places are in the source.
func FuzzSource(f *testing.F) {
	paths, _ := filepath.Glob("../../scripts/examples/*.lua")
	for _, path := range paths {
		src, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(src))
	}
	for _, s := range []string{
		"on('tcp', function(p) p.tcp.destport = 1 return 'dorp' end)",
		"local s = [==[\r\na]]\n]==] print(s.x)\r\nx(\n1)\n:y()",
		"local function f(p) return f(f) end on(f) f(p.x)",
		"local a = a local b = b or a a, b = b, a on{ a, run = b }",
		"::l:: goto l", "for i = 1, 2 do p.x = i end repeat local z = 1 until z",
		"function a.b:c(...) return ... end local t = {[1] = 2, 3; x = function() end}",
		"print(('a\\\nb'):x(), 0x1e+1, 1e+1, .5, a.b.c['d'], -(-1), not #t)",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		for _, finding := range lint.Source("x.lua", src, lint.Options{Devices: []string{"tun0"}, Workers: 2}) {
			if finding.Line < 0 || finding.Line > strings.Count(src, "\n")+strings.Count(src, "\r")+1 || finding.Column < 0 || finding.Message == "" {
				t.Errorf("%+v", finding)
			}
			_ = finding.Detail()
		}
	})
}

// What is huge or deeply nested ends quickly.
func TestTime(t *testing.T) {
	wide := func(piece string) string { return strings.Repeat(piece, 250<<10/len(piece)) }
	nested := func(open, middle, shut string, n int) string {
		return strings.Repeat(open, n) + middle + strings.Repeat(shut, n)
	}
	for name, src := range map[string]string{
		"10 MB":         strings.Repeat("x = 1\n", 10<<20/6),
		"statements":    wide("x = y.z\n"),
		"unknown names": func() string { s := wide("aaaa"); return "print(" + strings.Join(chunks(s, 8), ",") + ")" }(),
		"findings":      wide("on('tcp prot 1', function(p) p.x = 1 return 'dorp' end)\n"),
		"functions":     nested("on(function(p) return f(function() ", "p.x = 1", " end) end)\n", 80),
		"parentheses":   "x = " + nested("(", "1", ")", 190),
		"calls":         "local x = p" + strings.Repeat(":a(p.b.c)", 900),
		"fields":        "on(function(p) return p" + strings.Repeat(".tcp", 900) + " end)",
		"or":            "on(function(p) return p" + strings.Repeat(" or p.x", 400) + " end)",
		"chain":         "local function f(a) return f(f(f(a))) end " + strings.Repeat("f(f(f(f(1)))) ", 10000),
		"aliases":       "local a0 = 1 " + func() string { return strings.Repeat("do local a0 = a0 print(a0) end ", 6000) }(),
	} {
		start := time.Now()
		lint.Source("x.lua", src, lint.Options{})
		if d := time.Since(start); d > 3*time.Second {
			t.Errorf("%s: %d bytes took %v", name, len(src), d)
		} else {
			t.Logf("%s: %d bytes took %v", name, len(src), d)
		}
	}
}

func chunks(s string, n int) (out []string) {
	for ; len(s) >= n; s = s[n:] {
		out = append(out, s[:n])
	}
	return out
}
