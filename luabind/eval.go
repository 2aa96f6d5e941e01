package luabind

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
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
	v := viewer{in: in, room: maxView}
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

// Bounds of what is shown of a value.
const (
	maxView      = 64 << 10 // bytes
	maxViewDepth = 4        // tables in tables
	maxViewKeys  = 100      // of one table
)

// A viewer makes text of values.
type viewer struct {
	in   *instance
	b    strings.Builder
	room int
}

// text adds s, as far as there is room.
func (v *viewer) text(s string) {
	if len(s) > v.room {
		if v.room > 0 {
			v.b.WriteString(s[:v.room] + "...")
		}
		v.room = 0
		return
	}
	v.room -= len(s)
	v.b.WriteString(s)
}

func (v *viewer) value(value lua.LValue, depth int) {
	switch x := value.(type) {
	case lua.LString:
		v.text(strconv.Quote(string(x)))
		return
	case *lua.LTable, *lua.LUserData:
		if s, ok := v.said(value); ok {
			v.text(s)
			return
		}
		if t, ok := x.(*lua.LTable); ok {
			v.table(v.in.state.Shown(t), depth)
			return
		}
	}
	v.text(value.String())
}

// said is what the value's own __tostring says.
func (v *viewer) said(value lua.LValue) (string, bool) {
	fn, ok := v.in.state.L().GetMetaField(value, "__tostring").(*lua.LFunction)
	if !ok {
		return "", false
	}
	values, err := v.in.enter(fn, value)
	switch {
	case err != nil:
		return "<" + err.Error() + ">", true
	case len(values) == 0:
		return "", false
	}
	return values[0].String(), true
}

// table is t as a constructor: what stands at 1, 2 and so on first, then the other keys in
// the order of their texts.
func (v *viewer) table(t *lua.LTable, depth int) {
	if depth == maxViewDepth {
		v.text("{...}")
		return
	}
	n, shown := 0, 0
	for t.RawGetInt(n+1) != lua.LNil { // not Len, which counts holes
		n++
	}
	more := func() bool {
		if shown++; shown > 1 {
			v.text(", ")
		}
		if shown > maxViewKeys {
			v.text("...")
		}
		return shown <= maxViewKeys && v.room > 0
	}
	v.text("{")
	for i := 1; i <= n; i++ {
		if !more() {
			v.text("}")
			return
		}
		v.value(t.RawGetInt(i), depth+1)
	}
	var keys []string
	values := map[string]lua.LValue{}
	t.ForEach(func(k, value lua.LValue) {
		if i, ok := k.(lua.LNumber); ok && i >= 1 && i <= lua.LNumber(n) && i == lua.LNumber(int(i)) {
			return
		}
		key := keyText(k)
		keys = append(keys, key)
		values[key] = value
	})
	slices.Sort(keys)
	for _, k := range keys {
		if !more() {
			break
		}
		v.text(k + " = ")
		v.value(values[k], depth+1)
	}
	v.text("}")
}

// keyText is a key as a constructor has it.
func keyText(k lua.LValue) string {
	s, ok := k.(lua.LString)
	switch {
	case !ok:
		return "[" + k.String() + "]"
	case isName(string(s)):
		return string(s)
	}
	return "[" + strconv.Quote(string(s)) + "]"
}

// isName reports a word that needs no quotes as a key.
func isName(s string) bool {
	for i, c := range s {
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}
