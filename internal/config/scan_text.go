package config

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// quoted reads a string of one line.
func (s *scanner) quoted(quote byte) bool {
	for s.pos++; s.pos < len(s.text); s.pos++ {
		switch c := s.text[s.pos]; {
		case c == quote:
			s.pos++
			return true
		case c == '\\' && quote == '"':
			s.pos++
		case c == '\n':
			return false
		}
	}
	s.pos = len(s.text) // a backslash at the very end steps over it
	return false
}

// multiline reads a string between three quotes, before whose end one or two
// more may stand.
func (s *scanner) multiline(three string) bool {
	for s.pos += 3; s.pos < len(s.text); s.pos++ {
		switch {
		case s.skip(three):
			for range 2 {
				s.skip(three[:1])
			}
			return true
		case s.text[s.pos] == '\\' && three[0] == '"':
			s.pos++
		}
	}
	s.pos = len(s.text)
	return false
}

// blank skips white space, line ends and comments.
func (s *scanner) blank() {
	for from := -1; s.pos > from; {
		from = s.pos
		s.space()
		s.comment()
		_ = s.skip("\n") || s.skip("\r\n")
	}
}

func (s *scanner) space() {
	for s.pos < len(s.text) && (s.text[s.pos] == ' ' || s.text[s.pos] == '\t') {
		s.pos++
	}
}

func (s *scanner) comment() {
	if s.peek() != '#' {
		return
	}
	if n := strings.IndexByte(s.text[s.pos:], '\n'); n >= 0 {
		s.pos += n
	} else {
		s.pos = len(s.text)
	}
}

// peek returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	if s.pos == len(s.text) {
		return 0
	}
	return s.text[s.pos]
}

func (s *scanner) skip(what string) bool {
	if !strings.HasPrefix(s.text[s.pos:], what) {
		return false
	}
	s.pos += len(what)
	return true
}

// unescape decodes what stands between the quotes of a key.
func unescape(in string) (string, bool) {
	simple := map[byte]string{'b': "\b", 't': "\t", 'n': "\n", 'f': "\f", 'r': "\r", 'e': "\x1b", '"': `"`, '\\': `\`}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(in, `\`)
		b.WriteString(before)
		if !found {
			return b.String(), true
		}
		if after == "" {
			return "", false
		}
		c := after[0]
		in = after[1:]
		if to, ok := simple[c]; ok {
			b.WriteString(to)
			continue
		}
		n := digits[c]
		if n == 0 || len(in) < n {
			return "", false
		}
		code, err := strconv.ParseUint(in[:n], 16, 32)
		if err != nil || !utf8.ValidRune(rune(code)) {
			return "", false
		}
		b.WriteRune(rune(code))
		in = in[n:]
	}
}
