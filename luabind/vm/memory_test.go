package vm

import (
	"fmt"
	"runtime"
	"testing"

	lua "github.com/yuin/gopher-lua"
)

// TestMemoryOverPackets: a script that keeps a little of every packet is stopped
// between packets, within twice its limit, and a fresh state goes on.
func TestMemoryOverPackets(t *testing.T) {
	lim := Limits{Memory: 8 << 20}
	src := `local seen = {} function handler(i) seen[i .. "/" .. i] = {from = i, at = i * 2} end`
	c, err := Compile("m.lua", src, lim)
	if err != nil {
		t.Fatal(err)
	}
	s := newState(t, Options{Limits: lim})
	if _, err := s.Run(c); err != nil {
		t.Fatal(err)
	}
	fn := s.global("handler")
	stopped := 0
	for i := range 200_000 {
		_, err := s.Call(fn, lua.LNumber(i))
		if err == nil {
			continue
		}
		if e := err.(*Error); e.Reason != Memory || !s.Broken() {
			t.Fatalf("packet %d: %v", i, err)
		}
		if held := s.Memory(); held > 2*lim.Memory {
			t.Errorf("it held %d MiB", held>>20)
		}
		stopped = i
		break
	}
	if stopped == 0 {
		t.Fatal("never stopped")
	}
	t.Logf("stopped at packet %d", stopped)
}

// TestMemoryOfLongEntries: a script that keeps as much of every packet as its budget lets
// it make is stopped within twice its limit, too, whatever it keeps.
func TestMemoryOfLongEntries(t *testing.T) {
	for _, body := range []string{
		`for i = 1, 8 do all[#all + 1] = ("x"):rep(1000000) .. #all end`,
		`for i = 1, 100000 do n = n + 1 all[n] = n end`,
		`for i = 1, 10000 do all = { all } end`,
		`all[#all + 1] = ("x"):rep(200000) .. #all`,
	} {
		runtime.GC() // what the one before held hides growth until it is swept
		s := loaded(t, "all, n = {}, 0 function handler() "+body+" end")
		for i := 0; ; i++ {
			_, err := s.Call(s.global("handler"))
			if e, ok := err.(*Error); ok && e.Reason == Memory {
				held := s.Memory()
				t.Logf("%s: stopped at packet %d with %d MiB", body, i, held>>20)
				if held > 2*s.lim.Memory {
					t.Errorf("%s: it held %d MiB", body, held>>20)
				}
				break
			}
			if i == 10_000 {
				t.Fatalf("%s: never stopped", body)
			}
		}
	}
}

// TestMemoryOfInnocents: garbage is no offence, nor is what another holds.
func TestMemoryOfInnocents(t *testing.T) {
	lim := Limits{Memory: 4 << 20}
	c, err := Compile("m.lua", `function handler(i) local t = {} for k = 1, 200 do t[k] = ("x"):rep(1000) .. k end return #t end`, lim)
	if err != nil {
		t.Fatal(err)
	}
	s := newState(t, Options{Limits: lim})
	if _, err := s.Run(c); err != nil {
		t.Fatal(err)
	}
	hoard := make([][]byte, 0, 100)
	for i := range 2000 {
		if i%20 == 0 {
			hoard = append(hoard, make([]byte, 1<<20))
		}
		if _, err := s.Call(s.global("handler"), lua.LNumber(i)); err != nil {
			t.Fatalf("packet %d: %v", i, err)
		}
	}
	_ = hoard
}

// TestChurn: a table through which keys come and go does not grow.
func TestChurn(t *testing.T) {
	s := loaded(t, `local t = {} for i = 1, 100 do t["k" .. i] = i end
		function handler(i) t["k" .. i] = nil t["k" .. (i + 100)] = i if i % 100 == 0 then local n = 0 for k in pairs(t) do n = n + 1 end return n end end`)
	var first int
	for i := 1; i <= 50_000; i++ {
		r, err := s.Call(s.global("handler"), lua.LNumber(i))
		if err != nil {
			t.Fatal(err)
		}
		if i%100 == 0 && r[0] != lua.LNumber(100) {
			t.Fatalf("%v keys at %d", r[0], i)
		}
		if i == 1000 {
			first = s.Memory()
		}
	}
	if last := s.Memory(); last > first*3/2 {
		t.Errorf("it grew from %d to %d bytes", first, last)
	}
}

// TestTraversal: keys may be cleared during one, also while the table is rebuilt by
// another.
func TestTraversal(t *testing.T) {
	s := loaded(t, `function handler()
		local t, seen = {}, 0
		for i = 1, 1000 do t["k" .. i] = i end
		for k in pairs(t) do
			t[k] = nil
			seen = seen + 1
			if seen == 900 then for _ in pairs(t) do end end
		end
		local a = {}
		for i = 1, 100 do a[i] = i end a.x = 1 a.y = 2
		local n = 0
		for k in pairs(a) do a[k] = nil n = n + 1 + #a * 0 end
		return seen, next(t), n, next(a)
	end`)
	r, err := s.Call(s.global("handler"))
	if err != nil || fmt.Sprint(r) != "[1000 nil 102 nil]" {
		t.Error(r, err)
	}
}

// TestRepeatable: the budget of an endless handler ends at the same place, whatever
// it does, and so does the count of an ordinary one.
func TestRepeatable(t *testing.T) {
	run := func(body string) string {
		s := loaded(t, "count = 0 function handler() "+body+" end")
		_, err := s.Call(s.global("handler"))
		return fmt.Sprint(s.l.GetGlobal("count"), s.m.used(), err)
	}
	for _, body := range []string{
		`while true do count = count + 1 end`,
		`while true do count = count + 1 pcall(error, "x") local t = {count, k = 1} end`,
		`local function f(...) count = count + 1 return f(1, ...) end f()`,
		`while true do count = count + 1 ("abc"):rep(100):find(".-x") end`,
		`for co in coroutine.wrap(function() while true do coroutine.yield(1) count = count + 1 end end) do end`,
		`for i = 1, 1000 do count = count + #tostring(i) end`,
	} {
		if a, b := run(body), run(body); a != b {
			t.Errorf("%s: %s, then %s", body, a, b)
		}
	}
}
