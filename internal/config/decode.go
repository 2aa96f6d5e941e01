package config

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// report collects mistakes. bad holds the keys whose value is not the one that
// was written, so that what follows from a mistake is not reported beside it.
type report struct {
	src  *source
	errs Errors
	bad  map[string]bool
}

func (r *report) add(e *Error, key string) {
	r.errs = append(r.errs, e)
	r.bad[key] = true
}

// A problem is what is wrong with a value, before it is known where it stands.
type problem struct{ msg, hint string }

func (p *problem) Error() string { return p.msg }

func wrong(hint, format string, args ...any) error {
	return &problem{fmt.Sprintf(format, args...), hint}
}

// decode writes a tree over the defaults in c.
func decode(r *report, tree map[string]any, c *Config) {
	r.table("", tree, reflect.ValueOf(c).Elem())
}

// table decodes the keys of a table into the fields of a struct.
func (r *report) table(key string, table map[string]any, dst reflect.Value) {
	fields := keysOf(dst.Type())
	for _, name := range slices.Sorted(maps.Keys(table)) {
		if i := slices.Index(fields, name); i >= 0 {
			r.value(join(key, name), table[name], dst.Field(i), dst.Type().Field(i).Tag)
			continue
		}
		hint := didYouMean(name, fields)
		if near := Nearest(name, fields); near != "" {
			r.bad[join(key, near)] = true // what was meant is not missing
			if key == "" {
				hint = "did you mean " + heading(near) + "?"
			}
		} else if home := homeOf(name); home != "" {
			hint = "it belongs in " + heading(home)
		}
		what := "unknown key"
		switch table[name].(type) {
		case map[string]any, []map[string]any:
			what = "unknown table"
		}
		path := join(key, name)
		r.add(r.src.atKey(path, what, hint), path)
	}
}

func (r *report) value(key string, v any, dst reflect.Value, tag reflect.StructTag) {
	known, err := convert(v, dst.Addr().Interface())
	if !known {
		switch dst.Kind() {
		case reflect.Struct:
			if table, ok := v.(map[string]any); ok {
				r.table(key, table, dst)
				return
			}
			err = notTable(key, v)
		case reflect.Slice:
			r.list(key, v, dst, tag)
			return
		case reflect.Map:
			r.options(key, v, dst)
			return
		default:
			err = scalar(v, dst, tag)
		}
	}
	if err == nil {
		err = bounds(dst, tag)
	}
	if err != nil {
		r.add(r.src.atValue(key, err.Error(), hintOf(err)), key)
	}
}

// list decodes an array of tables, of addresses (of which a single one needs no
// brackets), or of words.
func (r *report) list(key string, v any, dst reflect.Value, tag reflect.StructTag) {
	of := dst.Type().Elem()
	isTables := of.Kind() == reflect.Struct && len(keysOf(of)) > 0
	var elems []any
	switch v := v.(type) {
	case []any:
		elems = v
	case []map[string]any:
		for _, table := range v {
			elems = append(elems, table)
		}
	case map[string]any:
		hint := ""
		if isTables {
			hint = fmt.Sprintf("did you mean %s?", heading(key))
		}
		r.add(r.src.atKey(key, "is a list, not one table", hint), key)
		return
	default:
		if isTables {
			r.add(r.src.atValue(key, "is a list of tables, not "+describe(v), "did you mean "+heading(key)+"?"), key)
			return
		}
		if of.Kind() == reflect.String {
			hint := ""
			if s, ok := v.(string); ok {
				hint = fmt.Sprintf("did you mean [%q]?", s)
			}
			r.add(r.src.atValue(key, "wants a list, not "+describe(v), hint), key)
			return
		}
		elems = []any{v}
	}
	for i, v := range elems {
		path, one := elem(key, i+1), fresh(of)
		r.value(path, v, one, tag)
		if !isTables && r.bad[path] {
			r.bad[key] = true
		}
		dst.Set(reflect.Append(dst, one))
	}
}

// options decodes the options of a script, whose names only the script knows.
func (r *report) options(key string, v any, dst reflect.Value) {
	table, ok := v.(map[string]any)
	if !ok {
		r.add(r.src.atValue(key, "wants a table, not "+describe(v), `such as { loss = 0.2, name = "x" }`), key)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(table)) {
		switch v := table[name].(type) {
		case string, int64, float64, bool:
		default:
			path := join(key, name)
			r.add(r.src.atValue(path, "an option is text, a number or a boolean, not "+describe(v), ""), path)
		}
	}
	dst.Set(reflect.ValueOf(table))
}

func notTable(key string, v any) error {
	name, _, _ := strings.Cut(key, "[")
	hint := fmt.Sprintf("did you mean %s?", heading(name))
	if strings.HasSuffix(key, ".gilbert") {
		hint = "such as { p = 0.01, r = 0.25 }"
	}
	if _, ok := v.([]map[string]any); ok {
		return wrong(hint, "is one table, not several")
	}
	return wrong(hint, "is a table, not %s", describe(v))
}

// keysOf returns the TOML key of every field; fields without one come last.
func keysOf(t reflect.Type) []string {
	var keys []string
	for i := range t.NumField() {
		if key := t.Field(i).Tag.Get("toml"); key != "" {
			keys = append(keys, key)
		}
	}
	return keys
}

// fresh returns an element of a list with its defaults.
func fresh(t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	switch p := v.Addr().Interface().(type) {
	case *Device:
		*p = DefaultDevice()
	case *Script:
		*p = DefaultScript()
	case *Impair:
		*p = DefaultImpair()
	}
	return v
}

// heading returns a table's header as it is written.
func heading(table string) string {
	if isListTable(table) {
		return "[[" + table + "]]"
	}
	return "[" + table + "]"
}

func isTable(name string) bool { return slices.Contains(keysOf(reflect.TypeFor[Config]()), name) }

func isListTable(name string) bool {
	t := reflect.TypeFor[Config]()
	i := slices.Index(keysOf(t), name)
	return i >= 0 && t.Field(i).Type.Kind() == reflect.Slice
}

// homeOf returns the table, the first in the order of the file, that has a key.
func homeOf(key string) string {
	t := reflect.TypeFor[Config]()
	for i, table := range keysOf(t) {
		of := t.Field(i).Type
		if of.Kind() == reflect.Slice {
			of = of.Elem()
		}
		if slices.Contains(keysOf(of), cmp.Or(key, " ")) {
			return table
		}
	}
	return ""
}
