package testrun_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/internal/testrun"
)

// files writes files into a folder of their own.
func files(t *testing.T, named map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range named {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// one runs a test whose body is given, beside the scripts.
func one(t *testing.T, scripts map[string]string, body string) testrun.Result {
	t.Helper()
	named := map[string]string{"x_test.lua": "local test = require \"test\"\ntest(\"x\", function(t)\n" + body + "\nend)\n"}
	for name, text := range scripts {
		named[name] = text
	}
	results, err := testrun.Run([]string{filepath.Join(files(t, named), "x_test.lua")}, testrun.Options{Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != 1 {
		t.Fatalf("%d results", len(results))
	}
	return results[0]
}

var scripts = map[string]string{
	"ping.lua":  `on("icmp[icmptype] == icmp-echo", function(p) return p:reply() end)`,
	"late.lua":  `on("udp", function(p) after(1.5, send, p:reply()) return "drop" end)`,
	"pass.lua":  `on("udp", function(p) p.ip.ttl = p.ip.ttl - 1 end)`,
	"loss.lua":  `local loss = option("loss", { default = 0, min = 0, max = 1 }) on("udp", function(p) if math.random() < loss then return "drop" end return p:reply() end)`,
	"fails.lua": `on("udp", function(p) local x = nil + 1 end)`,
	"wrong.lua": `on("udp", function(p) retrun end)`,
	"arp.lua":   `on("arp", function(p) return p:reply{ arp = { sha = "02:00:00:00:00:07" } } end)`,
	"tick.lua":  `every(1, function() send(ip{ dst = "192.0.2.1" }/udp{ sport = 9, dport = 9 }) end)`,
}

func TestPasses(t *testing.T) {
	for name, body := range map[string]string{
		"an answer": `t:load "ping.lua"
			t:inject(ip{ dst = "192.0.2.2" }/icmp{ id = 7, seq = 1 }/"hello")
			local r = t:expect{ icmp = { type = 0, id = 7, seq = 1 }, payload_is = "hello" }
			assert(r.ip.src == "192.0.2.2" and r.ip.dst == "192.0.2.1")
			t:expect_nothing()`,
		"time goes by": `t:load "late.lua"
			t:inject(ip{ dst = "192.0.2.2" }/udp{ sport = 1, dport = 2 })
			t:expect_nothing()
			t:advance(1.4)
			t:expect_nothing()
			t:advance(0.1)
			t:expect("udp")`,
		"within": `t:load "late.lua"
			t:inject(ip{ dst = "192.0.2.2" }/udp{ sport = 1, dport = 2 })
			local at = now()
			t:expect("udp", 2)
			assert(now() - at == 1.5)`,
		"ten times a tenth is one": `t:load "tick.lua"
			for i = 1, 10 do t:expect_nothing() t:advance(0.1) end
			t:expect("udp port 9")`,
		"a pair": `t:load("pass.lua", { pair = true })
			t:inject(ip{ dst = "192.0.2.2", ttl = 9 }/udp{ sport = 1, dport = 2 })
			local p = t:expect("udp dst port 2")
			assert(p.ip.ttl == 8)
			t:inject(ip{ src = "192.0.2.2", dst = "192.0.2.1", ttl = 9 }/udp{ sport = 2, dport = 1 }, "tun1")
			t:expect("udp dst port 1")`,
		"alone nothing passes": `t:load "pass.lua"
			t:inject(ip{ dst = "192.0.2.2" }/udp{ sport = 1, dport = 2 })
			t:expect_nothing()`,
		"options": `t:option("loss", 1)
			t:load "loss.lua"
			t:inject(ip{ dst = "192.0.2.2" }/udp{ sport = 1, dport = 2 })
			t:expect_nothing()`,
		"options of load": `t:load("loss.lua", { options = { loss = 0 } })
			t:inject(ip{ dst = "192.0.2.2" }/udp{ sport = 1, dport = 2 })
			t:expect "udp"`,
		"Ethernet": `t:load("arp.lua", { tap = true })
			t:inject(arp{ op = "request", tpa = "192.0.2.2" })
			t:expect{ arp = { op = "reply", sha = "02:00:00:00:00:07" } }`,
		"in any order": `t:load "ping.lua"
			for i = 1, 3 do t:inject(ip{ dst = "192.0.2.2" }/icmp{ seq = i }) end
			t:advance(0)
			for i = 3, 1, -1 do t:expect{ icmp = { seq = i } } end
			t:expect_nothing()`,
		"an answer to an answer": `t:load "ping.lua"
			t:inject(ip{ dst = "192.0.2.2" }/icmp{})
			local r = t:expect "icmp"
			send(ip{ dst = "192.0.2.2" }/icmp{ seq = 2 })
			t:expect{ icmp = { seq = 2 } }`,
		"no script at all": `assert(1 + 1 == 2)`,
		"a year":           `t:advance(365 * 86400)`,
	} {
		if r := one(t, scripts, body); r.Err != nil {
			t.Errorf("%s: %v\n%s", name, r.Err, strings.Join(r.Log, "\n"))
		}
	}
}

func TestFails(t *testing.T) {
	for body, want := range map[string]string{
		`assert(1 == 2, "not equal")`:                       `x_test.lua:3: not equal`,
		`t:load "ping.lua" t:expect{ icmp = { type = 0 } }`: `x_test.lua:3: t:expect: nothing that matches came in 0 s, nor anything else`,
		`t:load "ping.lua"
		t:inject(ip{ dst = "192.0.2.2" }/icmp{ id = 7, seq = 5 })
		t:expect{ icmp = { type = 0, seq = 6 } }`: `x_test.lua:5: t:expect: nothing that matches came in 0 s; the nearest of 1 packet is IP 192.0.2.2 > 192.0.2.1: ICMP echo reply, id 7, seq 5, length 8: icmp.seq is 5, want 6`,
		`t:load "ping.lua"
		t:inject(ip{ dst = "192.0.2.2" }/icmp{})
		t:expect_nothing()`: `x_test.lua:5: t:expect_nothing: a packet has left: IP 192.0.2.2 > 192.0.2.1: ICMP echo reply`,
		`t:load "fails.lua" t:inject(ip{ dst = "192.0.2.2" }/udp{ sport = 1, dport = 2 }) t:advance(0)`: `a script failed: fails.lua:1: `,
		`t:load "wrong.lua"`:                                                 `x_test.lua:3: t:load: wrong.lua:1:`,
		`t:load "none.lua"`:                                                  `none.lua: no such file`,
		`t:load("loss.lua", { options = { los = 1 } })`:                      `loss has no option "los"; did you mean "loss"?`,
		`t:load("loss.lua", { options = { loss = 2 } })`:                     `is 2, want 0 to 1`,
		`t:load("ping.lua", { pari = true })`:                                `t:load: there is no "pari"; did you mean "pair"?`,
		`t:lod "ping.lua"`:                                                   `test has no "lod"; did you mean "load"?`,
		`t:inject(ip{ dst = "192.0.2.2" }/icmp{})`:                           `t:inject: no script is loaded: t:load comes first`,
		`t:load "ping.lua" t:inject(ip{ dst = "192.0.2.2" }/icmp{}, "tun1")`: `the script has no device "tun1": it has tun0`,
		`t:load "ping.lua" t:expect{ icmp = { sqe = 1 } }`:                   `icmp has no "sqe"; did you mean "seq"?`,
		`recv("udp")`: `the test waits for something that never comes`,
		`every(0.001, function() end) recv("udp")`:              `the test takes more than`,
		`spawn(function() error("in a task") end) t:advance(1)`: `a script failed: x_test.lua:3: in a task`,
	} {
		r := one(t, scripts, body)
		if r.Err == nil || !strings.Contains(r.Err.Error(), want) {
			t.Errorf("%s\nfails with %v\nwant %s", body, r.Err, want)
		}
	}
}

// 75 virtual seconds, as the acceptance test has them, and 200 tests in under a second.
// What did not come is often what the script did not get to send.
func TestFailureNamesTheScripts(t *testing.T) {
	r := one(t, scripts, `t:load "fails.lua" t:inject(ip{ dst = "192.0.2.2" }/udp{ sport = 1, dport = 2 }) t:expect("udp")`)
	var b strings.Builder
	if err := testrun.TAP(&b, []testrun.Result{r}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"x_test.lua:3: t:expect: nothing that matches came", "a script failed: fails.lua:1: "} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
}

func TestIsQuick(t *testing.T) {
	if testing.Short() {
		t.Skip("measures time")
	}
	var b strings.Builder
	b.WriteString("local test = require \"test\"\n")
	for i := range 200 {
		b.WriteString("test(\"test " + strings.Repeat("i", i) + "\", function(t)\n t:load \"ping.lua\"\n t:inject(ip{ dst = \"192.0.2.2\" }/icmp{})\n t:expect \"icmp\"\n t:advance(75)\nend)\n")
	}
	dir := files(t, map[string]string{"many_test.lua": b.String(), "ping.lua": scripts["ping.lua"]})
	start := time.Now()
	found, err := testrun.Find([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	results, err := testrun.Run(found, testrun.Options{})
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	t.Logf("%d tests in %v", len(results), took)
	if took > 3*time.Second { // a second on a machine that has nothing else to do
		t.Errorf("200 tests took %v", took)
	}
	for _, r := range results {
		if r.Err != nil || r.Virtual != 75*time.Second {
			t.Fatalf("%s: %v after %v", r.Name, r.Err, r.Virtual)
		}
	}
}

func TestFind(t *testing.T) {
	dir := files(t, map[string]string{"a_test.lua": "", "b.lua": "", "c_test.lua": ""})
	found, err := testrun.Find([]string{dir, filepath.Join(dir, "a_test.lua")})
	if err != nil || len(found) != 2 {
		t.Errorf("%v, %v", found, err)
	}
	if _, err := testrun.Find([]string{filepath.Join(dir, "none")}); err == nil {
		t.Error("what is not there is found")
	}
	if _, err := testrun.Find([]string{t.TempDir()}); err == nil {
		t.Error("an empty folder has tests")
	}
}

func TestChosenAndRepeatable(t *testing.T) {
	dir := files(t, map[string]string{"r_test.lua": `
		local test = require "test"
		test("one", function(t) print(math.random()) end)
		test("two", function(t) print(math.random(), now()) end)`})
	run := func(seed uint64) []testrun.Result {
		results, err := testrun.Run([]string{filepath.Join(dir, "r_test.lua")}, testrun.Options{Run: regexp.MustCompile("tw"), Seed: seed})
		if err != nil || len(results) != 1 || results[0].Name != "two" || results[0].Line != 4 {
			t.Fatalf("%v, %v", results, err)
		}
		return results
	}
	first, again, other := run(3)[0].Log, run(3)[0].Log, run(4)[0].Log
	if first[0] != again[0] || first[0] == other[0] {
		t.Errorf("%v, %v, %v", first, again, other)
	}
}

func TestFilesThatDoNotLoad(t *testing.T) {
	for text, want := range map[string]string{
		`local test = = 1`: "x_test.lua:1:",
		`local test = require "test" test("a", function() end) test("a", function() end)`: `the test "a" stands in line 1, too`,
		`local test = require "test" test("a")`:                                           "want a function",
		`error("at the top")`:                                                             "at the top",
	} {
		dir := files(t, map[string]string{"x_test.lua": text})
		if _, err := testrun.Run([]string{filepath.Join(dir, "x_test.lua")}, testrun.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
