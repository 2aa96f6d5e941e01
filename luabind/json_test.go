package luabind_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/luabind"
)

// evaluate runs an expression as a script's top level and gives what it logs, or the
// error.
func evaluate(t testing.TB, expr string) string {
	t.Helper()
	l, err := setup{scripts: []string{"log.info(" + expr + ")"}}.try(t)
	if err != nil {
		return strings.TrimPrefix(lineOnly(err), "script1.lua:1: ")
	}
	return strings.TrimPrefix(l.said(), "info: ")
}

func TestJSON(t *testing.T) {
	for expr, want := range map[string]string{
		`json.encode(nil)`:                      `null`,
		`json.encode(true)`:                     `true`,
		`json.encode(1)`:                        `1`,
		`json.encode(-0.5)`:                     `-0.5`,
		`json.encode(2^53)`:                     `9007199254740992`,
		`json.encode(1e300)`:                    `1e+300`,
		`json.encode('a"\\b\n\1<é>')`:           `"a\"\\b\n\u0001<é>"`,
		`json.encode({})`:                       `{}`,
		`json.encode(json.array())`:             `[]`,
		`json.encode({1, "two", {3}})`:          `[1,"two",[3]]`,
		`json.encode({b = 1, a = {c = false}})`: `{"a":{"c":false},"b":1}`,
		`json.encode({json.null, 2})`:           `[null,2]`,
		`json.encode(json.decode('[ ]'))`:       `[]`,
		`json.encode(json.decode('{"a" : [1, {"b": null}], "c": 1.5e3}'))`: `{"a":[1,{"b":null}],"c":1500}`,
		`json.decode('"\\u00e9\\n"')`:                                      "é\n",
		`tostring(json.decode("null"))`:                                    `nil`,
		`tostring(json.null)`:                                              `null`,
		`json.decode("[1,2,3]")[3]`:                                        `3`,

		`json.encode(0/0)`:            `json.encode: NaN is no number of JSON`,
		`json.encode({a = {1, 1/0}})`: `json.encode: a.[2]: +Inf is no number of JSON`,
		`json.encode({1, x = 2})`:     `json.encode: a table has numbers and strings for keys`,
		`json.encode({1, nil, 3})`:    `json.encode: a list of 2 values goes up to 3`,
		`json.encode({[1.5] = 1})`:    `json.encode: the key 1.5`,
		`json.encode(print)`:          `json.encode: a function has no JSON`,
		`json.encode("\255")`:         `json.encode: a string is not UTF-8: write bytes with tohex`,
		`json.encode()`:               `json.encode: there is no value`,
		`(function() local t = {} t.t = t return json.encode(t) end)()`: `is there a loop?`,
		`json.decode(1)`: `json.decode: want a string`,

		`select(2, json.decode(""))`:             `it ends too soon, at byte 0`,
		`select(2, json.decode("[1,"))`:          `it ends too soon, at byte 3`,
		`select(2, json.decode("[1] 2"))`:        `something follows the value, at byte`,
		`select(2, json.decode("{a:1}"))`:        `invalid character 'a'`,
		`select(2, json.decode("1e999"))`:        `1e999 is out of range`,
		`select(2, json.decode("\255"))`:         `it is not UTF-8`,
		`select(2, json.decode(("["):rep(1e5)))`: `more than 100 values in each other`,
	} {
		if got := evaluate(t, expr); got != want && !(strings.Contains(got, want) && (strings.Contains(expr, "select") || strings.HasPrefix(want, "json.") || strings.HasPrefix(want, "is "))) {
			t.Errorf("%s is %s, want %s", expr, got, want)
		}
	}
}

// What is valid JSON for encoding/json is the same value here, and nothing else is read.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,2,{"b":null}],"c":"é\n"}`, `[]`, `{}`, `"\ud800"`, `-0`, `1e5`, `[[[[]]]]`, `{"a":1,"a":2}`, `tru`, "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := ""
		script, err := luabind.LoadString("fuzz.lua", `local v, err = json.decode(option("text", { default = "" }))
			if err then log.warn(err) else log.info(json.encode(v)) end`, luabind.Options{
			Option: func(luabind.Option) (any, bool) { return s, true },
			Log: func(level luabind.Level, _, text string) {
				got = text
				if level == luabind.Warn {
					got = ""
				}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = setup{programs: []engine.Program{script}}.try(t)
		if err != nil {
			return // an object of mixed keys cannot be, but limits can
		}
		var want any
		valid := json.Unmarshal([]byte(s), &want) == nil
		if got == "" {
			if valid && !strings.Contains(s, "e") && strings.Count(s, "[")+strings.Count(s, "{") < 100 && !strings.ContainsRune(s, '\ufffd') && strings.ToValidUTF8(s, "") == s {
				t.Errorf("%q is JSON and is not read", s)
			}
			return
		}
		var back any
		if err := json.Unmarshal([]byte(got), &back); err != nil || !valid {
			t.Errorf("%q becomes %q: %v, valid %t", s, got, err, valid)
		}
		a, _ := json.Marshal(want)
		b, _ := json.Marshal(back)
		if string(a) != string(b) {
			t.Errorf("%q becomes %s, want %s", s, b, a)
		}
	})
}
