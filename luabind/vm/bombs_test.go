package vm

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// bomb is a handler's body that hangs, blows up or surprises a plain gopher-lua.
// DEEP stands for a large number.
type bomb struct {
	name, body string
	want       string // the Reason, or "" if it returns
}

var bombs = []bomb{
	{"loop", `while true do end`, "instructions"},
	{"pcall loop", `while true do pcall(function() while true do end end) end`, "instructions"},
	{"nested xpcall", `local function f() pcall(f) while true do end end f()`, "instructions"},
	{"huge for", `for i=1,math.huge do end`, "instructions"},
	{"coroutine loop", `local co=coroutine.wrap(function() while true do end end) co()`, "instructions"},
	{"coroutine yield loop", `local co=coroutine.wrap(function() while true do coroutine.yield() end end) while true do co() end`, "instructions"},
	{"tail call", `local function f() return f() end f()`, "instructions"},
	{"recursion", `local function f() return 1+f() end f()`, "runtime"},
	{"recursion in pcall", `local function f() return 1+f() end for i=1,1e9 do pcall(f) end`, "instructions"},
	{"recursion of pcall", `local function f() return pcall(f) end f() while true do f() end`, "instructions"},
	{"wide recursion in pcall", `local function f() local ` + manyNames("a", 180) + ` return 1+f() end for i=1,1e9 do pcall(f) end`, "instructions"},
	{"gsub recursion", `local function f() string.gsub("a","a",f) end f()`, "runtime"},
	{"index loop", `local t={} setmetatable(t,{__index=t}) return t.x`, "runtime"},
	{"index function", `local t=setmetatable({},{__index=function(t,k) return t[k] end}) return t.x`, "runtime"},
	{"tostring recursion", `local t=setmetatable({},{}) getmetatable(t).__tostring=function(s) return tostring(s) end return tostring(t)`, "runtime"},
	{"polynomial pattern", `return string.find(("a"):rep(220),(".-"):rep(4).."b")`, "instructions"},
	{"square pattern", `return string.find(("a"):rep(1460),"a*a*b")`, "instructions"},
	{"back reference", `return string.find(("a"):rep(8960),"(a+)%1b")`, "instructions"},
	{"deep pattern", `return string.match(("a"):rep(DEEP), ".*b")`, "instructions"},
	{"balanced pattern", `return string.match(("("):rep(DEEP), "%b()")`, "instructions"},
	{"long set", `return string.match(("a"):rep(30000), "["..("b"):rep(30000).."]*c")`, "instructions"},
	{"gmatch of nothing", `for i = 1, 1e9 do for x in ("x"):rep(1000):gmatch("") do end end`, "instructions"},
	{"optional items", `return string.find(("a"):rep(30), ("a?"):rep(30)..("a"):rep(30))`, "instructions"},
	{"rep", `return #string.rep("x", 1e9)`, "string"},
	{"rep 10g", `return #string.rep("x", 1e10)`, "string"},
	{"rep 1e30", `return #string.rep("x", 1e30)`, ""},
	{"rep of much", `local s = ("x"):rep(1e5) return #s:rep(1e5)`, "string"},
	{"rep of nothing", `return #string.rep("", 1e18)`, ""},
	{"sort", `local t={} for i=1,400000 do t[i]=(i*7919)%1000003 end table.sort(t)`, "instructions"},
	{"sort with comparison", `local t={} for i=1,20000 do t[i]=(i*7919)%1000003 end table.sort(t,function(a,b) return a<b end)`, "instructions"},
	{"sort badly", `local t={} for i=1,1000 do t[i]=i end table.sort(t,function(a,b) return true end)`, "runtime"},
	{"sort by endless", `table.sort({1,2,3}, function() while true do end end)`, "instructions"},
	{"concat", `local t={} local s=("x"):rep(1e6) for i=1,600 do t[i]=s end return #table.concat(t)`, "string"},
	{"concat far", `return table.concat({}, "x", 1, 1e15)`, "runtime"},
	{"gsub", `local s=("a"):rep(2e4) local r=("b"):rep(3e4) return #s:gsub("a",r)`, "string"},
	{"double", `local s="x" while true do s=s..s end`, "string"},
	{"concat in a loop", `local s="" while true do s=s.."xxxxxxxxxxxxxxxx" end`, "instructions"},
	{"big strings kept", `local t, s = {}, ("x"):rep(1000000) for i=1,1e9 do t[i] = s .. i end`, "instructions"},
	{"unpack", `return select('#', unpack({},1,1e8))`, "runtime"},
	{"unpack over", `return select('#', unpack({},1,1e18))`, "runtime"},
	{"unpack in a loop", `local t = {} while true do local n = select('#', unpack(t, 1, 7000)) end`, "instructions"},
	{"format width", `return #string.format("%1000000000d",1)`, "runtime"},
	{"format bad", `return string.format("%y%q%n%p%t","a",1,2,3,4)`, "runtime"},
	{"format few", `return string.format("%d %d %s",1)`, "runtime"},
	{"format many", `local f = ("%99.99f"):rep(500) while true do string.format(f, unpack({}, 1, 500)) end`, "runtime"},
	{"load", `local f,e=loadstring("return "..("("):rep(DEEP).."1"..(")"):rep(DEEP)) return tostring(f)`, "runtime"},
	{"bytecode", `return pcall(loadstring,"\27Lua\81\0\1\4\8\4\8\0junk")`, ""},
	{"dump", `return pcall(string.dump,function() end)`, ""},
	{"string metatable", `getmetatable("").__index=function(s,k) return 42 end return ("x").anything`, "runtime"},
	{"string library", `string.rep=nil return pcall(function() return ("x"):rep(3) end)`, "runtime"},
	{"getfenv", `local function g() return getfenv(2)==_G end return g(), getfenv(0)==_G`, "runtime"},
	{"setfenv", `setfenv(0,{})`, "runtime"},
	{"newproxy", `return newproxy(true)`, "runtime"},
	{"exit", `os.exit(7)`, "runtime"},
	{"setenv", `os.setenv("ANCH","1") return os.getenv("ANCH")`, "runtime"},
	{"channel", `local c=channel.make() c:receive()`, "runtime"},
	{"collect", `for i=1,50 do collectgarbage() end`, "runtime"},
	{"far index", `local t={} t[67108863]=1 return #t`, ""},
	{"powers as index", `local t={} t[1]=1 t[2]=1 for i=0,40 do t[2^i]=1 end return #t`, ""},
	{"address as index", `hits = {} hits[67108862] = 1 hits[3221225985] = 1`, ""},
	{"insert far", `local t={} table.insert(t, 60000000, 1) return #t`, ""},
	{"insert further", `local t={} table.insert(t, 1e15, 1) return #t`, ""},
	{"insert before", `local t={} return pcall(table.insert,t, -5, 1)`, ""},
	{"insert at front", `local t={} while true do table.insert(t, 1, 1) end`, "instructions"},
	{"remove at front", `local t={} for i=1,20000 do t[i]=i end while true do table.remove(t, 1) end`, "instructions"},
	{"length of emptied", `local t={} for i=1,1000 do t[i]=i end for i=1000,1,-1 do t[i]=nil end while true do local n = #t end`, "instructions"},
	{"NaN key", `local t={} return pcall(function() t[0/0]=1 end)`, ""},
	{"tonumber", `return tonumber(("1"):rep(100000)), tonumber("0x"..("f"):rep(40)), tonumber("1e400"), tonumber("z",36), pcall(tonumber,"1",99)`, ""},
	{"error object", `error(setmetatable({},{__tostring=function() while true do end end}))`, "instructions"},
	{"error nil", `error()`, "runtime"},
	{"error of a megabyte", `error(("x"):rep(1000000))`, "runtime"},
	{"odd gsubs", `return string.gsub("abc","","x"), string.gsub("abc",".-","x"), string.find("abc","",10), string.find("abc","b",-100)`, ""},
	{"bad patterns", `return pcall(string.find,"a","["), pcall(string.find,"a","%"), pcall(string.find,"a","(((("), pcall(string.find,"a","%b"), pcall(string.find,"a","%f"), pcall(string.gsub,"a","a","%9")`, ""},
	{"captures", `return pcall(string.find,("a"):rep(100),("(a)"):rep(60))`, ""},
	{"byte", `return pcall(string.byte,("x"):rep(1e6),1,-1)`, ""},
	{"char", `return pcall(string.char,-1,256,1e9)`, ""},
	{"date", `return pcall(os.date,"%"..("Y"):rep(10)), pcall(os.date,"*t",1e300), pcall(os.time,{year=1e300,month=1,day=1})`, ""},
	{"random", `return pcall(math.random,0), pcall(math.random,2,1), pcall(math.random,1e300)`, ""},
	{"select", `return pcall(select,-5,1), pcall(select,0)`, ""},
	{"yield outside", `coroutine.yield(1)`, "runtime"},
	{"yield in sort", `return coroutine.resume(coroutine.create(function() table.sort({3,2,1}, function() coroutine.yield() end) end))`, ""},
	{"yield in metamethod", `return coroutine.resume(coroutine.create(function() return setmetatable({},{__index=coroutine.yield}).x end))`, ""},
	{"yield in iterator", `return coroutine.resume(coroutine.create(function() for i in coroutine.yield do end end))`, ""},
	{"yield in gsub", `return coroutine.resume(coroutine.create(function() ("x"):gsub("x", coroutine.yield) end))`, ""},
	{"resume oneself", `return coroutine.resume(coroutine.running() or coroutine.create(function() end))`, ""},
	{"resume the dead", `local co=coroutine.create(function() error("x") end) coroutine.resume(co) return coroutine.resume(co)`, ""},
	{"nested coroutines", `local function f(n) local co=coroutine.create(f) return coroutine.resume(co,n+1) end return f(1)`, "coroutines"},
	{"many coroutines", `local t={} for i=1,1e9 do t[i]=coroutine.create(function() end) end`, "coroutines"},
	{"dropped coroutines", `for i=1,1e9 do coroutine.wrap(function() coroutine.yield() end)() end`, "instructions"},
	{"deep coroutines", `while true do coroutine.wrap(function() local function f() return 1+f() end pcall(f) end)() end`, "instructions"},
	{"yield in pcall", `local co=coroutine.create(function() return pcall(function() coroutine.yield(1) error("z") end) end) local a,b=coroutine.resume(co) local c,d,e=coroutine.resume(co) return a,b,c,d,e`, ""},
	{"closures", `local t={} for i=1,1e9 do t[i]=function() return i end end`, "instructions"},
	{"growing arguments", `local function f(...) return f(1,...) end f()`, "instructions"},
	{"growing arguments in pcall", `local function f(...) return f(1,2,3,4,5,6,7,8,9,10,...) end while true do pcall(f) end`, "instructions"},
	{"many results", `local function f(...) return ..., ... end local t = {} while true do t = {unpack(t, 1, 7000)} end`, "instructions"},
	{"tables", `local t={} for i=1,1e9 do t[i]={} end`, "instructions"},
	{"tables with keys", `local t={} for i=1,1e9 do t[i]={a=1,b=2,c=3,d=4} end`, "instructions"},
	{"tables with one key", `local t={} while true do local u = {} u.x = 1 t[#t+1] = u end`, "instructions"},
	{"tables of strings", `local t={} for i=1,1e9 do t["key"..i]=i end`, "instructions"},
	{"keys that go", `local t={} for i=1,1e9 do t[i+5000]=1 t[i+4999]=nil end`, "instructions"},
	{"keys that go while iterating", `local t={} for i=1,1000 do t[i+5000]=1 end for k in pairs(t) do t[k]=nil t[k+1000]=1 end`, "instructions"},
	{"next of an emptied table", `local t={} for i=1,20000 do t["k"..i]=1 end for i=1,20000 do t["k"..i]=nil end while true do next(t) end`, "instructions"},
	{"print", `while true do print(("x"):rep(1000)) end`, "instructions"},
	{"compare long strings", `local a, b = ("x"):rep(1000000).."a", ("x"):rep(1000000).."b" while true do local c = a < b end`, "instructions"},
	{"equal long strings", `local a, b = ("x"):rep(1000000).."a", ("x"):rep(1000000).."b" while true do local c = a == b end`, "instructions"},
	{"long strings as keys", `local t, s = {}, ("x"):rep(1000000) while true do local c = t[s] end`, "instructions"},
	{"long strings as numbers", `local s = ("0"):rep(100000).."1" while true do local c = s + 1 end`, "instructions"},
	{"sparse tables", `while true do local t = {} t[1023] = 1 end`, "instructions"},
	{"sparse tables kept", `local all = {} for i = 1, 1e9 do local t = {} t[1023] = 1 all[i] = t end`, "instructions"},
}

// maxBurn is what a bomb may take in the worst of them, those that fill the memory:
// the budget of 500,000 instructions is 12 ms of ordinary ones.
const maxBurn = 200 * time.Millisecond

func manyNames(prefix string, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString(prefix + strings.Repeat("x", i%20) + string(rune('a'+i/20)))
	}
	return b.String()
}

// TestBombs runs each as a handler: it ends soon, for the expected reason, and the
// next packet is handled, by the same state or, if it is broken, by a fresh one.
func TestBombs(t *testing.T) {
	for _, b := range bombs {
		t.Run(b.name, func(t *testing.T) { explode(t, b) })
	}
}

func loadBomb(t *testing.T, b bomb) (*State, *lua.LFunction, *lua.LFunction) {
	t.Helper()
	body := strings.ReplaceAll(b.body, "DEEP", "200000")
	c, err := Compile("bomb.lua", "function handler() "+body+"\nend function next_packet(x) return x + 1 end", Limits{})
	if err != nil {
		t.Fatal(err)
	}
	s := newState(t, Options{})
	t.Cleanup(s.Close)
	if _, err := s.Run(c); err != nil {
		t.Fatal(err)
	}
	return s, s.L().GetGlobal("handler").(*lua.LFunction), s.L().GetGlobal("next_packet").(*lua.LFunction)
}

func explode(t *testing.T, b bomb) {
	s, handler, next := loadBomb(t, b)
	stop := watchHeap()
	start := time.Now()
	_, err := s.Call(handler)
	took := time.Since(start)
	grown := stop()
	reason := ""
	var e *Error
	if errors.As(err, &e) {
		reason = e.Reason.String()
		if len(e.Message) > maxErrorText+10 {
			t.Errorf("the message is %d bytes long", len(e.Message))
		}
	}
	if reason != b.want {
		t.Errorf("reason %q, want %q: %v", reason, b.want, err)
	}
	for range 4 { // the machine may be busy; BenchmarkBombs says what it takes
		if took <= maxBurn {
			break
		}
		s, handler, _ := loadBomb(t, b)
		start := time.Now()
		_, _ = s.Call(handler)
		took = min(took, time.Since(start))
	}
	if took > maxBurn {
		t.Errorf("took %v, more than %v", took, maxBurn)
	}
	if grown > 2*64<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
	t.Logf("%-14s %8v %4d MiB %7d steps", reason, took.Round(10*time.Microsecond), grown>>20, s.m.used())
	if s.Broken() {
		if reason != "memory" {
			t.Error("the state is broken")
		}
		s, _, next = loadBomb(t, b)
	}
	if r, err := s.Call(next, lua.LNumber(1)); err != nil || r[0] != lua.LNumber(2) {
		t.Errorf("the next packet: %v, %v", r, err)
	}
	if top := s.L().GetTop(); top != 0 {
		t.Errorf("%d values left on the stack", top)
	}
}

// watchHeap samples the heap until stop, which is by how much it grew at most.
func watchHeap() (stop func() uint64) {
	base := new(State).heapBytes()
	var peak atomic.Uint64
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			if h := new(State).heapBytes(); h > peak.Load() {
				peak.Store(h)
			}
			select {
			case <-quit:
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	}()
	return func() uint64 {
		close(quit)
		<-done
		return max(peak.Load(), base) - base
	}
}
