package luabind

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	lua "github.com/yuin/gopher-lua"
)

// A Module is what the program around a script gives it: Go functions and values by
// name, for require. The module "_G" adds globals.
//
// Functions take and give strings, byte slices, numbers, booleans, slices, maps with
// string keys, and structs, whose fields are named by their tags (`lua:"since"`) or as in
// Go. A last result of type error makes a failure nil and its text. A function runs on
// the worker and must not wait; one that takes its time is wrapped in [Async].
type Module map[string]any

// Async wraps a function that takes its time: it runs on a goroutine of its own while the
// task that called it waits. Its first parameter may be a context.Context, which ends with
// the script. In a handler it raises.
func Async(fn any) any { return async{fn} }

type async struct{ fn any }

// hostModule is a Module whose functions have been looked at.
type hostModule map[string]hostValue

// A hostValue is one name of a module: a function, or a value to be converted.
type hostValue struct {
	fn    *hostFunc
	value reflect.Value
}

// A hostFunc is a Go function as Lua calls it.
type hostFunc struct {
	name    string
	fn      reflect.Value
	in      []reflect.Type // without the context
	context bool
	async   bool
	fails   bool // the last result is an error
}

var (
	errorType   = reflect.TypeFor[error]()
	contextType = reflect.TypeFor[context.Context]()
)

// hostModules looks at all modules once, when the script is loaded.
func hostModules(modules map[string]Module) (map[string]hostModule, error) {
	all := map[string]hostModule{}
	for _, name := range slices.Sorted(maps.Keys(modules)) {
		m := hostModule{}
		for _, key := range slices.Sorted(maps.Keys(modules[name])) {
			v, err := hostValueOf(name+"."+key, modules[name][key])
			if err != nil {
				return nil, fmt.Errorf("module %s: %s: %w", name, key, err)
			}
			m[key] = v
		}
		all[name] = m
	}
	return all, nil
}

func hostValueOf(name string, x any) (hostValue, error) {
	a, isAsync := x.(async)
	if isAsync {
		x = a.fn
	}
	v := reflect.ValueOf(x)
	if v.Kind() != reflect.Func {
		if isAsync {
			return hostValue{}, errors.New("Async wants a function")
		}
		if !v.IsValid() {
			return hostValue{}, errors.New("the value is nil")
		}
		return hostValue{value: v}, fromGo(v.Type(), nil)
	}
	if v.IsNil() {
		return hostValue{}, errors.New("the function is nil")
	}
	f := &hostFunc{name: name, fn: v, async: isAsync}
	t := v.Type()
	for i := range t.NumIn() {
		in := t.In(i)
		switch {
		case i == 0 && in == contextType && isAsync:
			f.context = true
			continue
		case t.IsVariadic() && i == t.NumIn()-1:
			in = in.Elem()
		}
		if err := fromGo(in, nil); err != nil {
			return hostValue{}, fmt.Errorf("parameter %d: %w", i+1, err)
		}
		f.in = append(f.in, in)
	}
	for i := range t.NumOut() {
		if i == t.NumOut()-1 && t.Out(i) == errorType {
			f.fails = true
			continue
		}
		if err := fromGo(t.Out(i), nil); err != nil {
			return hostValue{}, fmt.Errorf("result %d: %w", i+1, err)
		}
	}
	return hostValue{fn: f}, nil
}

// open is a host's module as a table, or with _G its globals.
func (in *instance) openHost(m hostModule, to *lua.LTable) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		v := m[name]
		if v.fn == nil {
			to.RawSetString(name, in.toLua(v.value))
			continue
		}
		to.RawSetString(name, in.state.L().NewFunction(func(L *lua.LState) int { return in.callHost(L, v.fn) }))
	}
}

// callCost is what a call of the host costs of the budget, whatever it does.
const callCost = 50

// callHost converts the arguments, calls, and converts what comes back.
func (in *instance) callHost(L *lua.LState, f *hostFunc) int {
	in.state.Charge(L, callCost)
	args, err := f.arguments(L)
	if err != nil {
		return in.state.Raise(L, fmt.Errorf("%s: %w", f.name, err))
	}
	if !f.async {
		values := in.results(f, f.fn.Call(args))
		for _, v := range values {
			L.Push(v)
		}
		return len(values)
	}
	t := in.current(L)
	over := false
	err = in.scope.Call(f.name, func(ctx context.Context) any {
		if f.context {
			args = slices.Insert(args, 0, reflect.ValueOf(ctx))
		}
		return f.fn.Call(args)
	}, func(v any) {
		if !over {
			t.resume(in.results(f, v.([]reflect.Value))...)
		}
	})
	if err != nil {
		return in.state.Raise(L, fmt.Errorf("%s: %w", f.name, err))
	}
	return t.wait(L, func() { over = true })
}

// arguments are those of Lua as the function takes them.
func (f *hostFunc) arguments(L *lua.LState) ([]reflect.Value, error) {
	t, n := f.fn.Type(), L.GetTop()
	least, most := len(f.in), len(f.in)
	if t.IsVariadic() {
		least, most = len(f.in)-1, 1<<30
	}
	if n < least || n > most {
		return nil, fmt.Errorf("%d arguments, want %d", n, len(f.in))
	}
	args := make([]reflect.Value, n)
	for i := range args {
		typ := f.in[min(i, len(f.in)-1)]
		v, err := toGo(L.Get(i+1), typ, 0)
		if err != nil {
			return nil, fmt.Errorf("argument %d: %w", i+1, err)
		}
		args[i] = v
	}
	return args, nil
}

// results are what the function returned, as Lua gets it.
func (in *instance) results(f *hostFunc, out []reflect.Value) []lua.LValue {
	if f.fails {
		last := len(out) - 1
		if err, _ := out[last].Interface().(error); err != nil {
			return []lua.LValue{lua.LNil, lua.LString(err.Error())}
		}
		if out = out[:last]; last == 0 {
			return []lua.LValue{lua.LTrue}
		}
	}
	values := make([]lua.LValue, len(out))
	for i, v := range out {
		values[i] = in.toLua(v)
	}
	return values
}
