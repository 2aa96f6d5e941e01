package luabind_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/luabind"
)

func TestOption(t *testing.T) {
	for _, tt := range []struct {
		spec string
		set  any    // nil: nothing
		want string // the value, or what is in the error
	}{
		{`{ default = 0.1 }`, nil, "0.1"},
		{`{ default = 0.1, min = 0, max = 1 }`, 0.5, "0.5"},
		{`{ default = 0.1, max = 1 }`, luabind.Text("0.25"), "0.25"},
		{`{ default = 1 }`, int64(3), "3"},
		{`{ default = false }`, luabind.Text("true"), "true"},
		{`{ default = true }`, false, "false"},
		{`{ default = "a" }`, luabind.Text("0.5"), "0.5"},
		{`{ default = "a", oneof = { "a", "b" } }`, "b", "b"},
		{`{ type = "number" }`, 7.0, "7"},

		{`{ default = 0.1, min = 0, max = 1 }`, 2.0, "is 2, want 0 to 1"},
		{`{ default = 0.1, min = 0 }`, -1.0, "is -1, want 0 or more"},
		{`{ default = 0.1, max = 1 }`, 2.0, "is 2, want 1 or less"},
		{`{ default = 0.1 }`, luabind.Text("nan"), `is "nan", want a number`},
		{`{ default = true }`, luabind.Text("yes"), "want true or false"},
		{`{ default = 0.1 }`, "0.5", "want a number"},
		{`{ default = "a", oneof = { "a", "b" } }`, "c", `want "a" or "b"`},
		{`{ type = "number" }`, nil, "is not set and has no default"},

		{`{}`, nil, "want a default, or a type"},
		{`{ default = 2, max = 1 }`, nil, "the default is 2, want 1 or less"},
		{`{ default = "x", min = 1 }`, nil, "min and max are for numbers"},
		{`{ default = 1, oneof = { "a" } }`, nil, "oneof is for strings"},
		{`{ default = 1, type = "string" }`, nil, "the default is a number"},
		{`{ default = {} }`, nil, "want a number, string or boolean"},
		{`{ defualt = 1 }`, nil, `did you mean "default"?`},
		{`{ type = "integer" }`, nil, `want "number", "string" or "boolean"`},
		{`{ default = "a", oneof = { 1 } }`, nil, "want a list of strings"},
		{`{ default = 1, min = "0" }`, nil, "want a number"},
		{`1`, nil, "want a table such as"},
	} {
		got := ""
		script, err := luabind.LoadString("option.lua", fmt.Sprintf(`print(option("o", %s))`, tt.spec), luabind.Options{
			Option: func(o luabind.Option) (any, bool) { return tt.set, tt.set != nil },
			Log:    func(_ luabind.Level, _, text string) { got = text },
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = (setup{programs: []engine.Program{script}}).try(t); err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, tt.want) {
			t.Errorf("%s, set to %v: %s, want %s", tt.spec, tt.set, got, tt.want)
		}
		var oe *luabind.OptionError
		if fromOutside := err != nil && strings.Contains(lineOnly(err), "option.lua:1: option \"o\" of"); fromOutside != errors.As(err, &oe) {
			t.Errorf("%s, set to %v: the error's type does not say whose mistake it is: %v", tt.spec, tt.set, err)
		}
	}
}

func TestOptionsAreDeclaredOnce(t *testing.T) {
	_, err := setup{scripts: []string{`option("a", { default = 1 }) option("a", { default = 2 })`}}.try(t)
	if err == nil || !strings.Contains(err.Error(), "stands twice") {
		t.Error(err)
	}
}
