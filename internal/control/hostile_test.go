package control

import (
	"errors"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/packet"
)

// A shot is Lua from outside that hangs, fills the memory or surprises.
type shot struct {
	name, source string
	want         string // in the error; "" if there is none
	most         int    // bytes of the answer, if it is one
}

var shots = []shot{
	{"loop", "while true do end", "instructions", 0},
	{"pcall loop", "while true do pcall(function() while true do end end) end", "instructions", 0},
	{"table that grows", "(function() local t = {} while true do t[#t+1] = {} end end)()", "instructions", 0},
	{"string that doubles", "local s = 'x' while true do s = s .. s end", "limits: string", 0},
	{"strings kept", "local t, s = {}, ('x'):rep(1e6) for i = 1, 1e9 do t[i] = s .. i end", "instructions", 0},
	{"recursion", "local function f() return 1 + f() end return f()", "stack overflow", 0},
	{"coroutines", "local t = {} for i = 1, 1e9 do t[i] = coroutine.create(function() end) end", "limits: coroutines", 0},
	{"coroutines in coroutines", "local function f() return coroutine.wrap(f)() end f()", "coroutines", 0},
	{"pattern", "(('a'):rep(220)):find(('.-'):rep(4) .. 'b')", "instructions", 0},
	{"source that nests", strings.Repeat("(", 30_000) + "1" + strings.Repeat(")", 30_000), "too many", 0},
	{"source of random bytes", "\x00\xff\x1bLua\x80\xfe{[(", "eval:1", 0},
	{"error nil", "error()", "error raised without a value", 0},
	{"error table", "error({})", "error object is a table value", 0},
	{"error packet", "error(udp{ dport = 7 })", "packet (gone)", 0},
	{"error that is endless to say", "error(setmetatable({}, { __tostring = function() while true do end end }))", "instructions", 0},
	{"error that fails to be said", "error(setmetatable({}, { __tostring = function() error('x') end }))", "error object is a table value", 0},
	{"error of a megabyte", "error(('x'):rep(1e6))", "xxx", 0},
	{"wait", "sleep(1)", "only a task can wait", 0},
	{"yield", "coroutine.yield()", "yield", 0},
	{"exit", "os.exit(1)", "eval:1", 0},
	{"load", "loadstring('return 1')", "only while the script loads", 0},
	{"10,000 handlers", "for i = 1, 10000 do on('udp port ' .. i, print) end", "instructions", 0},
	{"handlers in a coroutine", "coroutine.wrap(function() for i = 1, 10000 do on('tcp', function() end) end end)()", "instructions", 0},
	{"10,000 tasks", "for i = 1, 10000 do spawn(function() sleep(1e6) end) end", "tasks", 0},
	{"100,000 timers", "for i = 1, 100000 do after(1e6, print) end", "timers", 0},

	{"a megabyte", "('x'):rep(1e6)", "", 1 << 17},
	{"a megabyte of odd bytes", "{ ('\\0'):rep(1e6) }", "", 1 << 17},
	{"a key of a megabyte", "{ [('\\0'):rep(1e6)] = 1 }", "", 1 << 17},
	{"7,000 results", "unpack({}, 1, 7000)", "", 1 << 17},
	{"a table of 100,000", "(function() local t = {} for i = 1, 15000 do t[i] = i t['k' .. i] = i end return t end)()", "", 4096},
	{"a table of tables, again and again", `(function()
		local t = {} for i = 1, 20000 do t['k' .. i] = '' end
		for i = 1, 3 do local u = {} for j = 1, 100 do u[j] = t end t = u end
		return t end)()`, "", 1 << 17},
	{"a table that is endless to say", "setmetatable({}, { __tostring = function() while true do end end })", "", 1024},
	{"a hundred of them", `(function()
		local one, t = setmetatable({}, { __tostring = function() local n = 0 while n < 1e5 do n = n + 1 end return '' end }), {}
		for i = 1, 100 do t[i] = one end
		for i = 1, 3 do local u = {} for j = 1, 100 do u[j] = t end t = u end
		return t end)()`, "", 1 << 17},
	{"a table that fails to be said", "setmetatable({}, { __tostring = function() error({}) end })", "", 1024},
	{"a table that is no text", "setmetatable({}, { __tostring = function() return {} end })", "", 1024},
	{"a table that says a megabyte", "setmetatable({}, { __tostring = function() return ('x'):rep(1e6) end })", "", 1 << 17},
	{"a metatable that is odd", "setmetatable({}, { __index = error, __tostring = 7, __len = error, __metatable = false })", "", 100},
	{"a table that holds itself", "(function() local t = {} t[t] = t t.t = t return t end)()", "", 1024},
	{"odd numbers as keys", "{ [0.5] = 1, [-1] = 2, [1e300] = 3, [-1/0] = 4, [true] = 5, [print] = 6 }", "", 1024},
	{"a packet that is gone, in a closure", "(function() local p = last return { p, function() return p end, kept[1] } end)()", "", 1024},
	{"a handler that closes over one", "local p = last on('udp port 7', function(q) return p end)", "", 0},
	{"functions", "print, coroutine.create(function() end), on, _G", "", 1 << 15},
}

// hoard is a script that answers each datagram to port 7, and keeps packets.
const hoard = `kept, hits = {}, 0
on("udp port 7", function(p) hits = hits + 1; last = p; kept[1] = p:copy(); return p:reply() end)`

// Whatever Lua is shot at a script from outside is answered within a moment, with an error
// or a result that is bounded. Meanwhile each packet is answered, and afterwards the
// script goes on with its variables, and nothing is held that was not before.
func TestEvalHostile(t *testing.T) {
	r := newRig(t, hoard)
	c := r.dial()
	if _, err := c.Eval(t.Context(), "mine = 7", "", 0); err != nil {
		t.Fatal(err)
	}
	stop := r.keepAsking()
	var before uint64
	for round := range 4 {
		for _, s := range shots {
			began := time.Now()
			got, err := c.Eval(t.Context(), s.source, "", 0)
			s.judge(t, got, err, time.Since(began))
			if got, err := c.Eval(t.Context(), "mine", "", 0); err != nil || got[0] != "7" {
				t.Fatalf("%s: afterwards: %q, %v", s.name, got, err)
			}
		}
		if round == 1 { // the caps on handlers, tasks and timers are met
			before = heap()
		}
	}
	packets := stop()
	after := heap()
	t.Logf("%+v; heap %d KiB, then %d", packets, before>>10, after>>10)
	if packets.answered < 10 || packets.lost > 0 || packets.longest > 2*time.Second {
		t.Errorf("packets: %+v", packets)
	}
	if after > before+before/4+4<<20 {
		t.Errorf("the heap has grown from %d to %d bytes", before, after)
	}
}

// judge says what is wrong with the answer to a shot.
func (s shot) judge(t *testing.T, values []string, err error, took time.Duration) {
	t.Helper()
	size := 0
	for _, v := range values {
		size += len(v)
	}
	e, _ := errors.AsType[*Error](err)
	switch {
	case err == nil && (s.want != "" || size > s.most):
		t.Errorf("%s: %d bytes, want an error with %q or at most %d bytes", s.name, size, s.want, s.most)
	case err != nil && (s.want == "" || e == nil || !strings.Contains(e.Text, s.want)):
		t.Errorf("%s: %.300v, want %q", s.name, err, s.want)
	case e != nil && len(e.Text)+len(e.More) > 16<<10:
		t.Errorf("%s: an error of %d bytes", s.name, len(e.Text)+len(e.More))
	}
	if took > 2*time.Second {
		t.Errorf("%s: took %v", s.name, took)
	}
	t.Logf("%-36s %8v %6d bytes %.60v", s.name, took.Round(100*time.Microsecond), size, err)
}

// An asked is what became of datagrams.
type asked struct {
	answered, lost int
	longest        time.Duration // until an answer
}

// keepAsking sends datagrams to port 7, each when the one before is answered, or has been
// lost for 5 s, until stop is called.
func (r *rig) keepAsking() (stop func() asked) {
	p, err := packet.Build(packet.IPv4{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2")}, packet.UDP{Sport: 4000, Dport: 7})
	if err != nil {
		r.t.Fatal(err)
	}
	answers := make(chan struct{}, 1000)
	go func() { // until the device is closed
		b := make([]byte, 2048)
		for {
			if _, err := r.near.Read(b); err != nil {
				return
			}
			answers <- struct{}{}
		}
	}()
	var all asked
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-quit:
				return
			case <-time.After(time.Millisecond):
			}
			began := time.Now()
			if _, err := r.near.Write(p.Bytes()); err != nil {
				return
			}
			select {
			case <-answers:
				all.answered, all.longest = all.answered+1, max(all.longest, time.Since(began))
			case <-time.After(5 * time.Second):
				all.lost++
			}
		}
	}()
	return func() asked {
		close(quit)
		<-done
		return all
	}
}

// heap is what the process holds.
func heap() uint64 {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// What fills a script's memory for good, a piece at a time, ends in a script that starts
// anew: it answers again, and what it held is free.
func TestEvalFillsTheMemory(t *testing.T) {
	r := newRig(t, hoard)
	c := r.dial()
	stop := r.keepAsking()
	before := heap()
	var full *Error
	for i := 0; full == nil; i++ {
		if i == 1000 {
			t.Fatal("it takes everything")
		}
		_, err := c.Eval(t.Context(), "all = all or {} for i = 1, 3 do all[#all + 1] = ('x'):rep(1e6) .. #all end", "", 0)
		full, _ = errors.AsType[*Error](err)
	}
	if !strings.Contains(full.Text, "limits: memory") {
		t.Error(full)
	}
	eventually(t, "it starts anew", func() bool {
		got, err := c.Eval(t.Context(), "all", "", 0)
		return err == nil && got[0] == "nil"
	})
	if packets := stop(); packets.answered == 0 || packets.lost > 1 { // the one that met the end
		t.Errorf("packets: %+v", packets)
	}
	eventually(t, "what it held is free", func() bool {
		r.udp(7) // chains are made anew for the next packet
		return heap() < before+8<<20
	})
}
