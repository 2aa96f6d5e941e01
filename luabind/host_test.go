package luabind_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/luabind"
)

type hostPoint struct {
	X, Y   int
	Name   string `lua:"name"`
	Hidden int    `lua:"-"`
	Next   *hostPoint
}

// hostTest is a module with a function of every shape.
var hostTest = luabind.Module{
	"number": 7,
	"list":   []string{"a", "b"},
	"point":  hostPoint{X: 1, Y: 2, Name: "p", Next: &hostPoint{X: 3}},
	"add":    func(a, b int) int { return a + b },
	"small":  func(n uint8) uint8 { return n },
	"half":   func(f float64) float64 { return f / 2 },
	"not_":   func(b bool) bool { return !b },
	"bytes":  func(b []byte) []byte { return append(b, '!') },
	"sum": func(ns ...int) (n int) {
		for _, v := range ns {
			n += v
		}
		return n
	},
	"count": func(m map[string]int) int { return len(m) },
	"move":  func(p hostPoint) hostPoint { p.X++; return p },
	"any":   func(x any) string { return fmt.Sprintf("%T %v", x, x) },
	"two":   func() (int, string) { return 1, "x" },
	"fails": func(s string) (int, error) {
		if s == "" {
			return 0, errors.New("it is empty")
		}
		return len(s), nil
	},
	"only": func(ok bool) error {
		if !ok {
			return errors.New("no")
		}
		return nil
	},
	"nothing": func() {},
}

func hosted(t *testing.T, src string, modules map[string]luabind.Module) (string, error) {
	t.Helper()
	var log []string
	script, err := luabind.LoadString("host.lua", src, luabind.Options{Modules: modules, Log: func(_ luabind.Level, _, text string) { log = append(log, text) }})
	if err != nil {
		return "", err
	}
	l, err := (setup{programs: []engine.Program{script}}).try(t)
	if err == nil {
		l.advance(time.Second)
		l.clean()
	}
	return strings.Join(log, "|"), err
}

func TestHostModule(t *testing.T) {
	for expr, want := range map[string]string{
		`h.number, h.list[2], h.point.name, h.point.Next.X, h.point.Hidden`: "7\tb\tp\t3\tnil",
		`h.add(2, 3)`:                "5",
		`h.half(3)`:                  "1.5",
		`h.not_(false)`:              "true",
		`h.bytes("a\0b") == "a\0b!"`: "true",
		`h.sum(), h.sum(1, 2, 3)`:    "0\t6",
		`h.count{ a = 1, b = 2 }`:    "2",
		`h.move{ X = 1, name = "q" }.X, h.move{ Next = { Y = 5 } }.Next.Y`: "2\t5",
		`h.any(1), h.any("s"), h.any(nil), h.any{ 1 }, h.any{ a = true }`:  "float64 1\tstring s\t<nil> <nil>\t[]interface {} [1]\tmap[string]interface {} map[a:true]",
		`h.two()`: "1\tx",
		`h.fails("abc"), (select(2, h.fails("")))`: "3\tit is empty",
		`h.only(true), (select(2, h.only(false)))`: "true\tno",
		`select("#", h.nothing())`:                 "0",

		`h.add(1)`:            "test.add: 1 arguments, want 2",
		`h.add("1", 2)`:       "test.add: argument 1: want a whole number of int, got the string",
		`h.add(1.5, 2)`:       "test.add: argument 1: want a whole number of int, got the number 1.5",
		`h.small(256)`:        "test.small: argument 1: want a whole number of uint8, got the number 256",
		`h.small(-1)`:         "test.small: argument 1: want a whole number of uint8",
		`h.sum(1, "x")`:       "test.sum: argument 2: want a whole number",
		`h.bytes{}`:           "test.bytes: argument 1: want a string, got a table",
		`h.count{ 1 }`:        "a key is the number 1, want names",
		`h.count{ a = "x" }`:  "test.count: argument 1: a: want a whole number",
		`h.move{ Z = 1 }`:     "test.move: argument 1: Z: there is no such field",
		`h.move{ nam = "x" }`: `did you mean "name"?`,
		`(function() local t = {} t.Next = t return h.move(t) end)()`: "is there a loop?",
		`(function() h.number = 8 end)()`:                             "attempt to change a read-only table",
	} {
		got, err := hosted(t, `local h = require "test" log.info(`+expr+`)`, map[string]luabind.Module{"test": hostTest})
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, strings.ReplaceAll(want, "\t", " ")) {
			t.Errorf("%s is %s, want %s", expr, got, want)
		}
	}
}

func TestHostGlobalsAndMistakes(t *testing.T) {
	got, err := hosted(t, `log.info(report("x"), limit)`, map[string]luabind.Module{"_G": {"report": strings.ToUpper, "limit": 3}})
	if err != nil || got != "X 3" {
		t.Errorf("%q, %v", got, err)
	}
	for want, m := range map[string]map[string]luabind.Module{
		`"send" is a name of tunscript`: {"_G": {"send": strings.ToUpper}},
		`chan int has no counterpart`:   {"x": {"c": make(chan int)}},
		`parameter 1: func() has no`:    {"x": {"f": func(func()) {}}},
		`result 1: map[int]string has`:  {"x": {"f": func() map[int]string { return nil }}},
		`module x: v: the value is nil`: {"x": {"v": nil}},
		`module x: a: Async wants`:      {"x": {"a": luabind.Async(1)}},
	} {
		if _, err := hosted(t, ``, m); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// A task waits for a function that takes its time; in a handler it raises.
func TestAsync(t *testing.T) {
	ask := func(ctx context.Context, s string) (string, error) {
		if s == "" {
			return "", errors.New("nobody")
		}
		time.Sleep(2 * time.Millisecond)
		return s + "!", ctx.Err()
	}
	got, err := hosted(t, `
		local h = require "host"
		for _, name in ipairs{ "a", "b", "" } do
			spawn(function() log.info(h.ask(name)) end)
		end
		spawn(function() log.info(pcall(h.ask)) end)
		after(0.5, function() log.info(pcall(h.ask, "c")) end)`,
		map[string]luabind.Module{"host": {"ask": luabind.Async(ask)}})
	want := "false host.ask: 0 arguments, want 1|a!|b!|nil nobody|false only a task can wait: use spawn"
	if err != nil || got != want {
		t.Errorf("%v\n got %s\nwant %s", err, got, want)
	}
}
