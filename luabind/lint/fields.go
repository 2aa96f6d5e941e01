package lint

import (
	"fmt"

	"github.com/yuin/gopher-lua/ast"

	"github.com/tunscript/tunscript/luabind"
)

// checkField looks at t.name being read.
func (f *file) checkField(e *ast.AttrGetExpr) {
	key, ok := e.Key.(*ast.StringExpr)
	if !ok {
		return
	}
	t := f.typeOf(e.Object)
	if t.elem != "" && isDevices(t) {
		f.checkDevice(f.at(key), key.Value)
		return
	}
	c := f.c.api.classes[t.name]
	if c == nil || c.Open || c.Kind == luabind.Table {
		return
	}
	if !c.has(key.Value) {
		f.unknownName(f.at(key), c, key.Value)
	}
}

func isDevices(t typ) bool { return t.elem == "device" }

func (c *class) has(name string) bool {
	if _, ok := c.fields[name]; ok {
		return true
	}
	_, ok := c.methods[name]
	return ok
}

// unknownName is what package luabind says, too.
func (f *file) unknownName(at int, c *class, name string) {
	f.report(at, Error, name, luabind.Nearest(name, c.names), "%s has no %q", c.Name, name)
}

// checkAssign looks at t.name = v; v is nil where it cannot be seen.
func (f *file) checkAssign(target *ast.AttrGetExpr, v ast.Expr) {
	key, ok := target.Key.(*ast.StringExpr)
	if !ok {
		return
	}
	t := f.typeOf(target.Object)
	c := f.c.api.classes[t.name]
	if c == nil || c.Kind != luabind.Layer {
		return
	}
	at := f.at(key)
	field, ok := c.fields[key.Value]
	switch {
	case !c.has(key.Value):
		f.unknownName(at, c, key.Value)
	case !ok:
		f.report(at, Error, key.Value, "", "%s.%s is a method: it is called, not set", c.Name, key.Value)
	case !field.Writable && f.c.api.classes[key.Value] != nil && c.Name == "packet":
		f.report(at, Error, key.Value, "", "%s.%s is a layer: set its fields, as in %s.%s = v", c.Name, key.Value, key.Value, f.example(key.Value))
	case !field.Writable:
		f.report(at, Error, key.Value, "", "%s.%s can only be read", c.Name, key.Value)
	case v != nil:
		f.checkFieldValue(c.Name+"."+key.Value, field, v)
	}
}

// example is a field of a layer that can be set.
func (f *file) example(layer string) string {
	for _, field := range f.c.api.classes[layer].Fields {
		if field.Writable {
			return field.Name
		}
	}
	return "field"
}

// checkFieldValue looks at a value that a field is to take.
func (f *file) checkFieldValue(what string, field luabind.Field, v ast.Expr) {
	if field.Type == "tcp.options" { // as a table of a builder
		field.Type = "tcp.options.fields|string"
	}
	for _, e := range f.mayBe(v) {
		if _, isNil := e.(*ast.NilExpr); isNil {
			continue // undoes it, or is refused with a reason of its own
		}
		if field.Most > 0 {
			if n, ok := f.number(e); ok {
				f.checkRange(f.at(e), what, n, field.Most)
				continue
			}
		}
		if why := f.mismatch(field.Type, e); why != "" {
			f.report(f.at(e), Error, f.word(e), "", "%s: want %s, got %s", what, f.c.api.describe(field.Type), why)
			continue
		}
		f.checkContent(what, field.Type, e)
	}
}

func (f *file) checkRange(at int, what string, n float64, most uint64) {
	whole := n == float64(int64(n))
	switch {
	case !whole:
		f.report(at, Error, fmt.Sprint(n), "", "%s is %v, want a whole number 0..%d", what, n, most)
	case most == 1<<32-1: // modulo 2^32
	case n < 0 || n > float64(most):
		f.report(at, Error, fmt.Sprint(n), "", "%s is %.0f, want 0..%d", what, n, most)
	}
}
