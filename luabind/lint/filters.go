package lint

import (
	"errors"
	"regexp"
	"strings"

	"github.com/yuin/gopher-lua/ast"

	"github.com/tunscript/tunscript/engine/filter"
)

// checkFilter compiles a filter that stands at e.
func (f *file) checkFilter(e ast.Expr, text string) {
	_, err := filter.Compile(text)
	if err == nil {
		if word := tcpIndex.FindStringSubmatch(text); word != nil && !ipWord.MatchString(text) {
			line, column := f.inString(e, strings.Index(text, word[0])+1)
			f.reportAt(line, column, Warning, word[1], "",
				"%s[...] looks into IPv4 only, as in pcap-filter(7): ask p.%s in the handler for both, or say ip and ... in the filter", word[1], word[1])
		}
		return
	}
	se, ok := errors.AsType[*filter.SyntaxError](err)
	if !ok {
		f.report(f.at(e), Error, text, "", "filter: %v", err)
		return
	}
	line, column := f.inString(e, se.Column)
	f.reportAt(line, column, Error, wordAt(text, se.Column), se.Suggestion, "filter: %s", se.Message)
}

var (
	tcpIndex = regexp.MustCompile(`\b(tcp|udp)\s*\[`)
	ipWord   = regexp.MustCompile(`\b(ip|ip6)\b`)
)

// wordAt is the word of a filter at a column, from 1.
func wordAt(text string, column int) string {
	if column < 1 || column > len(text) {
		return ""
	}
	rest := text[column-1:]
	if n := strings.IndexAny(rest, " \t\n()[]=!<>&|"); n > 0 {
		rest = rest[:n]
	}
	return clip(rest)
}

// inString is the place of the byte at a column, from 1, of the string e: where that
// is written as it is, the byte itself, else the string.
func (f *file) inString(e ast.Expr, column int) (line, col int) {
	at := f.at(e)
	s, ok := e.(*ast.StringExpr)
	if ok && at < len(f.tokens.text) {
		if n := strings.Index(f.tokens.text[at], s.Value); n >= 0 {
			return f.tokens.offset(f.tokens.at[at] + n + column - 1)
		}
	}
	return f.tokens.position(at)
}
