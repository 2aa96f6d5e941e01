package vm

import (
	"fmt"
	"slices"
	"strings"
)

// missing is what may be behind it that text, which closes what token number opened has
// opened, does not stand here.
func (g *grammar) missing(text string, opened int) string {
	t := g.tok()
	if k := keyword(t); k != "" {
		return fmt.Sprintf("; did you mean '%s'?", k)
	}
	if g.lastEnd == g.i && t.kind != tokEnd && !g.ended() && t.indent >= g.last.indent {
		return fmt.Sprintf("; '%s' must be the last statement of its block", g.last.text)
	}
	if advice := g.advice(); advice != "" {
		return advice
	}
	if (text == ")" || text == "}") && g.begins() {
		return "; is a ',' missing before it?"
	}
	if text != "end" {
		return ""
	}
	from := g.tokens[opened]
	if g.loose != nil {
		from = *g.loose
	}
	for n, e := range g.elseIf {
		if g.tokens[n] == from {
			return fmt.Sprintf("; 'else if' at line %d opens another 'if': write elseif", e.line)
		}
	}
	if g.loose == nil {
		return ""
	}
	return fmt.Sprintf("; is one missing for '%s' at line %d?", from.text, from.line)
}

// foreign are words of other languages, and what Lua has for them.
var foreign = map[string]string{
	"elif": "elseif", "elsif": "elseif",
	"var": "local", "let": "local", "const": "local",
	"def": "function", "func": "function", "fn": "function",
	"continue": "goto, and a label at the end of the loop",
	"import":   "local name = require \"name\"", "switch": "if and elseif", "try": "pcall", "throw": "error", "raise": "error",
}

// advice is what to write instead, where what stands here is another language's.
func (g *grammar) advice() string {
	t := g.tok()
	var before, after token
	if g.i > 0 {
		before = g.tokens[g.i-1]
	}
	if g.i+1 < len(g.tokens) {
		after = g.tokens[g.i+1]
	}
	if use, ok := foreign[before.text]; ok && before.kind == tokName {
		return fmt.Sprintf("; Lua has no '%s': write %s", before.text, use)
	}
	for _, word := range []token{t, before} {
		if k := keyword(word); k != "" {
			return fmt.Sprintf("; did you mean '%s'?", k)
		}
	}
	if t.kind != tokSymbol {
		return ""
	}
	joined := after.kind == tokSymbol && after.line == t.line && after.column == t.column+len(t.text)
	assigned := joined && after.text == "="
	switch {
	case slices.Contains(strings.Fields("+ - * / % ^ .."), t.text) && assigned && before.kind == tokName:
		return fmt.Sprintf("; Lua has no %s=: write %s = %s %s ...", t.text, before.text, before.text, t.text)
	case t.text == "+" && joined && after.text == "+":
		return "; Lua has no ++: write x = x + 1"
	case t.text == "/" && joined && (after.text == "/" || after.text == "*"):
		return "; a comment begins with --"
	case t.text == "=" && joined && after.text == ">":
		return "; a function is function(p) ... end"
	case t.text == "=" && joined && (after.text == "==" || after.text == "="), t.text == "==" && assigned:
		return "; equal is =="
	case t.text == "=" && g.inCall():
		return "; named values stand in braces: { name = value }"
	case t.text == "=":
		return "; equal is =="
	case t.text == "{" && before.text != "=", g.inTable() && slices.Contains(strings.Fields("return local if for while repeat do break"), t.text):
		return "; a block ends with 'end' and has no braces"
	case opens[t.text] != "" && !slices.ContainsFunc(g.brackets, func(b token) bool { return b.text == opens[t.text] }):
		return fmt.Sprintf("; no '%s' is open here", opens[t.text])
	}
	return ""
}

// keyword is the word of Lua's own that a name is one slip away from, "" if there is none.
func keyword(t token) string {
	if t.kind != tokName || len(t.text) < 3 {
		return ""
	}
	for _, k := range keywords {
		if len(k) >= 3 && oneSlip(t.text, k) {
			return k
		}
	}
	return ""
}

// oneSlip says whether a and b differ in one letter that is wrong, missing or too much,
// or in two that have changed places.
func oneSlip(a, b string) bool {
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for a != "" && b != "" && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return len(a) <= 1 && len(b) <= 1 || len(a) == 2 && len(b) == 2 && a[0] == b[1] && a[1] == b[0]
}

var opens = map[string]string{")": "(", "}": "{", "]": "["}

// begins says whether another value begins with the token in hand.
func (g *grammar) begins() bool {
	t := g.tok()
	return t.kind != tokEnd && (t.kind != tokSymbol || slices.Contains([]string{"{", "[", "function", "nil", "true", "false"}, t.text))
}

// inTable says whether the innermost open bracket is a table's.
func (g *grammar) inTable() bool {
	n := len(g.brackets)
	return n > 0 && g.brackets[n-1].text == "{"
}

// inCall says whether the innermost open bracket holds arguments, and the token in hand
// stands behind a name right in it.
func (g *grammar) inCall() bool {
	n := len(g.brackets)
	return n > 0 && g.brackets[n-1].text == "(" && g.i >= 2 && g.tokens[g.i-1].kind == tokName &&
		slices.Contains([]string{"(", ","}, g.tokens[g.i-2].text)
}
