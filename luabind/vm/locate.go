package vm

import (
	"regexp"
	"strconv"
	"strings"
)

// What a message names: the field or argument in quotes, the variable Lua could not use,
// and the functions and fields before its colons, as in "on: prio: want a number".
var (
	quoted   = regexp.MustCompile(`"((?:[^"\\]|\\.)+)"`)
	variable = regexp.MustCompile(`^attempt to .* '([^']+)'`)
	prefix   = regexp.MustCompile(`^(\w+)(?:: | ")`)
	within   = regexp.MustCompile(`\bcolumn (\d+) of "`) // a place in the string that follows
)

// Locate completes an error that has a line only: Lua keeps no columns, but the message
// nearly always names what is wrong, and where that stands once in its line, it is the
// place. source is the text of the chunk that e.Script names.
func (e *Error) Locate(source string) {
	if e.Line == 0 || e.Column != 0 {
		return
	}
	line := sourceLine(source, e.Line)
	for _, name := range named(e.Message) {
		if at := once(line, name); at >= 0 {
			e.Source, e.Column = line, at+1
			if m := within.FindStringSubmatch(e.Message); m != nil {
				n, _ := strconv.Atoi(m[1])
				e.Column = min(e.Column+max(n-1, 0), len(line)+1)
			}
			return
		}
	}
}

// named are the words of the source that a message is likely to be about, the likeliest
// first.
func named(message string) (all []string) {
	if m := variable.FindStringSubmatch(message); m != nil {
		return m[1:]
	}
	message, _, _ = strings.Cut(message, "; did you mean")
	if m := quoted.FindStringSubmatch(message); m != nil {
		all = append(all, m[1])
	}
	var functions []string
	for m := prefix.FindStringSubmatch(message); m != nil; m = prefix.FindStringSubmatch(message) {
		functions = append([]string{m[1]}, functions...) // the innermost first
		message = message[len(m[0]):]
	}
	return append(all, functions...)
}

// once is where name stands in line as a word of its own, -1 if nowhere or more than once.
func once(line, name string) int {
	found := -1
	for from := 0; ; {
		i := strings.Index(line[from:], name)
		if i < 0 {
			return found
		}
		at, end := from+i, from+i+len(name)
		if (at == 0 || !wordByte(line[at-1])) && (end == len(line) || !wordByte(line[end])) {
			if found >= 0 {
				return -1
			}
			found = at
		}
		from = end
	}
}

func wordByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}
