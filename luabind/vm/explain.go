package vm

import (
	"slices"
	"strings"
)

// explain says why src, which gopher-lua's parser has refused, is no Lua: what was
// expected where, and which block is open there. That parser is made by yacc and says
// "syntax error", wherever an `end` is missing. nil if the grammar here finds nothing
// wrong. The source has passed scan, so it is not nested deep.
func explain(name, src string) *Error {
	g := grammar{tokens: tokenize(src)}
	g.chunk()
	if g.problem == "" {
		return nil
	}
	t := g.tokens[g.at]
	return syntaxError(name, src, t.line, t.column, g.problem)
}

// A token of a source, without comments.
type token struct {
	kind         tokenKind
	text         string
	line, column int // where it begins, from 1
	indent       int // of its line, in bytes
}

type tokenKind uint8

const (
	tokSymbol tokenKind = iota // an operator, a bracket or a word of Lua's own
	tokName
	tokNumber
	tokString
	tokEnd // after the last one; its text is empty
)

var keywords = strings.Fields("and break do else elseif end false for function goto if in local nil not or repeat return then true until while")

// tokenize splits a source that scan has passed.
func tokenize(src string) []token {
	var all []token
	sc := scanner{src: src, line: 1}
	for sc.pos < len(src) {
		start := sc.pos
		t := token{line: sc.line, column: start - sc.lineStart + 1}
		line := src[sc.lineStart:]
		t.indent = len(line) - len(strings.TrimLeft(line, " \t"))
		if op := operator(src[start:]); op != "" {
			sc.pos += len(op)
			t.text = op
			all = append(all, t)
			continue
		}
		if err := sc.token(); err != nil {
			break
		}
		t.text = src[start:sc.pos]
		switch c := t.text[0]; {
		case strings.IndexByte(" \t\v\f\r\n", c) >= 0 || strings.HasPrefix(t.text, "--"):
			continue
		case isAlpha(c) || c == '_':
			if !slices.Contains(keywords, t.text) {
				t.kind = tokName
			}
		case isDigit(c) || c == '.' && len(t.text) > 1:
			t.kind = tokNumber
		case c == '"' || c == '\'' || c == '[' && len(t.text) > 1:
			t.kind = tokString
		}
		all = append(all, t)
	}
	end := token{kind: tokEnd, line: strings.Count(strings.TrimRight(src, "\n"), "\n") + 1}
	end.column = len(sourceLine(src, end.line)) + 1
	return append(all, end)
}

// operator is the operator of more than one character at the start of s, if one is.
func operator(s string) string {
	for _, op := range []string{"...", "..", "==", "~=", "<=", ">=", "::"} {
		if strings.HasPrefix(s, op) && (op != ".." || len(s) < 3 || !isDigit(s[2])) {
			return op
		}
	}
	return ""
}
