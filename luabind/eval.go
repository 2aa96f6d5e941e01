package luabind

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/luabind/vm"
)

// An Eval is Lua that somebody outside wants to have run in a script: an expression, or
// statements. It is immutable.
type Eval struct{ chunk *vm.Chunk }

// evalName stands in errors for where the text came from.
const evalName = "eval"

// exprHead is what makes statements of an expression.
const exprHead = "return "

// NewEval compiles source. Its errors are *ScriptError.
func NewEval(source string) (*Eval, error) {
	chunk, exprErr := vm.Compile(evalName, exprHead+source, vm.Limits{})
	if exprErr == nil {
		return &Eval{chunk}, nil
	}
	chunk, err := vm.Compile(evalName, source, vm.Limits{})
	if err == nil {
		return &Eval{chunk}, nil
	}
	return nil, further(err, exprErr)
}

// further is the error of the two readings of a text, as statements and as an expression,
// that comes later: the reading that makes more sense.
func further(stmts, expr error) error {
	var s, e *vm.Error
	if !errors.As(stmts, &s) || !errors.As(expr, &e) {
		return stmts
	}
	at := *e
	if at.Line == 1 {
		at.Column -= len(exprHead)
		at.Source = strings.TrimPrefix(at.Source, exprHead)
	}
	if at.Line > s.Line || at.Line == s.Line && at.Column > s.Column {
		return &at
	}
	return stmts
}

// Run runs it in the script that has this scope, with the budget of a packet, and returns
// its results as text. It is for engine.Engine.Do: on the scope's worker. Globals are the
// script's; what it has as locals is not to be seen. Errors are *ScriptError.
func (e *Eval) Run(scope *engine.Scope) ([]string, error) {
	in, ok := scope.Value().(*instance)
	if !ok {
		return nil, fmt.Errorf("%s is no Lua script", scope.Name())
	}
	if in.broken != nil {
		return nil, in.broken
	}
	values, err := in.state.Do(e.chunk)
	if err != nil {
		in.noteBroken(err)
		return nil, err
	}
	v := viewer{in: in, room: maxView, look: maxViewLook}
	texts := make([]string, 0, len(values))
	for _, value := range slices.Clone(values) { // the next entry takes them
		v.b.Reset()
		if s, ok := value.(lua.LString); ok {
			v.text(string(s))
		} else {
			v.value(value, 0)
		}
		texts = append(texts, v.b.String())
	}
	return texts, nil
}
