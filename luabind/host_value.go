package luabind

import (
	"fmt"
	"math"
	"reflect"

	lua "github.com/yuin/gopher-lua"
)

// maxHostDepth bounds what is converted within each other, a loop of pointers included.
const maxHostDepth = 32

// fromGo says whether values of a type can be converted both ways. seen are the types
// that it stands in.
func fromGo(t reflect.Type, seen []reflect.Type) error {
	for _, s := range seen {
		if s == t {
			return nil
		}
	}
	seen = append(seen, t)
	switch t.Kind() {
	case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return nil
	case reflect.Interface:
		if t.NumMethod() == 0 {
			return nil
		}
	case reflect.Slice, reflect.Array, reflect.Pointer:
		return fromGo(t.Elem(), seen)
	case reflect.Map:
		if t.Key().Kind() == reflect.String {
			return fromGo(t.Elem(), seen)
		}
	case reflect.Struct:
		for i := range t.NumField() {
			if name := fieldName(t.Field(i)); name != "" {
				if err := fromGo(t.Field(i).Type, seen); err != nil {
					return fmt.Errorf("field %s: %w", name, err)
				}
			}
		}
		return nil
	}
	return fmt.Errorf("%v has no counterpart in Lua: use strings, byte slices, numbers, booleans, slices, maps with string keys and structs of them", t)
}

// fieldName is what a struct's field is called in Lua; "" for one that Lua does not see.
func fieldName(f reflect.StructField) string {
	tag := f.Tag.Get("lua")
	switch {
	case !f.IsExported() || tag == "-":
		return ""
	case tag != "":
		return tag
	}
	return f.Name
}

// toLua converts what the host returned.
func (in *instance) toLua(v reflect.Value) lua.LValue { return in.toLuaDeep(v, 0) }

func (in *instance) toLuaDeep(v reflect.Value, depth int) lua.LValue {
	if !v.IsValid() || depth > maxHostDepth {
		return lua.LNil
	}
	L := in.state.L()
	switch v.Kind() {
	case reflect.Bool:
		return lua.LBool(v.Bool())
	case reflect.String:
		return lua.LString(v.String())
	case reflect.Float32, reflect.Float64:
		return lua.LNumber(v.Float())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return lua.LNumber(v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return lua.LNumber(v.Uint())
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			return lua.LNil
		}
		return in.toLuaDeep(v.Elem(), depth+1)
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.IsNil() {
			return lua.LNil
		}
		if v.Type().Elem().Kind() == reflect.Uint8 && v.Kind() == reflect.Slice {
			return lua.LString(v.Bytes())
		}
		list := L.CreateTable(v.Len(), 0)
		for i := range v.Len() {
			list.Append(in.toLuaDeep(v.Index(i), depth+1))
		}
		return list
	case reflect.Map:
		t := L.CreateTable(0, v.Len())
		for it := v.MapRange(); it.Next(); {
			t.RawSetString(it.Key().String(), in.toLuaDeep(it.Value(), depth+1))
		}
		return t
	case reflect.Struct:
		t := L.CreateTable(0, v.NumField())
		for i := range v.NumField() {
			if name := fieldName(v.Type().Field(i)); name != "" {
				t.RawSetString(name, in.toLuaDeep(v.Field(i), depth+1))
			}
		}
		return t
	}
	return lua.LNil
}

// toGo converts an argument. What does not suit says what is wanted.
func toGo(v lua.LValue, t reflect.Type, depth int) (reflect.Value, error) {
	if depth > maxHostDepth {
		return reflect.Value{}, fmt.Errorf("more than %d tables in each other: is there a loop?", maxHostDepth)
	}
	out := reflect.New(t).Elem()
	wrong := func(want string) (reflect.Value, error) {
		return out, fmt.Errorf("want %s, got %s", want, describe(v))
	}
	switch t.Kind() {
	case reflect.Bool:
		b, ok := v.(lua.LBool)
		if !ok {
			return wrong("true or false")
		}
		out.SetBool(bool(b))
	case reflect.String:
		s, ok := v.(lua.LString)
		if !ok {
			return wrong("a string")
		}
		out.SetString(string(s))
	case reflect.Float32, reflect.Float64:
		n, ok := v.(lua.LNumber)
		if !ok {
			return wrong("a number")
		}
		out.SetFloat(float64(n))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, ok := v.(lua.LNumber)
		if f := float64(n); !ok || f != math.Trunc(f) || f < -(1<<63) || f >= 1<<63 || out.OverflowInt(int64(f)) {
			return wrong("a whole number of " + t.String())
		}
		out.SetInt(int64(n))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n, ok := v.(lua.LNumber)
		if f := float64(n); !ok || f != math.Trunc(f) || f < 0 || f >= 1<<64 || out.OverflowUint(uint64(f)) {
			return wrong("a whole number of " + t.String())
		}
		out.SetUint(uint64(n))
	case reflect.Interface:
		x, err := anyOf(v, depth)
		if err != nil || x == nil {
			return out, err
		}
		out.Set(reflect.ValueOf(x))
	case reflect.Pointer:
		if v == lua.LNil {
			return out, nil
		}
		e, err := toGo(v, t.Elem(), depth+1)
		if err != nil {
			return out, err
		}
		out.Set(reflect.New(t.Elem()))
		out.Elem().Set(e)
	default:
		return tableToGo(v, out, depth)
	}
	return out, nil
}

// tableToGo converts to what is a table in Lua: a slice, array, map or struct; and to a
// byte slice, which is a string.
func tableToGo(v lua.LValue, out reflect.Value, depth int) (reflect.Value, error) {
	t := out.Type()
	if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 {
		s, ok := v.(lua.LString)
		if !ok {
			return out, fmt.Errorf("want a string, got %s", describe(v))
		}
		out.SetBytes([]byte(s))
		return out, nil
	}
	table, ok := v.(*lua.LTable)
	if !ok {
		return out, fmt.Errorf("want a table, got %s", describe(v))
	}
	switch t.Kind() {
	case reflect.Slice, reflect.Array:
		n := table.Len()
		if t.Kind() == reflect.Slice {
			out.Set(reflect.MakeSlice(t, n, n))
		} else if n != t.Len() {
			return out, fmt.Errorf("want a list of %d, got %d", t.Len(), n)
		}
		for i := range n {
			e, err := toGo(table.RawGetInt(i+1), t.Elem(), depth+1)
			if err != nil {
				return out, fmt.Errorf("[%d]: %w", i+1, err)
			}
			out.Index(i).Set(e)
		}
		return out, nil
	case reflect.Map:
		out.Set(reflect.MakeMap(t))
		return out, eachField(table, func(name string, v lua.LValue) error {
			e, err := toGo(v, t.Elem(), depth+1)
			if err == nil {
				out.SetMapIndex(reflect.ValueOf(name).Convert(t.Key()), e)
			}
			return err
		})
	}
	fields := map[string]int{}
	for i := range t.NumField() {
		if name := fieldName(t.Field(i)); name != "" {
			fields[name] = i
		}
	}
	return out, eachField(table, func(name string, v lua.LValue) error {
		i, ok := fields[name]
		if !ok {
			return fmt.Errorf("there is no such field%s", didYouMean(name, fields))
		}
		e, err := toGo(v, t.Field(i).Type, depth+1)
		if err == nil {
			out.Field(i).Set(e)
		}
		return err
	})
}

// eachField calls fn for every name of a table. Its errors say where.
func eachField(t *lua.LTable, fn func(name string, v lua.LValue) error) (err error) {
	t.ForEach(func(k, v lua.LValue) {
		if err != nil {
			return
		}
		name, ok := k.(lua.LString)
		if !ok {
			err = fmt.Errorf("a key is %s, want names", describe(k))
		} else if e := fn(string(name), v); e != nil {
			err = fmt.Errorf("%s: %w", name, e)
		}
	})
	return err
}

// anyOf is a value as Go has it where anything goes: a table is a list if it has one,
// and else a map.
func anyOf(v lua.LValue, depth int) (any, error) {
	switch v := v.(type) {
	case *lua.LNilType:
		return nil, nil
	case *lua.LTable:
		to := reflect.TypeFor[map[string]any]()
		if v.Len() > 0 {
			to = reflect.TypeFor[[]any]()
		}
		out, err := toGo(v, to, depth+1)
		if err != nil {
			return nil, err
		}
		return out.Interface(), nil
	}
	return plain(v)
}
