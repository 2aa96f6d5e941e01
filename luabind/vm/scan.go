package vm

import (
	"fmt"
	"strings"
)

// scanner goes over a source before the parser does. It refuses what the parser of
// gopher-lua would misread ("\x41", 1e, 3..2, \999), and what would make the
// recursive passes after it run deep. It also knows columns, which the parser gives
// for the end of a token, and only sometimes.
type scanner struct {
	name, src string
	pos       int
	line      int
	lineStart int // index of the first byte of the line

	depth  int // open brackets and blocks
	unary  int // unary operators in a row
	labels int // labels and gotos
}

// Labels and gotos cost the compiler the square of their number.
const maxLabels = 1000

// scan is the error of a source that must not be parsed, or nil.
func scan(name, src string) *Error {
	sc := scanner{name: name, src: src, line: 1}
	for sc.pos < len(src) {
		if err := sc.token(); err != nil {
			return err
		}
	}
	return nil
}

// fail is a syntax error at index at of the source, on the scanner's line.
func (sc *scanner) fail(at int, format string, args ...any) *Error {
	return syntaxError(sc.name, sc.src, sc.line, at-sc.lineStart+1, fmt.Sprintf(format, args...))
}

func (sc *scanner) newline() {
	c := sc.src[sc.pos]
	sc.pos++
	if sc.pos < len(sc.src) && sc.src[sc.pos] != c && (sc.src[sc.pos] == '\n' || sc.src[sc.pos] == '\r') {
		sc.pos++
	}
	sc.line++
	sc.lineStart = sc.pos
}

func (sc *scanner) peek(n int) byte {
	if sc.pos+n < len(sc.src) {
		return sc.src[sc.pos+n]
	}
	return 0
}

// token skips one token, comment or stretch of space.
func (sc *scanner) token() *Error {
	start := sc.pos
	switch c := sc.src[sc.pos]; {
	case c == '\n' || c == '\r':
		sc.newline()
		return nil
	case c == ' ' || c == '\t' || c == '\v' || c == '\f':
		sc.pos++
		return nil
	case c == '-' && sc.peek(1) == '-':
		return sc.comment()
	case isAlpha(c) || c == '_':
		return sc.word()
	case isDigit(c) || c == '.' && isDigit(sc.peek(1)):
		return sc.number()
	case c == '"' || c == '\'':
		sc.unary = 0
		return sc.quoted(c)
	case c == '[' && (sc.peek(1) == '[' || sc.peek(1) == '='):
		sc.unary = 0
		return sc.long("string")
	case c == '-' || c == '#':
		sc.pos++
		return sc.another(start)
	case c == '(' || c == '{' || c == '[':
		sc.pos++
		return sc.open(start)
	case c == ')' || c == '}' || c == ']':
		sc.depth--
	case c == ':' && sc.peek(1) == ':':
		sc.pos++
		return sc.label(start)
	case c >= 0x80 || c < ' ' || strings.IndexByte("!@$&|?`\\", c) >= 0:
		return sc.stranger(start)
	}
	sc.unary = 0
	sc.pos++
	return nil
}

// stranger is the error of a character that is none of Lua's, with what to write instead.
func (sc *scanner) stranger(at int) *Error {
	rest := sc.src[at:]
	for _, s := range []struct{ text, instead string }{
		{"!=", "unequal is ~="}, {"!", "write not"}, {"&&", "write and"}, {"||", "write or"},
		{"&", `write bit.band(a, b)`}, {"|", `write bit.bor(a, b)`}, {"?", "write a and b or c"},
		{"\xef\xbb\xbf", "save the file without a byte order mark"}, {"\u201c", `write "`}, {"\u201d", `write "`},
		{"\u2018", "write '"}, {"\u2019", "write '"}, {"\u00a0", "a space is meant"}, {"\\", "a string wants quotes"}, {"`", "write '"},
	} {
		if strings.HasPrefix(rest, s.text) {
			near := s.text
			if c := near[0]; c == 0xef || near == "\u00a0" {
				near = printable(c)
			}
			return sc.fail(at, "unexpected symbol near '%s'; %s", near, s.instead)
		}
	}
	return sc.fail(at, "unexpected symbol near '%s'", printable(rest[0]))
}

func printable(c byte) string {
	if c < ' ' || c >= 0x7f {
		return fmt.Sprintf("char(%d)", c)
	}
	return string(rune(c))
}

func (sc *scanner) open(at int) *Error {
	sc.unary = 0
	if sc.depth++; sc.depth > maxSyntaxDepth {
		return sc.fail(at, "chunk has too many syntax levels (more than %d)", maxSyntaxDepth)
	}
	return nil
}

func (sc *scanner) another(at int) *Error {
	if sc.unary++; sc.unary > maxSyntaxDepth {
		return sc.fail(at, "chunk has too many syntax levels (more than %d)", maxSyntaxDepth)
	}
	return nil
}

func (sc *scanner) label(at int) *Error {
	sc.unary = 0
	sc.pos++
	if sc.labels++; sc.labels > maxLabels {
		return sc.fail(at, "more than %d labels and gotos", maxLabels)
	}
	return nil
}

func (sc *scanner) word() *Error {
	start := sc.pos
	for sc.pos < len(sc.src) && (isAlpha(sc.src[sc.pos]) || isDigit(sc.src[sc.pos]) || sc.src[sc.pos] == '_') {
		sc.pos++
	}
	switch sc.src[start:sc.pos] {
	case "not":
		return sc.another(start)
	case "do", "function", "if", "repeat":
		return sc.open(start)
	case "end", "until":
		sc.depth--
	case "goto":
		if sc.labels++; sc.labels > maxLabels {
			return sc.fail(start, "more than %d labels and gotos", maxLabels)
		}
	}
	sc.unary = 0
	return nil
}

// number takes what PUC Lua takes for one: a run of digits, points and letters.
func (sc *scanner) number() *Error {
	sc.unary = 0
	start := sc.pos
	for isDigit(sc.peek(0)) || sc.peek(0) == '.' {
		sc.pos++
	}
	if c := sc.peek(0); (c == 'e' || c == 'E') && (sc.peek(1) == '+' || sc.peek(1) == '-') {
		sc.pos += 2
	}
	for isAlpha(sc.peek(0)) || isDigit(sc.peek(0)) || sc.peek(0) == '_' {
		sc.pos++
	}
	text := sc.src[start:sc.pos]
	if _, ok := parseNumber(text); !ok || len(text) > 2 && (text[1] == 'x' || text[1] == 'X') && strings.ContainsAny(text, ".pP") {
		return sc.fail(start, "malformed number near '%s'", clip(text))
	}
	return nil
}

func (sc *scanner) comment() *Error {
	sc.pos += 2
	if sc.peek(0) == '[' {
		i := 1
		for sc.peek(i) == '=' {
			i++
		}
		if sc.peek(i) == '[' {
			return sc.long("comment")
		}
		// The parser takes --[= for the beginning of a long comment all the same.
		if i > 1 {
			return sc.fail(sc.pos, "invalid long comment delimiter")
		}
	}
	for sc.pos < len(sc.src) && sc.src[sc.pos] != '\n' && sc.src[sc.pos] != '\r' {
		sc.pos++
	}
	return nil
}

// long skips a long string or comment from its first bracket.
func (sc *scanner) long(what string) *Error {
	start, line, lineStart := sc.pos, sc.line, sc.lineStart
	sc.pos++
	level := 0
	for sc.peek(0) == '=' {
		sc.pos++
		level++
	}
	if sc.peek(0) != '[' {
		return sc.fail(start, "invalid long string delimiter")
	}
	shut := "]" + strings.Repeat("=", level) + "]"
	n := strings.Index(sc.src[sc.pos:], shut)
	if n < 0 {
		return syntaxError(sc.name, sc.src, line, start-lineStart+1, "unfinished long "+what)
	}
	end := sc.pos + n
	for sc.pos < end {
		if c := sc.src[sc.pos]; c == '\n' || c == '\r' {
			sc.newline()
		} else {
			sc.pos++
		}
	}
	sc.pos = end + len(shut)
	return nil
}

func (sc *scanner) quoted(quote byte) *Error {
	start, line, lineStart := sc.pos, sc.line, sc.lineStart
	sc.pos++
	for {
		c := sc.peek(0)
		switch {
		case sc.pos >= len(sc.src) || c == '\n' || c == '\r':
			return syntaxError(sc.name, sc.src, line, start-lineStart+1, "unfinished string")
		case c == quote:
			sc.pos++
			return nil
		case c == '\\':
			if err := sc.escape(); err != nil {
				return err
			}
		default:
			sc.pos++
		}
	}
}

func (sc *scanner) escape() *Error {
	at := sc.pos
	sc.pos++
	switch c := sc.peek(0); {
	case sc.pos >= len(sc.src):
		return nil // quoted reports it
	case c == '\n' || c == '\r':
		sc.newline()
	case c == 'x':
		h := "41"
		if isHex(sc.peek(1)) && isHex(sc.peek(2)) {
			h = sc.src[sc.pos+1 : sc.pos+3]
		}
		return sc.fail(at, `Lua 5.1 has no \x escape: write hex"%s"`, h)
	case isDigit(c):
		n := 0
		for i := 0; i < 3 && isDigit(sc.peek(0)); i++ {
			n = n*10 + int(sc.peek(0)-'0')
			sc.pos++
		}
		if n > 255 {
			return sc.fail(at, "escape sequence too large")
		}
	default:
		sc.pos++
	}
	return nil
}

func isHex(c byte) bool { return inClass(c, 'x') }
