package shared_test

import (
	"math"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/internal/misuse"
	"github.com/tunscript/tunscript/engine/shared"
)

// Every method of a dictionary, with whatever keys, values and times.
func TestMisuseOfAll(t *testing.T) {
	call := misuse.Caller{With: []any{time.Unix(1e9, 0), shared.String("x"), shared.Number(math.NaN()), "key"}}
	for name, l := range map[string]shared.Limits{
		"a Store": {}, "a Store of one": {1, 1}, "a Store of less": {-1, -1}, "a Store of all": {math.MaxInt, math.MaxInt},
	} {
		call.Methods(t, name, func() any { return shared.NewStore(l) })
		call.Methods(t, name+"'s Dict", func() any {
			d, err := shared.NewStore(l).Dict("d")
			if err != nil {
				t.Fatal(err)
			}
			return d
		})
	}
	call.Methods(t, "a zero Value", func() any { return shared.Value{} })
	for name, fn := range map[string]any{"NewStore": shared.NewStore, "String": shared.String, "Number": shared.Number, "Bool": shared.Bool} {
		call.Func(t, name, fn)
	}
}
