package vm

import (
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

// Compile parses, mends and compiles source. Its errors are of type [*Error] with
// Reason Syntax.
func Compile(name, source string, lim Limits) (*Chunk, error) {
	stmts, err := parse.Parse(strings.NewReader(source), name)
	if err != nil {
		return nil, &Error{Reason: Syntax, Script: name, Message: err.Error(), Cause: err}
	}
	proto, err := lua.Compile(stmts, name)
	if err != nil {
		return nil, &Error{Reason: Syntax, Script: name, Message: err.Error(), Cause: err}
	}
	return &Chunk{name: name, proto: proto}, nil
}
