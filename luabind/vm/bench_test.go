package vm

import (
	"context"
	"runtime"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
)

const busy = `
local band = 0
function work(n)
  local t, s = {}, 0
  for i = 1, n do
    local k = i % 16 + 1
    t[k] = (t[k] or 0) + i
    if t[k] > 100 and i % 3 == 0 then s = s + t[k] else s = s - 1 end
  end
  return s
end
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
function recurse(n) return fib(n) end
local function decide(p, rules)
  for i = 1, #rules do
    local r = rules[i]
    if r.proto == p.proto and (r.port == nil or r.port == p.tcp.dport) then return r.verdict end
  end
  return "pass"
end
local rules = {{proto = 17, verdict = "drop"}, {proto = 6, port = 22, verdict = "pass"}, {proto = 6, port = 80, verdict = "accept"}}
function fields(n)
  local p, hits = {proto = 6, ttl = 64, tcp = {dport = 80, flags = "SA"}}, 0
  for i = 1, n do
    p.ttl = p.ttl - 1
    if decide(p, rules) == "accept" and p.tcp.flags ~= "S" then hits = hits + 1 end
  end
  return hits
end
function handler(p) if p.ttl > 1 then p.ttl = p.ttl - 1 return "pass" end end
function empty(p) end
function try() return pcall(empty, 1) end
function fails() return pcall(error, "x") end
`

func loaded(tb testing.TB, src string) *State {
	tb.Helper()
	c, err := Compile("bench.lua", src, Limits{})
	if err != nil {
		tb.Fatal(err)
	}
	s := newState(tb, Options{})
	tb.Cleanup(s.Close)
	if _, err := s.Run(c); err != nil {
		tb.Fatal(err)
	}
	return s
}

func (s *State) global(name string) *lua.LFunction { return s.l.GetGlobal(name).(*lua.LFunction) }

// BenchmarkLimits is what counting costs on code that does nothing but run: the
// same chunk with the meter, without any context, and with the context that
// gopher-lua's README proposes.
func BenchmarkLimits(b *testing.B) {
	for _, w := range []struct {
		name string
		arg  int
	}{{"work", 100}, {"recurse", 10}, {"fields", 20}} {
		for _, kind := range []string{"counted", "bare", "withcancel"} {
			b.Run(w.name+"/"+kind, func(b *testing.B) {
				s := loaded(b, busy)
				fn, L := s.global(w.name), s.l
				switch kind {
				case "bare":
					L.RemoveContext()
				case "withcancel":
					ctx, cancel := context.WithCancel(b.Context())
					defer cancel()
					L.SetContext(ctx)
				}
				arg := lua.LNumber(w.arg)
				b.ReportAllocs()
				for b.Loop() {
					s.m.reset(500_000)
					L.Push(fn)
					L.Push(arg)
					L.Call(1, 1)
					L.Pop(1)
				}
			})
		}
	}
}

// BenchmarkEntry is an entry through Call, against the PCall it stands in for.
func BenchmarkEntry(b *testing.B) {
	s := loaded(b, busy)
	fn := s.global("empty")
	ud := s.l.NewUserData()
	b.Run("Call", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.Call(fn, ud); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("PCall", func(b *testing.B) {
		L := s.l
		L.RemoveContext()
		b.ReportAllocs()
		for b.Loop() {
			L.Push(fn)
			L.Push(ud)
			if err := L.PCall(1, lua.MultRet, nil); err != nil {
				b.Fatal(err)
			}
			L.SetTop(0)
		}
	})
	b.Run("reset", func(b *testing.B) {
		for b.Loop() {
			s.m.reset(500_000)
		}
	})
}

func BenchmarkPcall(b *testing.B) {
	s := loaded(b, busy+`
function direct(n) for i = 1, n do empty(i) end end
function pooled(n) for i = 1, n do pcall(empty, i) end end
function failing(n) for i = 1, n do pcall(error, "x") end end`)
	for _, name := range []string{"direct", "pooled", "failing"} {
		b.Run(name, func(b *testing.B) {
			fn := s.global(name)
			s.lim.Instructions = 1 << 50
			b.ReportAllocs()
			if _, err := s.Call(fn, lua.LNumber(b.N)); err != nil {
				b.Fatal(err)
			}
		})
	}
}

func BenchmarkState(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		s, _ := New(Options{})
		s.Close()
	}
}

func BenchmarkCoroutine(b *testing.B) {
	s := loaded(b, `
function create(n) for i = 1, n do coroutine.wrap(empty)() end end
function empty() end
function switch(n) local co = coroutine.wrap(function() while true do coroutine.yield() end end) for i = 1, n do co() end end`)
	s.lim.Instructions = 1 << 50
	for _, name := range []string{"create", "switch"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			if _, err := s.Call(s.global(name), lua.LNumber(b.N)); err != nil {
				b.Fatal(err)
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	src := strings.Repeat(busy, 20)
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		if _, err := Compile("b", src, Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkConcat(b *testing.B) {
	s := loaded(b, `function f(n) local s for i = 1, n do s = "a" .. i .. "b" end end function len(n) local t, k = {1, 2, 3} for i = 1, n do k = #t end end`)
	s.lim.Instructions = 1 << 50
	for _, name := range []string{"f", "len"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			if _, err := s.Call(s.global(name), lua.LNumber(b.N)); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkBombs is how long each bomb burns.
func BenchmarkBombs(b *testing.B) {
	for _, bo := range bombs {
		b.Run(strings.ReplaceAll(bo.name, " ", "-"), func(b *testing.B) {
			body := strings.ReplaceAll(bo.body, "DEEP", "200000")
			c, err := Compile("bomb.lua", "function handler() "+body+"\nend", Limits{})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				s, _ := New(Options{})
				if _, err := s.Run(c); err != nil {
					b.Fatal(err)
				}
				_, _ = s.Call(s.global("handler"))
				s.Close()
			}
		})
	}
}

// TestSizes holds a state under 60 KB and a coroutine under 12 KB.
func TestSizes(t *testing.T) {
	const n = 200
	size := func(make func() any) int {
		keep := make2(n)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		for i := range keep {
			keep[i] = make()
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(keep)
		return int(after.HeapAlloc-before.HeapAlloc) / n
	}
	state := size(func() any { s, _ := New(Options{}); return s })
	if state > 60_000 {
		t.Errorf("a state takes %d bytes", state)
	}
	s := loaded(t, `function gen() return coroutine.wrap(function() coroutine.yield() end) end`)
	s.lim.Coroutines = 10 * n
	co := size(func() any {
		r, err := s.Call(s.global("gen"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Call(r[0].(*lua.LFunction)); err != nil {
			t.Fatal(err)
		}
		return nil
	})
	if co > 12_000 {
		t.Errorf("a coroutine takes %d bytes", co)
	}
	t.Logf("state %d bytes, coroutine %d bytes", state, co)
}

func make2(n int) []any { return make([]any, n) }

// TestCallAllocates nothing in the steady state.
func TestCallAllocates(t *testing.T) {
	s := loaded(t, busy)
	fn, try := s.global("handler"), s.global("try")
	tb := s.l.NewTable()
	tb.RawSetString("ttl", lua.LNumber(1))
	for name, fn := range map[string]*lua.LFunction{"handler": fn, "try": try} {
		allocs := testing.AllocsPerRun(1000, func() {
			if _, err := s.Call(fn, tb); err != nil {
				t.Fatal(err)
			}
		})
		if allocs != 0 {
			t.Errorf("%s allocates %v times", name, allocs)
		}
	}
}
