package luabind

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// An Option is what a script may be told from outside: one option(name, spec).
type Option struct {
	Script string // the program's name
	Name   string
	Type   string   // "number", "string" or "boolean"
	Min    float64  // of a number; minus infinity without a bound
	Max    float64  // of a number; infinity without a bound
	OneOf  []string // of a string; nil: any
	Help   string
	// Default is a float64, string or bool; nil where the option must be given.
	Default any
}

// Text is a value of Options.Option as it stands on a command line: it is read as the
// option's type.
type Text string

// An OptionError is a value from outside that does not suit its option.
type OptionError struct {
	Option Option
	Err    error
}

func (e *OptionError) Error() string {
	return about(fmt.Sprintf("option %q of %s", e.Option.Name, e.Option.Script), e.Err).Error()
}
func (e *OptionError) Unwrap() error { return e.Err }

func optionGlobals() []global {
	return []global{{name: "option", sig: "(name: string, spec: option.spec): number|string|boolean",
		doc: "the value of an option of the script, set with --set, in TOML, or the default", fn: (*instance).option}}
}

// optionSpecs are the keys of the second argument of option.
var optionSpecs = map[string]tableKey[Option]{
	"default": {"number|string|boolean", "its value if it is not set; also says its type", func(o *Option, v lua.LValue) (err error) {
		o.Default, err = plain(v)
		return err
	}},
	"type": {`"number"|"string"|"boolean"`, "its type; an option without default must be set", func(o *Option, v lua.LValue) error {
		return oneOf(v, &o.Type, "number", "string", "boolean")
	}},
	"min":  {"number", "the smallest number", func(o *Option, v lua.LValue) error { return bound(v, &o.Min) }},
	"max":  {"number", "the largest number", func(o *Option, v lua.LValue) error { return bound(v, &o.Max) }},
	"help": {"string", "one line for tunscript check --options", func(o *Option, v lua.LValue) error { return text(v, &o.Help) }},
	"oneof": {"string[]", "the words that a string may be", func(o *Option, v lua.LValue) error {
		t, ok := v.(*lua.LTable)
		if !ok {
			return fmt.Errorf("want a list of strings, got %s", describe(v))
		}
		for i := 1; i <= t.Len(); i++ {
			word, ok := t.RawGetInt(i).(lua.LString)
			if !ok {
				return fmt.Errorf("want a list of strings, got %s in it", describe(t.RawGetInt(i)))
			}
			o.OneOf = append(o.OneOf, string(word))
		}
		return nil
	}},
}

// option is option(name, { default = 0.1, min = 0, max = 1, help = "..." }).
func (in *instance) option(L *lua.LState) int {
	o, err := in.optionOf(L)
	if err != nil {
		return in.state.Raise(L, err)
	}
	if in.options[o.Name] {
		return in.state.Raise(L, fmt.Errorf("option %q stands twice: give each option its own name", o.Name))
	}
	if in.options == nil {
		in.options = map[string]bool{}
	}
	in.options[o.Name] = true
	value := o.Default
	if ask := in.script.opt.Option; ask != nil {
		if given, ok := ask(o); ok {
			if value, err = o.read(given); err != nil {
				return in.state.Raise(L, &OptionError{o, err})
			}
		}
	}
	switch v := value.(type) {
	case float64:
		L.Push(lua.LNumber(v))
	case string:
		L.Push(lua.LString(v))
	case bool:
		L.Push(lua.LBool(v))
	default:
		return in.state.Raise(L, &OptionError{o, fmt.Errorf("is not set and has no default: use --set %s=...", o.Name)})
	}
	return 1
}

func (in *instance) optionOf(L *lua.LState) (Option, error) {
	o := Option{Script: in.script.Name(), Min: math.Inf(-1), Max: math.Inf(1)}
	if err := text(L.Get(1), &o.Name); err != nil {
		return o, fmt.Errorf("option: %w", err)
	}
	spec, ok := L.Get(2).(*lua.LTable)
	if !ok {
		return o, fmt.Errorf("option %q: want a table such as { default = 0.1, min = 0, max = 1 }, got %s", o.Name, describe(L.Get(2)))
	}
	if err := readKeys(spec, optionSpecs, &o); err != nil {
		return o, fmt.Errorf("option %q: %w", o.Name, err)
	}
	return o, o.check()
}

// check looks at an option as a whole, and finds its type.
func (o *Option) check() error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("option %q: %w", o.Name, fmt.Errorf(format, args...))
	}
	typ := typeOf(o.Default)
	switch {
	case o.Type == "" && typ == "":
		return fail("want a default, or a type where it must be set")
	case o.Type == "":
		o.Type = typ
	case typ != "" && typ != o.Type:
		return fail("the default is a %s, and type says %s", typ, o.Type)
	}
	bounded := !math.IsInf(o.Min, -1) || !math.IsInf(o.Max, 1)
	switch {
	case bounded && o.Type != "number":
		return fail("min and max are for numbers, and it is a %s", o.Type)
	case o.OneOf != nil && o.Type != "string":
		return fail("oneof is for strings, and it is a %s", o.Type)
	case o.Default == nil:
		return nil
	}
	if _, err := o.read(o.Default); err != nil {
		return about(fmt.Sprintf("option %q: the default", o.Name), err)
	}
	return nil
}

// read is a value from outside as the option's type, if it suits.
func (o *Option) read(v any) (any, error) {
	switch x := v.(type) {
	case Text:
		var err error
		if v, err = o.parse(string(x)); err != nil {
			return nil, err
		}
	case int64:
		v = float64(x)
	case int:
		v = float64(x)
	}
	if typ := typeOf(v); typ != o.Type {
		return nil, fmt.Errorf("is %#v, want a %s", v, o.Type)
	}
	switch x := v.(type) {
	case float64:
		if !(x >= o.Min && x <= o.Max) {
			return nil, fmt.Errorf("is %v, want %s", x, o.Range())
		}
	case string:
		if o.OneOf != nil {
			word := ""
			if err := oneOf(lua.LString(x), &word, o.OneOf...); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

func (o *Option) parse(s string) (any, error) {
	switch o.Type {
	case "number":
		n, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsNaN(n) {
			return nil, fmt.Errorf("is %q, want a number", s)
		}
		return n, nil
	case "boolean":
		if s != "true" && s != "false" {
			return nil, fmt.Errorf("is %q, want true or false", s)
		}
		return s == "true", nil
	}
	return s, nil
}

// Range is what a value may be, in words: "0 to 1", "3 or more", "red, green".
func (o *Option) Range() string {
	low, high := !math.IsInf(o.Min, -1), !math.IsInf(o.Max, 1)
	switch {
	case low && high:
		return fmt.Sprintf("%v to %v", o.Min, o.Max)
	case low:
		return fmt.Sprintf("%v or more", o.Min)
	case high:
		return fmt.Sprintf("%v or less", o.Max)
	case o.OneOf != nil:
		return words(o.OneOf)
	}
	return o.Type
}

func typeOf(v any) string {
	switch v.(type) {
	case float64:
		return "number"
	case string:
		return "string"
	case bool:
		return "boolean"
	}
	return ""
}

func plain(v lua.LValue) (any, error) {
	switch x := v.(type) {
	case lua.LNumber:
		return float64(x), nil
	case lua.LString:
		return string(x), nil
	case lua.LBool:
		return bool(x), nil
	}
	return nil, fmt.Errorf("want a number, string or boolean, got %s", describe(v))
}

func bound(v lua.LValue, to *float64) error {
	n, ok := v.(lua.LNumber)
	if !ok || math.IsNaN(float64(n)) {
		return fmt.Errorf("want a number, got %s", describe(v))
	}
	*to = float64(n)
	return nil
}

// oneOf is v as one of these words.
func oneOf(v lua.LValue, to *string, allowed ...string) error {
	word, ok := v.(lua.LString)
	if !ok || !slices.Contains(allowed, string(word)) {
		return fmt.Errorf("is %s, want %s%s", strings.TrimPrefix(describe(v), "the string "), words(allowed), suggest(string(word), slices.Values(allowed)))
	}
	*to = string(word)
	return nil
}

// words is a list of words as a message has it: "drop", "pass" or "stop".
func words(all []string) string {
	quoted := make([]string, len(all))
	for i, w := range all {
		quoted[i] = strconv.Quote(w)
	}
	if n := len(quoted); n > 1 {
		return strings.Join(quoted[:n-1], ", ") + " or " + quoted[n-1]
	}
	return strings.Join(quoted, "")
}
