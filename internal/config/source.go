package config

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// source is the text of a configuration, with the place of every key in it. A
// nil source is that of a Config made in Go: nothing has a place.
type source struct {
	name   string
	text   string
	lines  []int // where each line begins
	places map[string]place
}

func newSource(name, text string) *source {
	s := &source{name: name, text: text, lines: []int{0}}
	for i := range len(text) {
		if text[i] == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	return s
}

// has reports whether a key is written in the file.
func (s *source) has(key string) bool {
	if s == nil {
		return false
	}
	_, ok := s.places[key]
	return ok
}

// find returns the place of a key, or else of the nearest thing around it that
// is in the file: of a key that is missing, the header of its table. An element
// of a list that was written without brackets is called by the list's name.
func (s *source) find(key string) (place, string, bool) {
	if s == nil {
		return place{}, key, false
	}
	called := key
	for at := key; at != ""; {
		if p, ok := s.places[at]; ok {
			return p, called, true
		}
		i := max(strings.LastIndexAny(at, ".["), 0)
		if at == called && strings.HasSuffix(at, "]") && s.has(at[:i]) {
			called = at[:i]
		}
		at = at[:i]
	}
	return place{}, key, false
}

// put writes where a span is into an error.
func (s *source) put(e *Error, at span) *Error {
	from := min(max(at.from, 0), len(s.text))
	i, found := slices.BinarySearch(s.lines, from)
	if !found {
		i--
	}
	start := s.lines[i]
	line, _, _ := strings.Cut(s.text[start:], "\n")
	line = strings.TrimSuffix(line, "\r")
	from = min(from, start+len(line))
	to := min(max(at.to, from), start+len(line))
	e.File, e.Line, e.offset = s.name, i+1, from
	e.Column = 1 + utf8.RuneCountInString(s.text[start:from])
	e.Length = max(utf8.RuneCountInString(s.text[from:to]), 1)
	e.Source = line
	return e
}

// atKey and atValue return an error at the key itself and at its value.
func (s *source) atKey(key, msg, hint string) *Error {
	return s.at(key, msg, hint, func(p place) span { return p.key })
}

func (s *source) atValue(key, msg, hint string) *Error {
	return s.at(key, msg, hint, func(p place) span {
		if p.val == (span{}) {
			return p.key
		}
		return p.val
	})
}

func (s *source) at(key, msg, hint string, which func(place) span) *Error {
	p, called, ok := s.find(key)
	e := &Error{Key: called, Message: msg, Suggestion: hint}
	if s != nil {
		e.File = s.name
	}
	if ok {
		s.put(e, which(p))
	}
	return e
}

// Says reports whether a key, such as "impair[1].loss", stands in the file.
func (c *Config) Says(key string) bool { return c.src.has(key) }

// Mistake returns an error about a key, such as "script[1].path", in the form
// and with the place of those that Load finds: for what only shows later, when
// files are opened and filters compiled. The caller may set its Suggestion.
// errors.Is and errors.As see err.
func (c *Config) Mistake(key string, err error) *Error {
	e := c.src.atValue(key, err.Error(), "")
	e.Err = err
	return e
}
