package filter

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"
)

// lex cuts text into tokens, the last of which is tEnd. As in libpcap the longest
// token wins, so "1-5" and "len-5" are one word each and "1:2:3:4:5:6" is a MAC
// address; of equally long ones a keyword wins, then an address, then a number.
func lex(text string) []token {
	var toks []token
	for at := 0; at < len(text); {
		if strings.IndexByte(" \t\r\n", text[at]) >= 0 {
			at++
			continue
		}
		t := next(text[at:])
		t.at, t.end = at, at+t.end
		toks = append(toks, t)
		at = t.end
		if t.kind == tBad {
			break
		}
	}
	return append(toks, token{kind: tEnd, at: len(text), end: len(text)})
}

// twoChar and oneChar are the punctuation, spelt as the parser compares it.
var twoChar = map[string]string{
	">=": ">=", "<=": "<=", "!=": "!=", "==": "=", "<<": "<<", ">>": ">>", "&&": "and", "||": "or",
}

const oneChar = "+-*/%:[]!<>()&|^="

// next reads the token at the start of s; its end is its length.
func next(s string) token {
	word, addr := wordLen(s), longest(s, isIPv6)
	mac, num := macLen(s), numberLen(s)
	quad, parts := quadLen(s)
	n := max(word, addr, mac, num, quad)
	if odd := oddMACLen(s); odd > n {
		return token{kind: tBad, text: fmt.Sprintf("%q is no MAC address: write six bytes, 02:00:00:00:00:01", s[:odd]), end: odd}
	}
	switch text := s[:n]; {
	case n == 0:
		return symbol(s)
	case keywords[text] != "":
		return token{kind: tKey, text: keywords[text], end: n}
	case n == mac:
		return token{kind: tEID, text: text, end: n}
	case n == num:
		return number(text)
	case n == quad && parts > 1:
		return token{kind: tHID, text: text, end: n}
	case n == addr:
		if _, err := netip.ParseAddr(text); err != nil {
			return token{kind: tBad, text: fmt.Sprintf("%q is no IPv6 address", text), end: n}
		}
		return token{kind: tHID6, text: text, end: n}
	default:
		if v, ok := constants[text]; ok {
			return token{kind: tNum, text: text, num: v, end: n}
		}
		return token{kind: tID, text: text, end: n}
	}
}

// symbol reads punctuation, or a word escaped by a backslash.
func symbol(s string) token {
	if len(s) > 1 {
		if t := twoChar[s[:2]]; t != "" {
			return token{kind: tKey, text: t, end: 2}
		}
	}
	if strings.IndexByte(oneChar, s[0]) >= 0 {
		return token{kind: tKey, text: s[:1], end: 1}
	}
	if s[0] == '\\' {
		n := strings.IndexAny(s, " !()\n\t")
		if n < 0 {
			n = len(s)
		}
		if n > 1 {
			return token{kind: tID, text: s[1:n], end: n}
		}
	}
	if r, _ := utf8.DecodeRuneInString(s); r >= 0x80 {
		return token{kind: tBad, text: fmt.Sprintf("unexpected %q: a filter is plain ASCII", r), end: 1}
	}
	hint := ""
	switch s[0] {
	case ',', ';':
		hint = `: join with "and" or "or"`
	case '"', '\'', '`':
		hint = ": a filter has no quotes in it"
	}
	return token{kind: tBad, text: fmt.Sprintf("unexpected %q", s[0]) + hint, end: 1}
}

// wordLen is the length of the word that s starts with: letters and digits, with
// "-", "_" and "." inside; it may end in a dot.
func wordLen(s string) int {
	n := 0
	for i := 0; i < len(s); i++ {
		switch {
		case isAlnum(s[i]), i > 0 && s[i] == '.':
			n = i + 1
		case i > 0 && (s[i] == '-' || s[i] == '_'):
		default:
			return n
		}
	}
	return n
}

// numberLen is the length of the number that s starts with, decimal, octal or hex.
func numberLen(s string) int {
	if len(s) > 2 && s[0] == '0' && s[1]|0x20 == 'x' && isHex(s[2]) {
		return 2 + span(s[2:], isHex)
	}
	return span(s, isDigit)
}

// number reads a number as C does: 0x for hex, a leading 0 for octal.
func number(s string) token {
	base, digits := uint64(10), s
	switch {
	case len(s) > 1 && s[1]|0x20 == 'x':
		base, digits = 16, s[2:]
	case len(s) > 1 && s[0] == '0':
		base, digits = 8, s[1:]
	}
	v := uint64(0)
	for i := range len(digits) {
		d := hexVal(digits[i])
		if d >= base {
			return token{kind: tBad, text: fmt.Sprintf("%s starts with 0, so it is octal, and has the digit %c", s, digits[i]), end: len(s)}
		}
		if v = v*base + d; v > 0xffffffff {
			return token{kind: tBad, text: s + " does not fit into 32 bits", end: len(s)}
		}
	}
	return token{kind: tNum, text: s, num: uint32(v), end: len(s)}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isHex(c byte) bool   { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }
func isAlnum(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z' }

func hexVal(c byte) uint64 {
	if isDigit(c) {
		return uint64(c - '0')
	}
	return uint64(c|0x20-'a') + 10
}

// span is how many bytes at the start of s are of the class.
func span(s string, class func(byte) bool) int {
	for i := range len(s) {
		if !class(s[i]) {
			return i
		}
	}
	return len(s)
}
