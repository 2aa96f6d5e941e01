package luabind_test

import (
	"strings"
	"testing"

	"github.com/tunscript/tunscript/luabind/vm"
)

// reload exchanges the lab's script for another.
func (l *lab) reload(src string) error {
	l.t.Helper()
	script, err := l.load("script2.lua", src, vm.Limits{})
	if err != nil {
		l.t.Fatal(err)
	}
	err = l.eng.Swap(l.script, script)
	if err == nil {
		l.script = script
	}
	return err
}

const tell = `
	local function show(v)
		if type(v) ~= "table" then return type(v) == "string" and ("%q"):format(v) or tostring(v) end
		local t = {}
		for k, x in pairs(v) do t[#t + 1] = show(k) .. "=" .. show(x) end
		return "{" .. table.concat(t, " ") .. "}"
	end
	on_reload(function(old) log.info(show(old)) end)
`

// What on_stop returns, on_reload of the next script gets, as data.
func TestReloadHandsDataOn(t *testing.T) {
	tests := []struct{ stop, want string }{
		{``, `nil`},
		{`on_stop(function() end)`, `nil`},
		{`on_stop(function() return false end)`, `false`},
		{`on_stop(function() return 1.5 end)`, `1.5`},
		{`on_stop(function() return "text\0" end)`, `"text\000"`},
		{`on_stop(function() return { 1, "two", [true] = { x = { } }, b = 2, a = 1 } end)`, `{1=1 2="two" "a"=1 "b"=2 true={"x"={}}}`},
		{`on_stop(function() local t = { 1 } return { t, t } end)`, `{1={1=1} 2={1=1}}`},
		{`on_stop(function() return "first", "second" end)`, `"first"`},
	}
	for _, tt := range tests {
		l := setup{}.withScript(t, tt.stop)
		if err := l.reload(tell); err != nil {
			t.Fatal(err)
		}
		l.clean()
		if got := l.said(); got != "info: "+tt.want {
			t.Errorf("%s: got %q, want %q", tt.stop, got, tt.want)
		}
	}
}

// What is no data is an error of the old script, and the new one gets nothing.
func TestOnlyDataIsHandedOn(t *testing.T) {
	tests := []struct{ value, want string }{
		{`print`, `on_stop: what is returned is a function: only nil, booleans, numbers, strings and tables of these can be handed on`},
		{`{ a = { print } }`, `on_stop: what is returned["a"][1] is a function: `},
		{`{ [print] = 1 }`, `on_stop: a key of what is returned is a function: `},
		{`{ [{}] = 1 }`, `on_stop: what is returned has a table for a key: `},
		{`(function() local t = {} t.me = { t } return t end)()`, `on_stop: what is returned["me"][1] is a table that contains itself: `},
		{`setmetatable({}, {})`, `on_stop: what is returned is a table with a metatable: `},
		{`ip{ dst = "192.0.2.1" }`, `on_stop: what is returned is a packet: `},
		{`(function() local t = {} for i = 1, 200 do t = { t } end return t end)()`, `on_stop: what is returned[1]`},
	}
	for _, tt := range tests {
		l := setup{}.withScript(t, "\non_stop(function() return "+tt.value+" end)")
		if err := l.reload(tell); err != nil {
			t.Fatal(err)
		}
		if got := l.fails(); !strings.HasPrefix(got, "script1.lua:2: "+tt.want) {
			t.Errorf("%s\ngot  %s\nwant %s", tt.value, got, tt.want)
		}
		if got := l.said(); got != "info: nil" {
			t.Errorf("%s: on_reload got %q", tt.value, got)
		}
	}
}

// A script that does not start changes nothing: the old one goes on.
func TestAReloadThatFails(t *testing.T) {
	l := setup{}.withScript(t, `on_stop(function() log.info("stopped") end) on("udp", function(p) return p:reply() end)`)
	if err := l.reload(`on("udp prot 1", function() end)`); err == nil {
		t.Error("a script that does not start was taken")
	}
	l.put(build(t, ip4(), udp(), text()))
	l.one()
	if got := l.said(); got != "" {
		t.Errorf("said %q", got)
	}
}

// The order is: on_stop of the old, on_reload of the new, its on_start, its packets.
// Timers of the old one are gone.
func TestTheOrderOfAReload(t *testing.T) {
	l := setup{}.withScript(t, `
		on_start(function() log.info("old starts") end)
		every(1, function() log.info("old timer") end)
		on_stop(function() log.info("old stops") error("badly") end)
		on(function(p) log.info("old packet") end)`)
	if err := l.reload(`
		log.info("new loads")
		on_start(function() log.info("new starts") end)
		on_reload(function(old) log.info("new reloads " .. tostring(old)) end)
		on(function(p) log.info("new packet") end)`); err != nil {
		t.Fatal(err)
	}
	l.put(build(t, ip4(), udp()))
	l.advance(3e9)
	want := "info: old starts\ninfo: new loads\ninfo: old stops\ninfo: new reloads nil\ninfo: new starts\ninfo: new packet"
	if got := l.said(); got != want {
		t.Errorf("said\n%s\nwant\n%s", got, want)
	}
	if got := l.fails(); got != "script1.lua:4: badly" {
		t.Errorf("the error is %q", got)
	}
}
