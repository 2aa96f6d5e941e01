package soak

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/internal/lab/labtest"
	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/tundev"
)

func TestMain(m *testing.M) { labtest.Main(m) }

// The scripts of the run. The first answers, and uses all that is kept for a while: flows,
// shared dictionaries, timers, tasks, inboxes.
var scripts = []struct{ name, source string }{
	{"good", `
		local n = 0
		on("udp dst port 7", function(p)
			n = n + 1
			p.flow.seen = (p.flow.seen or 0) + 1
			shared.soak:incr(p.ip.src)
			if n % 100 == 0 then
				local answer = p:reply()
				spawn(function()
					local box = inbox("udp dst port 7")
					sleep(0.005)
					box:recv(0.001)
					send(answer)
				end)
				return "drop", "answered later"
			end
			return p:reply()
		end)
		every(0.01, function() shared.soak:set("now", now(), 1) end)
		on_stop(function() return { n = n } end)
		on_reload(function(old) n = old and old.n or 0 end)`},
	{"failing", `
		local n = 0
		on{ "udp", prio = -5, on_error = "pass", run = function(p)
			n = n + 1
			if n % 11 == 0 then error("on purpose") end
		end }
		every(0.1, function() local t = nil; t.x = 1 end)`},
	{"hoarding", `
		local all = {}
		on{ "udp dst port 7", prio = -6, on_error = "pass", run = function(p) all[#all + 1] = p.payload:rep(100000) end }`},
	{"spinning", `
		every(0.2, function() while true do end end)
		on{ "udp[8] = 0xff", on_error = "pass", run = function(p) while true do end end }`},
}

// What somebody outside shoots at the scripts meanwhile: Lua that ends in an error, and
// scripts that do not load.
var (
	shots = []string{
		"while true do end", "local t = {} while true do t[#t + 1] = {} end", "('x'):rep(1e9)", "error({})",
		"local function f() return 1 + f() end f()", "for i = 1, 1e9 do spawn(function() sleep(0.01) end) end",
		"local p for i = 1, 1e9 do p = udp{ dport = 7 } end",
	}
	duds = []string{"on(", "error()", "local t = {} while true do t[#t + 1] = ('x'):rep(1e5) .. #t end", "for i = 1, 1e5 do on('udp port ' .. i, function() end) end"}
)

func TestSoak(t *testing.T) {
	labtest.Require(t)
	labtest.Need(t, "ip")
	length := 4 * time.Second
	if s := os.Getenv("TUNSCRIPT_SOAK"); s != "" {
		d, err := time.ParseDuration(s)
		if err != nil || d < time.Second {
			t.Fatalf("TUNSCRIPT_SOAK=%q: want a duration from 1s up, as 5m", s)
		}
		length = d
	}
	run := start(t)
	run.under(t, length/4) // everything has been made once
	before := run.held(t)
	run.under(t, length)
	after := run.held(t)
	run.end(t)

	st := run.eng.Stats()
	t.Logf("before %+v, after %+v; %d answers, %d swaps, %d losses of a device; errors %v", before, after, run.answers.Load(), run.swaps, run.losses, st.Failures)
	if after.goroutines != before.goroutines || after.fds != before.fds {
		t.Errorf("%d goroutines and %d descriptors, were %d and %d", after.goroutines, after.fds, before.goroutines, before.fds)
	}
	if most := before.heap + before.heap/4 + 4<<20; after.heap > most {
		t.Errorf("the heap has grown from %d to %d bytes", before.heap, after.heap)
	}
	for _, kind := range []string{"runtime", "memory", "instructions"} {
		if st.Failures[kind] == 0 {
			t.Errorf("no failure of the kind %q: the run has tried less than it says", kind)
		}
	}
	if run.answers.Load() < 1000 || run.swaps < 10 || run.losses < 2 {
		t.Error("the run has tried less than it says")
	}
}

// A soak is an engine under load.
type soak struct {
	eng      *engine.Engine
	programs []engine.Program
	done     chan error
	leaks    goleak.Option
	answers  atomic.Int64
	swaps    int
	losses   int
}

func start(t *testing.T) *soak {
	t.Helper()
	s := &soak{done: make(chan error, 1), leaks: goleak.IgnoreCurrent()}
	c := engine.Config{OnError: engine.OnErrorDrop, Log: slog.New(slog.DiscardHandler), Flows: 1000}
	for i, address := range []string{"192.0.2.1/24", "198.51.100.1/24"} {
		dev, err := tundev.Open(tundev.Config{
			Name: []string{"soak0", "soak1"}[i], Kind: tundev.TUN, Address: []netip.Prefix{netip.MustParsePrefix(address)},
		})
		if err != nil {
			t.Fatal(err)
		}
		c.Devices = append(c.Devices, engine.DeviceConfig{Device: dev})
	}
	for i := range scripts {
		p := load(t, i)
		s.programs = append(s.programs, p)
		c.Programs = append(c.Programs, engine.ProgramConfig{Program: p})
	}
	eng, err := engine.New(c)
	if err != nil {
		t.Fatal(err)
	}
	s.eng = eng
	go func() { s.done <- eng.Run(context.Background()) }()
	t.Cleanup(func() { eng.Close() })
	return s
}

func load(t *testing.T, i int) engine.Program {
	t.Helper()
	p, err := luabind.LoadString(scripts[i].name+".lua", scripts[i].source, luabind.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// under keeps the engine busy for d, and goes on when both devices are there.
func (s *soak) under(t *testing.T, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	var asking sync.WaitGroup
	for _, to := range []string{"192.0.2.2:7", "198.51.100.2:7"} {
		asking.Go(func() { s.ask(ctx, to) })
	}
	swap, lose := time.NewTicker(20*time.Millisecond), time.NewTicker(min(d/3, 2*time.Second))
	defer swap.Stop()
	defer lose.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-swap.C:
			s.swap(t, s.swaps%len(scripts))
			s.shoot(t, s.swaps)
		case <-lose.C:
			ip(t, "link", "set", "soak1", "down")
			ip(t, "link", "set", "soak1", "up")
			ip(t, "link", "del", "soak1")
			s.losses++
			back(t)
		}
	}
	asking.Wait()
	back(t)
}

// swap loads a script anew.
func (s *soak) swap(t *testing.T, i int) {
	t.Helper()
	next := load(t, i)
	if err := s.eng.Swap(s.programs[i], next); err != nil {
		t.Fatal(err)
	}
	s.programs[i] = next
	s.swaps++
}

// shoot tries one thing of each kind: it fails, and changes nothing.
func (s *soak) shoot(t *testing.T, n int) {
	t.Helper()
	e, err := luabind.NewEval(shots[n%len(shots)])
	if err != nil {
		t.Fatal(err)
	}
	doErr := s.eng.Do(1, s.programs[0], func(scope *engine.Scope) { _, err = e.Run(scope) })
	if doErr != nil || err == nil {
		t.Errorf("%s: %v, %v", shots[n%len(shots)], doErr, err)
	}
	dud, err := luabind.LoadString("dud.lua", duds[n%len(duds)], luabind.Options{})
	if err == nil {
		err = s.eng.Swap(s.programs[0], dud)
	}
	if err == nil {
		t.Fatalf("%s: no error", duds[n%len(duds)])
	}
}

func ip(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// back waits until the engine has made the lost device again.
func back(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		out, err := exec.Command("ip", "-br", "addr", "show", "soak1").CombinedOutput()
		if err == nil && strings.Contains(string(out), "198.51.100.1") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the device is not back after 20 s\n%s", out)
		}
	}
}

// ask sends datagrams from ever new ports, 64 at a time, and counts what comes back.
func (s *soak) ask(ctx context.Context, to string) {
	b := make([]byte, 1500)
	for ctx.Err() == nil {
		c, err := net.Dial("udp", to)
		if err != nil {
			time.Sleep(time.Millisecond) // the device is away, and with it the route
			continue
		}
		for range 50 {
			for i := range 64 {
				c.Write([]byte{byte(i * 4), 'x', 'y', 'z'}) // refused while the device is away
			}
			for range 64 {
				c.SetReadDeadline(time.Now().Add(time.Millisecond))
				if _, err := c.Read(b); err != nil {
					break
				}
				s.answers.Add(1)
			}
		}
		c.Close()
	}
}

// A holding is what the process has.
type holding struct {
	heap            uint64
	goroutines, fds int
}

// held is what the process has when the engine has nothing to do, and no script holds
// what it was given.
func (s *soak) held(t *testing.T) (h holding) {
	t.Helper()
	time.Sleep(500 * time.Millisecond) // what waits in the kernel, and tasks for some milliseconds
	for i := range scripts {
		s.swap(t, i)
	}
	c, err := net.Dial("udp", "192.0.2.2:9") // chains are made anew for the next packet
	if err != nil {
		t.Fatal(err)
	}
	c.Write([]byte("x"))
	c.Close()
	time.Sleep(100 * time.Millisecond)
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return holding{heap: m.HeapAlloc, goroutines: runtime.NumGoroutine(), fds: len(fds)}
}

// end stops the engine, after which nothing is left.
func (s *soak) end(t *testing.T) {
	t.Helper()
	if err := s.eng.Close(); err != nil {
		t.Error(err)
	}
	if err := <-s.done; err != nil {
		t.Error(err)
	}
	goleak.VerifyNone(t, s.leaks)
	for _, name := range []string{"soak0", "soak1"} {
		if exec.Command("ip", "link", "show", name).Run() == nil {
			t.Errorf("%s is still there", name)
		}
	}
}
