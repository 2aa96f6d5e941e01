package vm

import (
	"fmt"
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"
)

// Chunk is a compiled script or module. It is immutable: any number of states on
// any goroutines may run the same one.
type Chunk struct {
	name  string
	proto *lua.FunctionProto
}

// Name is the name given to Compile; it stands in error messages.
func (c *Chunk) Name() string { return c.name }

// Compile parses, mends and compiles source, of which lim.Source bounds the length.
// A first line that begins with # is skipped. Its errors are of type [*Error] with
// Reason Syntax, and have line, column and the source line where they are known.
func Compile(name, source string, lim Limits) (c *Chunk, err error) {
	lim = lim.orDefault()
	if len(source) > lim.Source {
		return nil, &Error{Reason: Syntax, Script: name, Message: fmt.Sprintf(
			"the source is %d bytes long, more than %d: move data out of it (limits: source)", len(source), lim.Source)}
	}
	if strings.HasPrefix(source, "\x1bLua") {
		return nil, &Error{Reason: Syntax, Script: name, Message: "compiled Lua does not load, only source does"}
	}
	if strings.HasPrefix(source, "#") {
		source = "--" + source // the column is off by two in a line without code
	}
	if e := scan(name, source); e != nil {
		return nil, e
	}
	defer func() {
		// The compiler of gopher-lua panics on what it does not expect.
		if r := recover(); r != nil {
			c, err = nil, &Error{Reason: Syntax, Script: name, Message: clip(fmt.Sprint("cannot compile: ", r))}
		}
	}()
	stmts, perr := parse.Parse(strings.NewReader(source), name)
	if perr != nil {
		return nil, parseError(name, source, perr)
	}
	stmts, info, merr := mend(stmts)
	if merr != nil {
		return nil, syntaxError(name, source, merr.line, 0, merr.msg)
	}
	proto, cerr := lua.Compile(stmts, name)
	if cerr != nil {
		if ce, ok := cerr.(*lua.CompileError); ok {
			return nil, syntaxError(name, source, ce.Line, 0, ce.Message)
		}
		return nil, &Error{Reason: Syntax, Script: name, Message: clip(cerr.Error()), Cause: cerr}
	}
	// The outermost function only declares the helpers.
	main := proto.FunctionPrototypes[0]
	mendScopes(main, info)
	boxKeys(main)
	trim(main)
	return &Chunk{name: name, proto: main}, nil
}

// syntaxError is an error at a place of the source; line and column from 1, 0 for
// unknown.
func syntaxError(name, src string, line, column int, msg string) *Error {
	return &Error{Reason: Syntax, Script: name, Line: line, Column: column, Message: clip(msg), Source: sourceLine(src, line)}
}

// sourceLine is line n of src, at most 200 bytes of it.
func sourceLine(src string, n int) string {
	for ; n > 1; n-- {
		i := strings.IndexAny(src, "\r\n")
		if i < 0 {
			return ""
		}
		if i+1 < len(src) && src[i] != src[i+1] && (src[i+1] == '\r' || src[i+1] == '\n') {
			i++
		}
		src = src[i+1:]
	}
	if i := strings.IndexAny(src, "\r\n"); i >= 0 {
		src = src[:i]
	}
	return strings.Clone(src[:min(len(src), 200)])
}

// parseError is an error of gopher-lua's parser, which knows the end of the token
// it stumbled over.
func parseError(name, src string, err error) *Error {
	pe, ok := err.(*parse.Error)
	if !ok {
		return &Error{Reason: Syntax, Script: name, Message: clip(err.Error())}
	}
	msg := strings.TrimSpace(pe.Message)
	line, column := pe.Pos.Line, pe.Pos.Column
	if strings.Contains(msg, "ambiguous") {
		return syntaxError(name, src, line, column, msg)
	}
	if e := explain(name, src); e != nil {
		return e
	}
	if line < 1 { // the end of the source
		line = strings.Count(strings.TrimRight(src, "\n"), "\n") + 1
		return syntaxError(name, src, line, len(sourceLine(src, line))+1, msg+" near the end of the source")
	}
	if n := len(pe.Token); n > 1 && column >= n {
		column -= n - 1
	}
	return syntaxError(name, src, line, column, msg+" near '"+pe.Token+"'")
}

// trim gives back what the compiler has allocated in advance, some 14 KB for each
// function.
func trim(p *lua.FunctionProto) {
	p.Code = slices.Clone(p.Code)
	p.Constants = slices.Clone(p.Constants)
	p.DbgSourcePositions = slices.Clone(p.DbgSourcePositions)
	p.DbgCalls = slices.Clone(p.DbgCalls)
	for _, c := range p.FunctionPrototypes {
		trim(c)
	}
}
