package config

import (
	"fmt"
	"strconv"
	"strings"
)

// span is a stretch of the text, in bytes.
type span struct{ from, to int }

// place is where a key and its value stand. Of a table, key is its header and
// val is empty; of an element of a list, both are the value.
type place struct{ key, val span }

// maxDepth bounds how deep values and dotted keys may nest. The file needs 3;
// the TOML library recurses without a bound.
const maxDepth = 16

// A scanner finds the place of every key and element in a TOML text, which the
// TOML library does not tell. It reads whatever is right, and stops where it
// does not understand: what is wrong there is the library's to say.
type scanner struct {
	text   string
	pos    int
	places map[string]place
	counts map[string]int // elements so far of every [[array of tables]]

	problems []problemAt
}

// problemAt is a mistake that the library does not report, or not well.
type problemAt struct {
	span
	key, msg string
}

// scan returns the places of a text by key path, such as device[2].peer[1].
func scan(text string) (map[string]place, []problemAt) {
	s := &scanner{text: text, places: map[string]place{}, counts: map[string]int{}}
	s.file()
	return s.places, s.problems
}

// join and elem build key paths. Keys that are not bare are quoted, so that a
// path is unambiguous.
func join(table, key string) string {
	if !isBare(key) {
		key = strconv.Quote(key)
	}
	if table == "" {
		return key
	}
	return table + "." + key
}

func elem(list string, i int) string { return fmt.Sprintf("%s[%d]", list, i) }

func isBare(key string) bool {
	for i := range len(key) {
		if !isBareByte(key[i]) {
			return false
		}
	}
	return key != ""
}

func isBareByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

func (s *scanner) file() {
	table := ""
	for {
		s.blank()
		if s.pos == len(s.text) {
			return
		}
		ok := false
		if s.peek() == '[' {
			table, ok = s.header()
		} else {
			ok = s.pair(table, 0)
		}
		s.space()
		s.comment()
		if !ok || s.pos < len(s.text) && !s.skip("\n") && !s.skip("\r\n") {
			return
		}
	}
}

// header reads [a.b] or [[a.b]] and returns the path of the table it opens.
func (s *scanner) header() (path string, ok bool) {
	from := s.pos
	array := s.skip("[[")
	if !array {
		s.skip("[")
	}
	s.space()
	parts, _, ok := s.keys()
	if end := map[bool]string{true: "]]", false: "]"}[array]; !ok || !s.skip(end) {
		return "", false
	}
	here := place{key: span{from, s.pos}}
	for i, part := range parts {
		path = join(path, part)
		if i < len(parts)-1 || !array {
			s.note(path, here)
			path = s.enter(path)
		}
	}
	if array {
		s.note(path, here)
		s.counts[path]++
		path = elem(path, s.counts[path])
		s.note(path, here)
	}
	return path, true
}

// enter returns the table that a path means: of an array of tables the last.
func (s *scanner) enter(path string) string {
	if n := s.counts[path]; n > 0 {
		return elem(path, n)
	}
	return path
}

// note keeps the first place of a path.
func (s *scanner) note(path string, p place) {
	if _, ok := s.places[path]; !ok {
		s.places[path] = p
	}
}

// pair reads a.b = value into a table.
func (s *scanner) pair(table string, depth int) bool {
	from := s.pos
	parts, end, ok := s.keys()
	if !ok || !s.skip("=") {
		return false
	}
	s.space()
	here := place{key: span{from, end}}
	last := len(parts) - 1
	for _, part := range parts[:last] {
		path := join(table, part)
		s.note(path, here)
		table = s.enter(path)
	}
	path := join(table, parts[last])
	first, twice := s.places[path]
	if twice {
		line := 1 + strings.Count(s.text[:first.key.from], "\n")
		s.problems = append(s.problems, problemAt{here.key, path, fmt.Sprintf("is written twice, first on line %d", line)})
	}
	s.note(path, here)
	val, ok := s.value(path, depth)
	if here.val = val; !twice {
		s.places[path] = here
	}
	return ok
}

// keys reads a dotted key and the white space behind it; end is where the key
// itself ends.
func (s *scanner) keys() (parts []string, end int, ok bool) {
	for from := s.pos; ; {
		part, ok := s.key()
		if !ok {
			return nil, 0, false
		}
		parts = append(parts, part)
		end = s.pos
		if len(parts) > maxDepth {
			s.tooDeep(span{from, end})
			return nil, 0, false
		}
		s.space()
		if !s.skip(".") {
			return parts, end, true
		}
		s.space()
	}
}

func (s *scanner) key() (string, bool) {
	from := s.pos
	switch c := s.peek(); c {
	case '"', '\'':
		if !s.quoted(c) {
			return "", false
		}
		in := s.text[from+1 : s.pos-1]
		if c == '\'' {
			return in, true
		}
		return unescape(in)
	}
	for s.pos < len(s.text) && isBareByte(s.text[s.pos]) {
		s.pos++
	}
	return s.text[from:s.pos], s.pos > from
}

func (s *scanner) value(path string, depth int) (span, bool) {
	from := s.pos
	if depth > maxDepth {
		s.tooDeep(span{from, from + 1})
		return span{}, false
	}
	ok := false
	switch c := s.peek(); c {
	case '"', '\'':
		if three := strings.Repeat(string(c), 3); strings.HasPrefix(s.text[s.pos:], three) {
			ok = s.multiline(three)
		} else {
			ok = s.quoted(c)
		}
	case '[':
		ok = s.list(path, depth)
	case '{':
		ok = s.inline(path, depth)
	default:
		n := strings.IndexAny(s.text[s.pos:], ",]}#\r\n")
		if n < 0 {
			n = len(s.text) - s.pos
		}
		n = len(strings.TrimRight(s.text[s.pos:s.pos+n], " \t"))
		s.pos += n
		ok = n > 0
	}
	return span{from, s.pos}, ok
}

func (s *scanner) list(path string, depth int) bool {
	s.skip("[")
	for i := 1; ; i++ {
		if s.blank(); s.skip("]") {
			return true
		}
		at, ok := s.value(elem(path, i), depth+1)
		if !ok {
			return false
		}
		s.note(elem(path, i), place{at, at})
		if s.blank(); !s.skip(",") && s.peek() != ']' {
			return false
		}
	}
}

func (s *scanner) inline(path string, depth int) bool {
	s.skip("{")
	for {
		if s.blank(); s.skip("}") {
			return true
		}
		if !s.pair(path, depth+1) {
			return false
		}
		if s.blank(); !s.skip(",") && s.peek() != '}' {
			return false
		}
	}
}

func (s *scanner) tooDeep(at span) {
	s.problems = append(s.problems, problemAt{at, "", fmt.Sprintf("nested more than %d deep", maxDepth)})
}
