package luabind

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	lua "github.com/yuin/gopher-lua"
)

// A table is an array in JSON if its keys are 1 to n, and an object if they are all
// strings. An empty one is an object, but for the empty arrays that decode gives and
// json.array() makes. null is json.null within tables. Objects are written in the order
// of their keys, so that the same table is always the same text. Text is UTF-8: bytes of
// packets go through tohex.

// maxJSONDepth bounds tables in tables.
const maxJSONDepth = 100

func jsonGlobals() []global {
	return []global{
		{name: "json.encode", sig: "(v: any): string", doc: "a value as JSON", fn: (*instance).jsonEncode},
		{name: "json.decode", sig: "(text: string): any, string?", doc: "the value of JSON; nil and why if it is none", fn: (*instance).jsonDecode},
		{name: "json.array", sig: "(): table", doc: "an empty table that is an empty array in JSON", fn: func(in *instance, L *lua.LState) int {
			L.Push(in.emptyArray())
			return 1
		}},
		{name: "json.null", sig: "userdata", doc: "null within a table, where nil would be nothing", value: func(in *instance) lua.LValue {
			return in.jsonNull()
		}},
	}
}

// jsonMarks are the values that JSON has and Lua has not.
type jsonMarks struct {
	null  *lua.LUserData
	array *lua.LTable // metatable of an empty array
}

func (in *instance) jsonNull() *lua.LUserData {
	if in.json.null == nil {
		L := in.state.L()
		meta := L.CreateTable(0, 2)
		meta.RawSetString("__metatable", lua.LFalse)
		meta.RawSetString("__tostring", L.NewFunction(func(L *lua.LState) int { return pushText(L, "null") }))
		in.json.null = &lua.LUserData{Metatable: meta}
	}
	return in.json.null
}

func (in *instance) emptyArray() *lua.LTable {
	L := in.state.L()
	if in.json.array == nil {
		in.json.array = L.CreateTable(0, 1)
		in.json.array.RawSetString("__metatable", lua.LFalse)
	}
	t := L.CreateTable(0, 0)
	t.Metatable = in.json.array
	return t
}

func (in *instance) jsonEncode(L *lua.LState) int {
	if L.GetTop() == 0 {
		return in.state.Raise(L, errors.New("json.encode: there is no value"))
	}
	e := jsonEncoder{in: in, L: L}
	if err := e.value(L.Get(1), 0); err != nil {
		return in.state.Raise(L, fmt.Errorf("json.encode: %s%w", e.where(), err))
	}
	in.state.ChargeString(L, len(e.b))
	return pushText(L, string(e.b))
}

// A jsonEncoder writes one value. path is where in it it is, for an error.
type jsonEncoder struct {
	in   *instance
	L    *lua.LState
	b    []byte
	path []string
}

func (e *jsonEncoder) where() string {
	if len(e.path) == 0 {
		return ""
	}
	return strings.Join(e.path, ".") + ": "
}

func (e *jsonEncoder) value(v lua.LValue, depth int) error {
	e.in.state.Charge(e.L, 1)
	if len(e.b) > e.in.state.Limits().String {
		e.in.state.ChargeString(e.L, len(e.b)) // raises
	}
	switch v := v.(type) {
	case *lua.LNilType:
		e.b = append(e.b, "null"...)
	case lua.LBool:
		e.b = strconv.AppendBool(e.b, bool(v))
	case lua.LNumber:
		n := float64(v)
		if math.IsNaN(n) || math.IsInf(n, 0) {
			return fmt.Errorf("%v is no number of JSON", n)
		}
		if n == math.Trunc(n) && math.Abs(n) < 1<<63 && (n != 0 || !math.Signbit(n)) {
			e.b = strconv.AppendInt(e.b, int64(n), 10)
		} else {
			e.b = strconv.AppendFloat(e.b, n, 'g', -1, 64)
		}
	case lua.LString:
		return e.text(string(v))
	case *lua.LTable:
		if depth == maxJSONDepth {
			return fmt.Errorf("more than %d tables in each other: is there a loop?", maxJSONDepth)
		}
		return e.table(v, depth+1)
	default:
		if v == lua.LValue(e.in.json.null) && v != nil {
			e.b = append(e.b, "null"...)
			return nil
		}
		return fmt.Errorf("%s has no JSON: use tostring or a table of its fields", describe(v))
	}
	return nil
}

// text writes a string; control characters, quote and backslash alone are escaped.
func (e *jsonEncoder) text(s string) error {
	if !utf8.ValidString(s) {
		return errors.New("a string is not UTF-8: write bytes with tohex")
	}
	e.in.state.Charge(e.L, len(s)/16)
	e.b = append(e.b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			e.b = append(e.b, '\\', c)
		case c == '\n':
			e.b = append(e.b, `\n`...)
		case c < ' ':
			e.b = fmt.Appendf(e.b, `\u%04x`, c)
		default:
			e.b = append(e.b, c)
		}
	}
	e.b = append(e.b, '"')
	return nil
}

func (e *jsonEncoder) table(t *lua.LTable, depth int) error {
	names, err := e.keys(t)
	if err != nil {
		return err
	}
	if names == nil && (t.Len() > 0 || t.Metatable == lua.LValue(e.in.json.array) && e.in.json.array != nil) {
		e.b = append(e.b, '[')
		for i := 1; i <= t.Len(); i++ {
			if err := e.item(i > 1, fmt.Sprintf("[%d]", i), t.RawGetInt(i), depth); err != nil {
				return err
			}
		}
		e.b = append(e.b, ']')
		return nil
	}
	e.b = append(e.b, '{')
	for i, name := range names {
		if i > 0 {
			e.b = append(e.b, ',')
		}
		if err := e.text(name); err != nil {
			return fmt.Errorf("a key: %w", err)
		}
		e.b = append(e.b, ':')
		if err := e.item(false, name, t.RawGetString(name), depth); err != nil {
			return err
		}
	}
	e.b = append(e.b, '}')
	return nil
}

func (e *jsonEncoder) item(comma bool, name string, v lua.LValue, depth int) error {
	if comma {
		e.b = append(e.b, ',')
	}
	e.path = append(e.path, name)
	if err := e.value(v, depth); err != nil {
		return err
	}
	e.path = e.path[:len(e.path)-1]
	return nil
}

// keys are those of an object, sorted; nil of an array, whose keys are 1 to n.
func (e *jsonEncoder) keys(t *lua.LTable) (names []string, err error) {
	count, most := 0, 0
	t.ForEach(func(k, v lua.LValue) {
		switch k := k.(type) {
		case lua.LString:
			names = append(names, string(k))
		case lua.LNumber:
			count++
			if n := int(k); n >= 1 && float64(n) == float64(k) {
				most = max(most, n)
				return
			}
			err = fmt.Errorf("the key %v: a table has keys 1 to n, or strings", k)
		default:
			err = fmt.Errorf("a key is %s: a table has keys 1 to n, or strings", describe(k))
		}
	})
	e.in.state.Charge(e.L, count+len(names))
	switch {
	case err != nil:
		return nil, err
	case count > 0 && len(names) > 0:
		return nil, errors.New("a table has numbers and strings for keys: JSON has lists or names, not both")
	case most != count:
		return nil, fmt.Errorf("a list of %d values goes up to %d: fill it with json.null", count, most)
	}
	slices.Sort(names)
	return names, nil
}

func (in *instance) jsonDecode(L *lua.LState) int {
	s, ok := L.Get(1).(lua.LString)
	if !ok {
		return in.state.Raise(L, fmt.Errorf("json.decode: want a string, got %s", describe(L.Get(1))))
	}
	if !utf8.ValidString(string(s)) {
		return fails(L, "it is not UTF-8")
	}
	in.state.Charge(L, len(s)/4)
	d := jsonDecoder{in: in, L: L, d: json.NewDecoder(strings.NewReader(string(s)))}
	d.d.UseNumber()
	v, err := d.value(0)
	if err == nil {
		if _, err = d.d.Token(); err == io.EOF {
			err = nil
		} else {
			err = errors.New("something follows the value")
		}
	}
	if err != nil {
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			err = errors.New("it ends too soon")
		}
		return fails(L, fmt.Sprintf("%v, at byte %d", err, d.d.InputOffset()))
	}
	L.Push(v)
	return 1
}

// A jsonDecoder reads one value, token by token: what is made is charged as it is made.
type jsonDecoder struct {
	in *instance
	L  *lua.LState
	d  *json.Decoder
}

func (d *jsonDecoder) value(depth int) (lua.LValue, error) {
	t, err := d.d.Token()
	if err != nil {
		return nil, err
	}
	d.in.state.Charge(d.L, 4)
	switch t := t.(type) {
	case nil:
		if depth == 0 {
			return lua.LNil, nil
		}
		return d.in.jsonNull(), nil
	case bool:
		return lua.LBool(t), nil
	case string:
		return lua.LString(t), nil
	case json.Number:
		n, err := strconv.ParseFloat(string(t), 64)
		if err != nil {
			return nil, fmt.Errorf("%s is out of range", clip(string(t)))
		}
		return lua.LNumber(n), nil
	}
	if depth == maxJSONDepth {
		return nil, fmt.Errorf("more than %d values in each other", maxJSONDepth)
	}
	if t == json.Delim('[') {
		return d.array(depth + 1)
	}
	return d.object(depth + 1)
}

func (d *jsonDecoder) array(depth int) (lua.LValue, error) {
	list := d.L.CreateTable(0, 0)
	for d.d.More() {
		v, err := d.value(depth)
		if err != nil {
			return nil, err
		}
		list.Append(v)
	}
	if list.Len() == 0 {
		list = d.in.emptyArray()
	}
	_, err := d.d.Token()
	return list, err
}

func (d *jsonDecoder) object(depth int) (lua.LValue, error) {
	t := d.L.CreateTable(0, 0)
	for d.d.More() {
		name, err := d.d.Token()
		if err != nil {
			return nil, err
		}
		v, err := d.value(depth)
		if err != nil {
			return nil, err
		}
		t.RawSetString(name.(string), v)
	}
	_, err := d.d.Token()
	return t, err
}
