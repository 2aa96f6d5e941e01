// Package misuse calls what a package exports with what it should not be called with, for
// its tests: nothing of it may panic or hang.
package misuse

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// patience is what one call may take on a busy machine.
const patience = 20 * time.Second

// Never runs f and fails the test if it panics or does not return.
func Never(t testing.TB, what string, f func()) {
	t.Helper()
	done := make(chan any, 1)
	go func() {
		defer func() { done <- recover() }()
		f()
	}()
	select {
	case r := <-done:
		if r != nil {
			t.Errorf("%s panics: %v", what, r)
		}
	case <-time.After(patience):
		t.Fatalf("%s does not return", what)
	}
}

// A Caller calls with nil, zero and extreme arguments, and those of its own. The zero value
// has none.
type Caller struct {
	With   []any    // what else to call with, where a parameter is of that type
	Except []string // methods that are not called
}

// Methods calls every exported method of what fresh returns, anew for each call.
func (c Caller) Methods(t testing.TB, what string, fresh func() any) {
	t.Helper()
	typ := reflect.TypeOf(fresh())
	for i := range typ.NumMethod() {
		m := typ.Method(i)
		if slices.Contains(c.Except, m.Name) {
			continue
		}
		each(t, what+"."+m.Name, c.arguments(m.Type, 1), func(args []reflect.Value) {
			drain(m.Func, append([]reflect.Value{reflect.ValueOf(fresh())}, args...))
		})
	}
}

// Func calls a function as Methods does its methods.
func (c Caller) Func(t testing.TB, what string, fn any) {
	t.Helper()
	v := reflect.ValueOf(fn)
	each(t, what, c.arguments(v.Type(), 0), func(args []reflect.Value) { drain(v, args) })
}

// each calls with each of the lists, and goes on behind one that panics.
func each(t testing.TB, what string, lists [][]reflect.Value, call func(args []reflect.Value)) {
	t.Helper()
	Never(t, what, func() {
		for _, args := range lists {
			func() {
				defer func() {
					if r := recover(); r != nil {
						t.Errorf("%s(%s) panics: %v", what, list(args), r)
					}
				}()
				call(args)
			}()
		}
	})
}

// drain calls fn, and goes through what it returns if that is an iterator.
func drain(fn reflect.Value, args []reflect.Value) {
	call := fn.Call
	if fn.Type().IsVariadic() {
		call = fn.CallSlice
	}
	for _, out := range call(args) {
		if out.Kind() == reflect.Func && !out.IsNil() && (out.Type().CanSeq() || out.Type().CanSeq2()) {
			n := 0
			if out.Type().CanSeq() {
				for range out.Seq() {
					if n++; n == 100 {
						break
					}
				}
				continue
			}
			for range out.Seq2() {
				if n++; n == 100 {
					break
				}
			}
		}
	}
}

// arguments are lists for the parameters of a function from the one of that number: the
// i-th list has the i-th value of each.
func (c Caller) arguments(fn reflect.Type, from int) [][]reflect.Value {
	most := 1
	var params [][]reflect.Value
	for i := from; i < fn.NumIn(); i++ {
		v := values(fn.In(i))
		for _, own := range c.With {
			if o := reflect.ValueOf(own); o.Type().AssignableTo(fn.In(i)) {
				v = append(v, o)
			}
		}
		params = append(params, v)
		most = max(most, len(v))
	}
	var lists [][]reflect.Value
	for i := range most {
		for shift := range max(1, min(2, len(params))) { // so that not all are extreme in the same way
			var args []reflect.Value
			for k, v := range params {
				args = append(args, v[(i+k*shift)%len(v)])
			}
			lists = append(lists, args)
		}
	}
	return lists
}

// values are what a parameter of that type is called with, the zero value first.
func values(t reflect.Type) []reflect.Value {
	all := []reflect.Value{reflect.Zero(t)}
	add := func(vs ...any) {
		for _, v := range vs {
			all = append(all, reflect.ValueOf(v).Convert(t))
		}
	}
	switch t.Kind() {
	case reflect.Int, reflect.Int64:
		add(-1, 1, math.MaxInt64, math.MinInt64, 1<<20)
	case reflect.Int8, reflect.Int16, reflect.Int32:
		add(-1, 1)
	case reflect.Uint8:
		add(1, 0xff)
	case reflect.Uint16:
		add(1, 0xffff)
	case reflect.Uint32:
		add(1, uint32(math.MaxUint32))
	case reflect.Uint64, reflect.Uint:
		add(1, uint64(math.MaxUint64))
	case reflect.Float64, reflect.Float32:
		add(-1.0, math.Inf(1), math.NaN())
	case reflect.String:
		add("x", "\x00\xff", strings.Repeat("x", 100_000))
	case reflect.Slice:
		one := reflect.MakeSlice(t, 1, 1)
		all = append(all, reflect.MakeSlice(t, 0, 0), one)
		if t.Elem().Kind() == reflect.Uint8 {
			all = append(all, reflect.MakeSlice(t, 100_000, 100_000))
		}
	case reflect.Pointer:
		if !strings.Contains(t.Elem().PkgPath(), "tunscript") {
			break // what others make of their zero values is their affair
		}
		all = append(all, reflect.New(t.Elem()))
	case reflect.Func:
		all = append(all, reflect.MakeFunc(t, func([]reflect.Value) []reflect.Value {
			var out []reflect.Value
			for i := range t.NumOut() {
				out = append(out, reflect.Zero(t.Out(i)))
			}
			return out
		}))
	}
	return all
}

// list is args for a message.
func list(args []reflect.Value) string {
	var words []string
	for _, a := range args {
		w := "nil"
		if k := a.Kind(); k != reflect.Func && k != reflect.Pointer || !a.IsNil() {
			if w = fmt.Sprint(a.Interface()); len(w) > 40 {
				w = w[:40] + "..."
			}
		}
		words = append(words, w)
	}
	return strings.Join(words, ", ")
}
