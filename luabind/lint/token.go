package lint

import (
	"fmt"
	"strings"
)

// Tokens are the words of a source. The tree of gopher-lua knows lines only, and an
// editor wants columns, so the parser is given every token on a line of its own: what
// it calls a line is then the number of a token, and its place is known to the byte.
type tokens struct {
	src   string
	at    []int    // where each token begins
	text  []string // as it stands
	rows  []int    // what the parser calls a line -> token; from 1
	lines []int    // where each line of the source begins
}

// scan splits a source that is known to compile.
func scan(src string) *tokens {
	t := &tokens{src: src, lines: []int{0}}
	for i := 0; i < len(src); i++ {
		if c := src[i]; c == '\n' || c == '\r' {
			if i+1 < len(src) && src[i+1] != c && (src[i+1] == '\n' || src[i+1] == '\r') {
				i++
			}
			t.lines = append(t.lines, i+1)
		}
	}
	i := 0
	if strings.HasPrefix(src, "#") {
		i = lineEnd(src, 0)
	}
	for i < len(src) {
		switch c := src[i]; {
		case strings.IndexByte(" \t\r\n\v\f", c) >= 0:
			i++
		case strings.HasPrefix(src[i:], "--"):
			if n := longBracket(src[i+2:]); n > 0 {
				i += 2 + n
			} else {
				i = lineEnd(src, i)
			}
		default:
			n := tokenLen(src[i:])
			t.at = append(t.at, i)
			t.text = append(t.text, src[i:i+n])
			i += n
		}
	}
	return t
}

func lineEnd(src string, i int) int {
	if n := strings.IndexAny(src[i:], "\r\n"); n >= 0 {
		return i + n
	}
	return len(src)
}

// longBracket is the length of a long string or comment at the start of s, or 0.
func longBracket(s string) int {
	level := 1
	for level < len(s) && s[level] == '=' {
		level++
	}
	if s == "" || s[0] != '[' || level >= len(s) || s[level] != '[' {
		return 0
	}
	shut := "]" + strings.Repeat("=", level-1) + "]"
	if n := strings.Index(s[level+1:], shut); n >= 0 {
		return level + 1 + n + len(shut)
	}
	return len(s)
}

func isWord(c byte) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// tokenLen is the length of the token at the start of s.
func tokenLen(s string) int {
	c := s[0]
	switch {
	case c == '"' || c == '\'':
		for i := 1; i < len(s); i++ {
			switch s[i] {
			case '\\':
				i++
			case c:
				return i + 1
			}
		}
		return len(s)
	case c == '[':
		return max(1, longBracket(s))
	case '0' <= c && c <= '9' || c == '.' && len(s) > 1 && '0' <= s[1] && s[1] <= '9':
		i := 1
		for i < len(s) && (isWord(s[i]) || s[i] == '.' || (s[i] == '+' || s[i] == '-') && (s[i-1] == 'e' || s[i-1] == 'E') && !strings.HasPrefix(s, "0x") && !strings.HasPrefix(s, "0X")) {
			i++
		}
		return i
	case isWord(c):
		i := 1
		for i < len(s) && isWord(s[i]) {
			i++
		}
		return i
	}
	for _, op := range []string{"...", "..", "==", "~=", "<=", ">=", "::"} {
		if strings.HasPrefix(s, op) {
			return len(op)
		}
	}
	return 1
}

// rewritten is the source with a token a line. An opening parenthesis stays with what
// is before it: on a line of its own the parser calls it ambiguous.
func (t *tokens) rewritten() string {
	var b strings.Builder
	b.Grow(len(t.src) + len(t.at))
	t.rows = append(t.rows[:0], 0)
	for i, text := range t.text {
		if text != "(" || i == 0 {
			b.WriteByte('\n')
			t.rows = append(t.rows, i)
		} else {
			b.WriteByte(' ')
		}
		writeToken(&b, text)
	}
	// The first token is on line 1.
	return strings.TrimPrefix(b.String(), "\n")
}

// writeToken writes a token on one line: a string may have several.
func writeToken(b *strings.Builder, text string) {
	if !strings.ContainsAny(text, "\r\n") {
		b.WriteString(text)
		return
	}
	value := text
	if text[0] == '[' {
		level := strings.IndexByte(text[1:], '[') + 2
		value = text[level : len(text)-level]
		value = strings.TrimPrefix(strings.TrimPrefix(value, "\r"), "\n")
		b.WriteByte('"')
		for i := range len(value) {
			fmt.Fprintf(b, "\\%03d", value[i])
		}
		b.WriteByte('"')
		return
	}
	for i := 0; i < len(text); i++ {
		if c := text[i]; c == '\n' || c == '\r' { // after a backslash
			if i+1 < len(text) && text[i+1] != c && (text[i+1] == '\n' || text[i+1] == '\r') {
				i++
			}
			b.WriteByte('n')
			continue
		}
		b.WriteByte(text[i])
	}
}

// token is the token that stands on the parser's line row.
func (t *tokens) token(row int) int {
	if row < 1 || row >= len(t.rows) {
		return max(0, len(t.at)-1)
	}
	return t.rows[row]
}

// position is the line and column of token i, from 1.
func (t *tokens) position(i int) (line, column int) {
	if i < 0 || i >= len(t.at) {
		return 1, 1
	}
	return t.offset(t.at[i])
}

// offset is the line and column of the byte at off.
func (t *tokens) offset(off int) (line, column int) {
	lo, hi := 0, len(t.lines)
	for lo+1 < hi {
		if mid := (lo + hi) / 2; t.lines[mid] <= off {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo + 1, off - t.lines[lo] + 1
}

// line is line n of the source, at most 200 bytes of it.
func (t *tokens) line(n int) string {
	if n < 1 || n > len(t.lines) {
		return ""
	}
	start := t.lines[n-1]
	return t.src[start:min(lineEnd(t.src, start), start+200)]
}
