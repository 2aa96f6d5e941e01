package config

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
)

// grammar parses the text into a tree of maps, lists and values, and finds the
// place of everything in it. The tree is nil if the text is not TOML; of
// mistakes in the grammar only the first is known.
func (s *source) grammar() (map[string]any, Errors) {
	if msg := notText(s.text); msg != "" {
		return nil, Errors{s.put(&Error{Message: msg, Suggestion: "save the file as UTF-8 text"}, span{})}
	}
	var problems []problemAt
	s.places, problems = scan(s.text)
	var errs Errors
	for _, p := range problems {
		errs = append(errs, s.put(&Error{Key: p.key, Message: p.msg}, p.span))
	}
	if len(errs) > 0 && errs[len(errs)-1].Key == "" {
		return nil, errs // too deep for the library
	}
	tree, err := parseTOML(s.text)
	if err == nil {
		return tree, errs
	}
	e := s.syntaxError(err)
	for _, known := range errs {
		if known.Line == e.Line {
			return nil, errs
		}
	}
	return nil, append(errs, e)
}

// notText tells files that are no UTF-8 at all from those with a wrong byte.
func notText(text string) string {
	head := text[:min(len(text), 64)]
	switch {
	case strings.HasPrefix(head, "\xff\xfe"), strings.HasPrefix(head, "\xfe\xff"):
		return "this is UTF-16"
	case strings.Contains(head, "\x00"):
		return "this is not text"
	}
	return ""
}

// parseTOML is toml.Decode, which panics where it meets a bug of its own.
func parseTOML(text string) (tree map[string]any, err error) {
	defer func() {
		if r := recover(); r != nil {
			tree, err = nil, fmt.Errorf("not understood: %v", r)
		}
	}()
	tree = map[string]any{}
	if _, err := toml.Decode(text, &tree); err != nil {
		return nil, err
	}
	return tree, nil
}

// syntaxError gives the library's error our form, and a hint.
func (s *source) syntaxError(err error) *Error {
	pe, ok := errors.AsType[toml.ParseError](err)
	if !ok {
		return s.put(&Error{Message: strings.TrimSpace(err.Error()), Err: err}, span{})
	}
	at := span{pe.Position.Start, pe.Position.Start + pe.Position.Len}
	e := s.put(&Error{Message: lowerFirst(strings.TrimSuffix(pe.Message, ".")), Err: err}, at)
	s.explain(e)
	return e
}

var (
	headerLine = regexp.MustCompile(`^\s*(\[\[?)\s*([\w-]+)\s*\]`)
	pairLine   = regexp.MustCompile(`^\s*([\w.-]+)\s*(==?|:=?)\s*(.*?)[\s,;]*$`)
	number     = regexp.MustCompile(`^[+-]?[0-9_]*\.?[0-9_]*$`)
)

// explain says in the words of this file what the library says in those of
// TOML, where the line shows what was meant.
func (s *source) explain(e *Error) {
	if m := headerLine.FindStringSubmatch(e.Source); m != nil {
		s.explainHeader(e, m[1], m[2])
		return
	}
	m := pairLine.FindStringSubmatch(e.Source)
	if m == nil {
		if key := strings.TrimSpace(e.Source); isBare(key) {
			e.Suggestion = fmt.Sprintf("a key wants a value: %s = ...", key)
		}
		return
	}
	key, value := m[1], m[3]
	if v, _, _ := strings.Cut(value, "#"); v != value {
		value = strings.TrimSpace(v)
	}
	switch {
	case value == "":
		e.Message, e.Suggestion = fmt.Sprintf("%s has no value", key), "give it one, or take the line out for the default"
	case strings.Contains("'\"[{", value[:1]), !utf8.ValidString(value), strings.ContainsAny(value, `'"\`):
		if m[2] != "=" {
			e.Suggestion = fmt.Sprintf("did you mean %s = %s?", key, value)
		}
	case meansBool(value) != "":
		e.Message = fmt.Sprintf("%s is not a value of TOML", value)
		e.Suggestion = fmt.Sprintf("did you mean %s = %s?", key, meansBool(value))
	case number.MatchString(value):
		if m[2] != "=" {
			e.Suggestion = fmt.Sprintf("did you mean %s = %s?", key, value)
		}
	default:
		e.Message = "text wants quotes"
		e.Suggestion = fmt.Sprintf("did you mean %s = %s?", key, strconv.Quote(value))
		if strings.Contains(value, "=") { // two pairs on a line, or an inline table
			e.Message, e.Suggestion = "one key a line, and text in quotes", ""
		}
	}
}

// explainHeader is for tables that are opened in a wrong way, or twice.
func (s *source) explainHeader(e *Error, open, name string) {
	first, known := s.places[name]
	opened := known && first.key.from < e.offset && strings.Contains(e.Message, "already")
	line := 1 + strings.Count(s.text[:first.key.from], "\n")
	switch isList := isListTable(name); {
	case isList && open == "[":
		e.Suggestion = fmt.Sprintf("did you mean [[%s]]? There may be several", name)
	case isList && opened:
		e.Message = fmt.Sprintf("%s was opened another way on line %d", name, line)
		e.Suggestion = fmt.Sprintf("write [[%s]] there, too", name)
	case opened && open == "[":
		e.Message = fmt.Sprintf("[%s] is on line %d already", name, line)
		e.Suggestion = "put its keys together"
	case opened:
		e.Suggestion = fmt.Sprintf("did you mean [%s]?", name)
	}
}

func meansBool(value string) string {
	switch strings.ToLower(value) {
	case "yes", "on", "true", "enable", "enabled":
		return "true"
	case "no", "off", "false", "disable", "disabled":
		return "false"
	}
	return ""
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
