package config

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
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
	errs = slices.DeleteFunc(errs, func(p *Error) bool { return p.offset > e.offset })
	if n := len(errs); n > 0 && errs[n-1].Line == e.Line {
		return nil, errs // the same, in our words
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
	e := s.put(&Error{Message: inOurWords(pe.Message), Err: err}, at)
	if s.explain(e); strings.Contains(e.Message, "UTF-8") && e.Suggestion == "" {
		e.Suggestion = "save the file as UTF-8"
	}
	return e
}

// inOurWords takes the parser's jargon out of a message.
func inOurWords(msg string) string {
	msg = strings.TrimSuffix(msg, ".")
	msg = strings.TrimSuffix(msg, " instead")
	msg = strings.NewReplacer(
		"strings cannot contain newlines", "the quote that closes this text is missing",
		"expected a comma (',') or array terminator (']')", "expected ',' or ']' in this list",
		"expected a comma or an inline table terminator '}'", "expected ',' or '}' in this table",
		"expected '.' or '='", "expected '='",
		"expected '.' or ']' to end table name", "expected ']'",
		"expected end of table array name delimiter ']'", "expected ']]'",
		"expected a top-level item to end with a newline, comment, or EOF", "expected the end of the line",
		`'\n'`, "the end of the line",
	).Replace(msg)
	if msg == "" {
		return "not understood"
	}
	return strings.ToLower(msg[:1]) + msg[1:]
}

var (
	headerLine = regexp.MustCompile(`^\s*(\[\[?)\s*([\w-]+)`)
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
	m := pairLine.FindStringSubmatchIndex(e.Source)
	if m == nil {
		if key := strings.TrimSpace(e.Source); isBare(key) {
			e.Suggestion = fmt.Sprintf("a key wants a value: %s = ...", key)
		}
		return
	}
	key, equals, value := e.Source[m[2]:m[3]], e.Source[m[4]:m[5]], e.Source[m[6]:m[7]]
	if v, _, commented := strings.Cut(value, "#"); commented {
		value = strings.TrimSpace(v)
	}
	start := s.lines[e.Line-1]
	meant := value
	switch {
	case value == "":
		e.Message, e.Suggestion = key+" has no value", "give it one, or take the line out for the default"
		return
	case strings.ContainsAny(value, "'\"[]{}=\\") || !utf8.ValidString(value) || number.MatchString(value):
		if equals == "=" {
			return // it is TOML's to say what is wrong
		}
	case meansBool(value) != "":
		meant = meansBool(value)
		e.Message = value + " is not a value of TOML"
	default:
		meant = strconv.Quote(value)
		e.Message = "text wants quotes"
	}
	at := span{start + m[6], start + m[6] + len(value)}
	if equals != "=" {
		at = span{start + m[4], start + m[5]}
		e.Message = fmt.Sprintf("expected '=', not %q", equals)
	}
	e.Suggestion = fmt.Sprintf("did you mean %s = %s?", key, meant)
	s.put(e, at)
}

// explainHeader is for tables that are opened in a wrong way, or twice.
func (s *source) explainHeader(e *Error, open, name string) {
	first, known := s.places[name]
	opened := known && first.key.from < e.offset && strings.Contains(e.Message, "already")
	line := 1 + strings.Count(s.text[:first.key.from], "\n")
	switch isList := isListTable(name); {
	case strings.HasPrefix(e.Message, "expected"):
		if isTable(name) {
			e.Suggestion = fmt.Sprintf("did you mean %s?", heading(name))
		}
	case isList && open == "[":
		e.Message = fmt.Sprintf("[%s] is one table, and %s a list of them", name, name)
		e.Suggestion = fmt.Sprintf("did you mean [[%s]]?", name)
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
	case "1", "yes", "on", "true", "enable", "enabled":
		return "true"
	case "0", "no", "off", "false", "disable", "disabled":
		return "false"
	}
	return ""
}
