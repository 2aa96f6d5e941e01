package luabind

import (
	"errors"
	"fmt"
	"math"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine/shared"
)

func sharedGlobals() []global {
	return []global{{name: "shared", sig: "table<string, dictionary>",
		doc: "dictionaries by name, across workers and reloads: shared.seen:incr(p.ip.src)", value: (*instance).shared}}
}

// shared makes a dictionary when its name is first read.
func (in *instance) shared() lua.LValue {
	known := map[string]*lua.LUserData{}
	var meta *lua.LTable
	return in.readTable("shared", func(name string) (lua.LValue, error) {
		if known[name] == nil {
			d, err := in.scope.Shared(name)
			if err != nil {
				return nil, fmt.Errorf("shared: %w", err)
			}
			if meta == nil {
				meta = in.newClass(dictionaryClass())
			}
			known[name] = &lua.LUserData{Value: d, Metatable: meta}
		}
		return known[name], nil
	})
}

// dictionaryClass is what a dictionary can do. What it stores are strings, numbers and
// booleans; a key is a string, and a number is taken for its text.
func dictionaryClass() class {
	return class{name: "dictionary", doc: "strings, numbers and booleans by key, that outlive the script", methods: map[string]classMethod{
		"get": {"(key: string|number): string|number|boolean|nil", "what the key holds; nil if nothing, or a list",
			dictionary(func(in *instance, L *lua.LState, d *shared.Dict, key string) (lua.LValue, error) {
				v, _ := d.Get(in.scope.Now(), key)
				return in.valueOf(v), nil
			})},
		"set": {"(key: string|number, value: string|number|boolean, ttl?: number): boolean?, string?", "stores a value, for ttl seconds or for good; nil and why where it does not fit",
			dictionary(func(in *instance, L *lua.LState, d *shared.Dict, key string) (lua.LValue, error) {
				return lua.LTrue, d.Set(in.scope.Now(), key, in.storable(L, 3, "set"), in.ttl(L, 4, "set"))
			})},
		"add": {"(key: string|number, value: string|number|boolean, ttl?: number): boolean?, string?", `set, but nil and "exists" where the key holds something`,
			dictionary(func(in *instance, L *lua.LState, d *shared.Dict, key string) (lua.LValue, error) {
				added, err := d.Add(in.scope.Now(), key, in.storable(L, 3, "add"), in.ttl(L, 4, "add"))
				if err == nil && !added {
					err = errExists
				}
				return lua.LTrue, err
			})},
		"incr": {"(key: string|number, n?: number): number?, string?", "adds n, or 1, to the number of the key, from 0, and returns it",
			dictionary(func(in *instance, L *lua.LState, d *shared.Dict, key string) (lua.LValue, error) {
				n, ok := 1.0, true
				if L.Get(3) != lua.LNil {
					var v lua.LNumber
					v, ok = L.Get(3).(lua.LNumber)
					n = float64(v)
				}
				if !ok {
					in.state.Raise(L, fmt.Errorf("incr: want a number to add, got %s", describe(L.Get(3))))
				}
				sum, err := d.Incr(in.scope.Now(), key, n)
				return in.number(sum), err
			})},
		"delete": {"(key: string|number): boolean", "takes the key away; whether it held anything",
			dictionary(func(in *instance, L *lua.LState, d *shared.Dict, key string) (lua.LValue, error) {
				return lua.LBool(d.Delete(in.scope.Now(), key)), nil
			})},
		"ttl": {"(key: string|number): number?", "seconds until the key is gone, math.huge for never; nil if it holds nothing",
			dictionary(func(in *instance, L *lua.LState, d *shared.Dict, key string) (lua.LValue, error) {
				switch left := d.TTL(in.scope.Now(), key); {
				case left < 0:
					return lua.LNil, nil
				case left == 0:
					return lua.LNumber(math.Inf(1)), nil
				default:
					return lua.LNumber(left.Seconds()), nil
				}
			})},
		"expire": {"(key: string|number, ttl?: number): boolean", "lets the key go in ttl seconds, or never; whether it holds anything",
			dictionary(func(in *instance, L *lua.LState, d *shared.Dict, key string) (lua.LValue, error) {
				return lua.LBool(d.Expire(in.scope.Now(), key, in.ttl(L, 3, "expire"))), nil
			})},
		"push": {"(key: string|number, value: string|number|boolean): integer?, string?", "adds to the end of the list of the key, and returns its length",
			dictionary(func(in *instance, L *lua.LState, d *shared.Dict, key string) (lua.LValue, error) {
				n, err := d.Push(in.scope.Now(), key, in.storable(L, 3, "push"))
				return in.number(float64(n)), err
			})},
		"pop": {"(key: string|number): string|number|boolean|nil", "takes the first of the list of the key; nil if there is none",
			dictionary(func(in *instance, L *lua.LState, d *shared.Dict, key string) (lua.LValue, error) {
				v, _ := d.Pop(in.scope.Now(), key)
				return in.valueOf(v), nil
			})},
		"keys": {"(): string[]", "all keys, sorted", (*instance).dictionaryKeys},
	}}
}

var errExists = errors.New("exists")

// dictionary is a method of dictionaries whose first argument is a key. Its error is
// the script's misuse, or an expected failure that it gets as nil and text.
func dictionary(do func(in *instance, L *lua.LState, d *shared.Dict, key string) (lua.LValue, error)) func(*instance, *lua.LState) int {
	return func(in *instance, L *lua.LState) int {
		d := in.checkDictionary(L)
		var key string
		switch v := L.Get(2).(type) {
		case lua.LString:
			key = string(v)
		case lua.LNumber:
			key = v.String()
		default:
			in.state.Raise(L, fmt.Errorf("%s: want a key, a string, got %s", d.Name(), describe(v)))
		}
		if key == "" || len(key) > shared.MaxKey {
			in.state.Raise(L, fmt.Errorf("%s: %w", d.Name(), shared.ErrKey))
		}
		v, err := do(in, L, d, key)
		if err != nil {
			L.Push(lua.LNil)
			L.Push(lua.LString(err.Error()))
			return 2
		}
		L.Push(v)
		return 1
	}
}

// keySteps is what one of many keys costs: to be sorted, mostly.
const keySteps = 15

func (in *instance) checkDictionary(L *lua.LState) *shared.Dict {
	if ud, ok := L.Get(1).(*lua.LUserData); ok {
		if d, ok := ud.Value.(*shared.Dict); ok {
			return d
		}
	}
	in.state.Raise(L, fmt.Errorf("want a dictionary, got %s: call it with a colon, as in shared.seen:get(key)", describe(L.Get(1))))
	return nil
}

func (in *instance) dictionaryKeys(L *lua.LState) int {
	d := in.checkDictionary(L)
	in.state.Charge(L, keySteps*d.Len()) // before: of all entries it takes longer than a packet may
	keys := d.Keys(in.scope.Now())
	t := L.CreateTable(len(keys), 0)
	for _, k := range keys {
		t.Append(lua.LString(k))
	}
	L.Push(t)
	return 1
}

// storable is argument n as a value.
func (in *instance) storable(L *lua.LState, n int, name string) shared.Value {
	switch v := L.Get(n).(type) {
	case lua.LString:
		in.state.Charge(L, len(v)/bytesAStep)
		return shared.String(string(v))
	case lua.LNumber:
		return shared.Number(float64(v))
	case lua.LBool:
		return shared.Bool(bool(v))
	case *lua.LNilType:
		in.state.Raise(L, fmt.Errorf("%s: there is no value: delete takes a key away", name))
	}
	in.state.Raise(L, fmt.Errorf("%s: want a string, number or boolean, got %s", name, describe(L.Get(n))))
	return shared.Value{}
}

// valueOf is the Lua value of v, nil of none.
func (in *instance) valueOf(v shared.Value) lua.LValue {
	if s, ok := v.Text(); ok {
		return lua.LString(s)
	}
	if n, ok := v.Number(); ok {
		return in.number(n)
	}
	if b, ok := v.Bool(); ok {
		return lua.LBool(b)
	}
	return lua.LNil
}

// ttl is argument n: seconds, more than 0, or nothing for good.
func (in *instance) ttl(L *lua.LState, n int, name string) time.Duration {
	if L.Get(n) == lua.LNil {
		return 0
	}
	d := in.seconds(L, n, name)
	if d <= 0 {
		in.state.Raise(L, fmt.Errorf("%s: a ttl must be more than 0, leave it out to keep the value for good", name))
	}
	return d
}
