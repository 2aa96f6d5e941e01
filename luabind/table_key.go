package luabind

import (
	"fmt"

	lua "github.com/yuin/gopher-lua"
)

// A tableKey is one key of a table that a function takes, as option and t:load do. The
// registry shows them as a class.
type tableKey[T any] struct {
	typ, doc string
	set      func(into *T, v lua.LValue) error
}

// readKeys sets in into what the table says. A key that is none of keys is an error with
// the nearest one.
func readKeys[T any](t *lua.LTable, keys map[string]tableKey[T], into *T) (err error) {
	t.ForEach(func(k, v lua.LValue) {
		if err != nil {
			return
		}
		name, _ := k.(lua.LString)
		if key, ok := keys[string(name)]; !ok {
			err = fmt.Errorf("there is no %v%s", optionName(k), didYouMean(string(name), keys))
		} else if e := key.set(into, v); e != nil {
			err = fmt.Errorf("%s: %w", name, e)
		}
	})
	return err
}

// keyFields are the keys as the registry has them.
func keyFields[T any](keys map[string]tableKey[T]) []Field {
	return fieldsOf(keys, func(k tableKey[T]) (typ, doc string) { return k.typ, k.doc })
}
