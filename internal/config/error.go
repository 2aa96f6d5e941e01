package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Error is one mistake in a configuration.
type Error struct {
	File       string // as it was given to Load or Parse; empty if made in Go
	Line       int    // from 1; 0 if it has no place
	Column     int    // in characters, from 1
	Key        string // such as "device[1].mtu"; empty for a mistake in the grammar
	Message    string // what is wrong
	Suggestion string // what to do, such as `did you mean "address"?`; may be empty
	Source     string // the line, without its end
	Length     int    // how many characters of Source it is about, from Column on
	Err        error  // the cause, if there is one

	offset int // in the text, to sort by
}

// Error returns the mistake in one line:
//
//	config.toml:3:1: device[1].adress: unknown key; did you mean "address"?
func (e *Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File)
		if e.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", e.Line, e.Column)
		}
		b.WriteString(": ")
	}
	if e.Key != "" {
		b.WriteString(e.Key + ": ")
	}
	b.WriteString(e.Message)
	if e.Suggestion != "" {
		b.WriteString("; " + e.Suggestion)
	}
	return b.String()
}

// Show returns the line of Error and, below it, the source with a caret:
//
//	config.toml:3:1: device[1].adress: unknown key; did you mean "address"?
//	    3 | adress = "192.0.2.1/24"
//	      | ^^^^^^
func (e *Error) Show() string {
	if e.Line == 0 {
		return e.Error() + "\n"
	}
	text, col := window([]rune(e.Source), e.Column-1)
	width := min(e.Length, len(text)-col)
	gutter := fmt.Sprintf("%5d | ", e.Line)
	return fmt.Sprintf("%s\n%s%s\n%*s%s%s\n", e.Error(), gutter, string(text),
		len(gutter), "| ", indent(text[:col]), strings.Repeat("^", max(width, 1)))
}

// Unwrap returns the cause, nil if there is none.
func (e *Error) Unwrap() error { return e.Err }

// window cuts what does not fit on a screen, and replaces what a terminal would
// obey. It returns the new index of column col.
func window(line []rune, col int) ([]rune, int) {
	const before, all = 60, 120
	col = min(col, len(line))
	line = slices.Clone(line)
	for i, r := range line {
		if r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 {
			line[i] = '\uFFFD'
		}
	}
	if col > before+all/4 {
		cut := col - before
		line, col = append([]rune("... "), line[cut:]...), before+4
	}
	if len(line) > all {
		line = append(line[:max(all, col)], []rune(" ...")...)
	}
	return line, col
}

// indent is white space as wide as text: tabs stay tabs, whatever their width.
func indent(text []rune) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, string(text))
}

// Errors is every mistake of a configuration, in the order of the file, those
// without a line last. It is never empty. errors.As finds the first one,
// errors.Is any cause.
type Errors []*Error

// Error returns a line for each mistake.
func (es Errors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Show returns [Error.Show] of each mistake, of no more than the first twenty.
func (es Errors) Show() string {
	const most = 20
	var b strings.Builder
	for _, e := range es[:min(len(es), most)] {
		b.WriteString(e.Show())
	}
	if more := len(es) - most; more > 0 {
		fmt.Fprintf(&b, "and %d more\n", more)
	}
	return b.String()
}

// Unwrap returns the mistakes, for errors.Is and errors.As.
func (es Errors) Unwrap() []error {
	out := make([]error, len(es))
	for i, e := range es {
		out[i] = e
	}
	return out
}

// sorted returns es in the order of the file as an error, nil if it is empty.
func (es Errors) sorted() error {
	if len(es) == 0 {
		return nil
	}
	slices.SortStableFunc(es, func(a, b *Error) int {
		if (a.Line == 0) != (b.Line == 0) {
			return cmp.Compare(b.Line, a.Line) // the one without a place goes last
		}
		return cmp.Compare(a.offset, b.offset)
	})
	return es
}
