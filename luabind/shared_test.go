package luabind_test

import (
	"strings"
	"testing"
	"time"
)

// A dictionary, used in every way, and time going by.
func TestShared(t *testing.T) {
	l := newLab(t, `
		local d = shared.seen
		assert(d == shared.seen and d ~= shared.other)
		assert(d:get("a") == nil and d:pop("a") == nil and d:delete("a") == false and d:ttl("a") == nil)
		assert(d:set("a", "x") and d:get("a") == "x")
		assert(d:set("a", 0.5) and d:get("a") == 0.5)
		assert(d:set("a", false) and d:get("a") == false)
		assert(d:ttl("a") == math.huge)
		local ok, err = d:add("a", 1)
		assert(ok == nil and err == "exists")
		ok, err = d:incr("a")
		assert(ok == nil and err:find("holds something else"))
		assert(d:incr("n") == 1 and d:incr("n", 2) == 3 and d:incr("n", -0.5) == 2.5)
		assert(d:set(80, "port") and d:get("80") == "port")
		assert(d:push("q", "first") == 1 and d:push("q", 2) == 2)
		assert(d:pop("q") == "first" and d:pop("q") == 2 and d:pop("q") == nil)
		assert(d:add("soon", true, 1) and d:ttl("soon") == 1)
		assert(table.concat(d:keys(), " ") == "80 a n soon")
		after(0.5, function() assert(d:get("soon") and d:ttl("soon") == 0.5 and d:expire("n", 0.25)) end)
		after(1, function() assert(d:get("soon") == nil and table.concat(d:keys(), " ") == "80 a") log.info("done") end)
	`)
	l.advance(2 * time.Second)
	l.clean()
	if got := l.said(); got != "info: done" {
		t.Errorf("said %q", got)
	}
}

func TestSharedMisuse(t *testing.T) {
	for _, tt := range []struct{ source, want string }{
		{`shared.seen = {}`, "shared can only be read"},
		{`shared.seen:gett("a")`, `dictionary has no "gett"; did you mean "get"?`},
		{`shared.seen.get("a")`, "call it with a colon"},
		{`shared.seen:get()`, "want a key, a string, got nil"},
		{`shared.seen:get("")`, "a key has 1 to 1024 bytes"},
		{`shared.seen:set("a")`, "delete takes a key away"},
		{`shared.seen:set("a", {})`, "want a string, number or boolean, got a table"},
		{`shared.seen:set("a", 1, 0)`, "a ttl must be more than 0"},
		{`shared.seen:set("a", 1, -1)`, "want seconds"},
		{`shared.seen:incr("a", "x")`, "want a number to add"},
		{`shared[1]:get("a")`, "shared is read by name"},
		{`for i = 1, 2000 do shared["d" .. i]:incr("n") end`, "use keys for what varies"},
	} {
		_, err := setup{scripts: []string{tt.source}}.try(t)
		if err == nil || !strings.Contains(lineOnly(err), "script1.lua:1: ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.source, err, tt.want)
		}
	}
}

// What a script has stored is there after an exchange.
func TestSharedOutlivesTheScript(t *testing.T) {
	const count = `log.info(shared.runs:incr("n"))`
	l := setup{}.withScript(t, count)
	if err := l.reload(count); err != nil {
		t.Fatal(err)
	}
	l.clean()
	if got := l.said(); got != "info: 1\ninfo: 2" {
		t.Errorf("said %q", got)
	}
}

// Scripts have dictionaries of their own, whatever they call them.
func TestSharedIsTheScriptsOwn(t *testing.T) {
	const count = `log.info(shared.runs:incr("n"))`
	l := setup{scripts: []string{count, count}}.start(t)
	l.clean()
	if got := l.said(); got != "info: 1\ninfo: 1" {
		t.Errorf("said %q", got)
	}
}
