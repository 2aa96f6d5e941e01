package reload_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/internal/reload"
	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/tundev"
)

// A mill is an engine that runs a script from a file and is asked all the time.
type mill struct {
	path    string
	eng     *engine.Engine
	scripts *reload.Scripts
	answers atomic.Int64
	tos     atomic.Int64 // of the last answer, by which scripts tell who they are
	slowest atomic.Int64 // ns
}

// grist is the script that runs at first.
const grist = `n = 0
on("udp", function(p) n = n + 1; local r = p:reply(); r.ip.tos = 4; return r end)`

// newMill has its script in a folder, with a module beside it.
func newMill(t *testing.T, source string) *mill {
	t.Helper()
	m := &mill{path: filepath.Join(t.TempDir(), "mill.lua")}
	write(t, m.path, source)
	load := func(int) (engine.Program, error) {
		if err := reload.Again(m.path); err != nil {
			return nil, err
		}
		return luabind.Load(m.path, luabind.Options{Name: "mill"})
	}
	first, err := load(0)
	if err != nil {
		t.Fatal(err)
	}
	dev, wire := tundev.Pipe(tundev.Config{Name: "tun0"})
	if m.eng, err = engine.New(engine.Config{
		Devices:  []engine.DeviceConfig{{Device: dev}},
		Programs: []engine.ProgramConfig{{Program: first}},
	}); err != nil {
		t.Fatal(err)
	}
	m.scripts = reload.New(m.eng, []engine.Program{first}, load)
	ctx, stop := context.WithCancel(context.Background())
	ran, asked := make(chan error, 1), make(chan error, 1)
	go func() { ran <- m.eng.Run(ctx) }()
	go func() { asked <- m.ask(ctx, wire) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ran, <-asked); err != nil {
			t.Error(err)
		}
	})
	m.answered(t)
	return m
}

// ask sends a datagram each time that the one before is answered.
func (m *mill) ask(ctx context.Context, wire *tundev.Wire) error {
	p, err := packet.Build(packet.IPv4{Src: host, Dst: peer}, packet.UDP{Sport: 4000, Dport: 7})
	if err != nil {
		return err
	}
	b := make([]byte, 2048)
	for ctx.Err() == nil {
		began := time.Now()
		if _, err := wire.Write(p.Bytes()); err != nil {
			return nil // the run has ended
		}
		if _, err := wire.Read(b); err != nil {
			return nil
		}
		m.slowest.Store(max(m.slowest.Load(), int64(time.Since(began))))
		m.tos.Store(int64(b[1]))
		m.answers.Add(1)
		time.Sleep(50 * time.Microsecond)
	}
	return nil
}

// answered waits until packets that came from now on are answered, and returns by whom.
func (m *mill) answered(t *testing.T) (tos int64) {
	t.Helper()
	n := m.answers.Load()
	for until := time.Now().Add(20 * time.Second); m.answers.Load() < n+2; time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("no packet is answered any more")
		}
	}
	return m.tos.Load()
}

// reload is how that ends, and how long it takes.
func (m *mill) reload() (error, time.Duration) {
	began := time.Now()
	_, err := m.scripts.All()
	return err, time.Since(began)
}

// counted is how many packets the script that runs has seen.
func (m *mill) counted(t *testing.T) (n int) {
	t.Helper()
	p, err := m.scripts.Program("mill")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Sscan(counted(t, m.eng, p), &n)
	return n
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// held is what the process holds.
func held() uint64 {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// randomBytes are none that a test chose, and the same each time.
func randomBytes(n int) string {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

// bad are scripts that do not come to run, and what is said about them.
var bad = []struct{ name, source, want string }{
	{"loops at load", "while true do end", "mill.lua:1: used up its 50000000 instructions"},
	{"loops in pcall", "\nwhile true do pcall(function() while true do end end) end", "mill.lua:2: used up its"},
	{"fills the memory", "local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1e5) .. i end", "limits: memory"},
	{"doubles a string", "local s = 'x' while true do s = s .. s end", "limits: string"},
	{"calls itself", "local function f() return 1 + f() end f()", "mill.lua:1: stack overflow"},
	{"makes coroutines", "local t = {} for i = 1, 1e9 do t[i] = coroutine.create(function() end) end", "limits: coroutines"},
	{"matches for ever", "while true do (('a'):rep(220)):find(('.-'):rep(4) .. 'b') end", "instructions"},
	{"compiles for ever", "while true do loadstring(('x = 1 '):rep(1e4)) end", "instructions"},
	{"has 10,000 handlers", "for i = 1, 10000 do on('udp port ' .. i, function() end) end", "mill.lua:1:21: on: 4000 handlers stand"},
	{"has 100,000 timers", "for i = 1, 100000 do after(1, function() end) end", "limits: timers"},
	{"raises nil", "error()", "error raised without a value"},
	{"raises a table", "error({})", "error object is a table"},
	{"raises what is endless to say", "error(setmetatable({}, { __tostring = function() while true do end end }))", "instructions"},
	{"raises a megabyte", "error(('x'):rep(1e6))", "xxxx"},
	{"requires itself", "require 'mill'", "mill.lua:1:10: require \"mill\": there is no"},
	{"requires what requires it", "require 'one'", "two.lua:1: loop or previous error loading module 'one'"},
	{"requires what is not there", "require 'nowhere'", "mill.lua:1:10: require \"nowhere\": there is no"},
	{"requires that for ever", "while true do pcall(require, 'nowhere') end", "instructions"},
	{"requires random bytes for ever", "while true do pcall(require, 'noise') end", "instructions"},
	{"requires much", "while true do pcall(require, 'much') end", "instructions"},
	{"requires the way up", "require '../../etc/passwd'", "mill.lua:1:10: require"},
	{"is 10 MB of nothing", strings.Repeat("-- nothing\n", 1<<20), "limits: source"},
	{"is 10 MB of code", strings.Repeat("x = 1\n", 10<<20/6), "limits: source"},
	{"is a quarter of a megabyte of brackets", strings.Repeat("(", 256<<10), "more than 200"},
	{"is 200,000 bytes of names", "local a = " + strings.Repeat("a.", 100_000) + "a", ""},
	{"is random bytes", randomBytes(100_000), "mill.lua:"},
	{"is zeros", strings.Repeat("\x00", 100_000), "mill.lua:1"},
	{"is bytecode", "\x1bLua\x51\x00\x01\x04\x08\x04\x08\x00junk", "compiled Lua does not load"},
	{"ends in the middle", grist[:len(grist)-12], "mill.lua:2"},
}

// A file that holds anything but a script that loads is an error at its place, within the
// time that a budget is worth, and what ran before goes on to answer, with its variables;
// and nothing is held for it.
func TestHostileScripts(t *testing.T) {
	m := newMill(t, grist)
	beside := func(name, source string) { write(t, filepath.Join(filepath.Dir(m.path), name), source) }
	beside("one.lua", "require 'two'")
	beside("two.lua", "require 'one'")
	beside("noise.lua", randomBytes(100_000))
	beside("much.lua", strings.Repeat("x = 1\n", 40_000)+"error()")
	before := held()
	for _, b := range bad {
		write(t, m.path, b.source)
		seen := m.counted(t)
		err, took := m.reload()
		switch {
		case err == nil:
			t.Fatalf("%s: no error", b.name)
		case !strings.Contains(err.Error(), b.want) || len(err.Error()) > 8<<10:
			t.Errorf("%s: %.300v, want %q", b.name, err, b.want)
		}
		if took > 20*time.Second {
			t.Errorf("%s: took %v", b.name, took)
		}
		if tos, now := m.answered(t), m.counted(t); tos != 4 || now <= seen {
			t.Fatalf("%s: afterwards %d answers, and there were %d before; tos %d", b.name, now, seen, tos)
		}
		t.Logf("%-40s %9v %.70v", b.name, took.Round(100*time.Microsecond), err)
	}
	after := held()
	t.Logf("%d answers, the slowest after %v; heap %d KiB, then %d", m.answers.Load(), time.Duration(m.slowest.Load()), before>>10, after>>10)
	if after > before+4<<20 {
		t.Errorf("the heap has grown from %d to %d bytes", before, after)
	}
	write(t, m.path, strings.Replace(grist, "tos = 4", "tos = 8", 1))
	if err, _ := m.reload(); err != nil {
		t.Fatal(err)
	}
	if tos := m.answered(t); tos != 8 {
		t.Errorf("mended: tos %d", tos)
	}
}

// A file that goes, comes, is a folder or nobody's to read while reloads go on: each of
// them is the script before, or the one after.
func TestHostileFiles(t *testing.T) {
	m := newMill(t, grist)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			os.Remove(m.path)
			if i%2 == 0 {
				os.Mkdir(m.path, 0o700)
				time.Sleep(300 * time.Microsecond)
				os.Remove(m.path)
			}
			time.Sleep(300 * time.Microsecond)
			os.WriteFile(m.path+"~", []byte(grist), 0o600)
			os.Rename(m.path+"~", m.path)
			time.Sleep(time.Millisecond)
		}
	}()
	good, failed := 0, 0
	for until := time.Now().Add(20 * time.Second); good < 100 || failed < 100; {
		if time.Now().After(until) {
			t.Fatalf("%d reloads, %d errors: the test has tried less than it says", good, failed)
		}
		if err, _ := m.reload(); err != nil {
			failed++
		} else {
			good++
		}
	}
	close(stop)
	<-done
	t.Logf("%d reloads, %d errors", good, failed)
	if tos := m.answered(t); tos != 4 {
		t.Errorf("tos %d", tos)
	}
	os.RemoveAll(m.path)
	err, _ := m.reload()
	var pe *os.PathError
	if !errors.As(err, &pe) || !strings.Contains(err.Error(), "check the path") {
		t.Errorf("a script that is gone: %v", err)
	}
	m.answered(t)
}

// What a script does when it goes and when it comes is bounded, too: the exchange is done,
// and who comes next answers.
func TestHostileExchange(t *testing.T) {
	for _, body := range []string{
		"on_stop(function() while true do end end)",
		"on_stop(function() local t = {} while true do t[#t + 1] = {} end end)",
		"on_stop(function() local t = {} t.t = t return t end)",
		"on_stop(function() local t = {} for i = 1, 10000 do t = { t } end return t end)",
		"on_stop(function() return setmetatable({}, { __index = error, __pairs = error }) end)",
		"on_stop(function() return print end)",
		"on_stop(function() error({}) end)",
		"on_stop(function() sleep(1) end)",
		"on_stop(function() spawn(function() sleep(1e6) end) after(0, print) on('tcp', print) end)",
		"on_reload(function(v) while true do end end)",
		"on_reload(function(v) error(v) end)",
		"on_start(function() while true do end end)",
		"spawn(function() while true do end end)",
		"spawn(function() while true do sleep(0) end end)",
		"after(0, function() while true do end end)",
		"every(1e-9, function() end)",
	} {
		m := newMill(t, grist)
		for _, source := range []string{grist + "\n" + body, grist} {
			write(t, m.path, source)
			err, took := m.reload()
			if err != nil || took > 10*time.Second {
				t.Errorf("%s: %v after %v", body, err, took)
			}
			if tos := m.answered(t); tos != 4 {
				t.Errorf("%s: tos %d", body, tos)
			}
		}
		m.eng.Close()
	}
}

// 200 reloads in a row, and nothing is left of those that went.
func TestManyReloads(t *testing.T) {
	m := newMill(t, grist)
	var before uint64
	goroutines := 0
	for i := range 220 {
		write(t, m.path, strings.Replace(grist, "tos = 4", fmt.Sprint("tos = ", 4*(i%60)), 1)+`
			big = ("x"):rep(1e6)
			on("tcp", function(p) p.flow.x = big end)
			every(0.01, function() end)
			spawn(function() local box = inbox("udp port 9") while true do box:recv() end end)
			on_stop(function() return { n } end)
			on_reload(function(t) n = t and t[1] or 0 end)`)
		if err, _ := m.reload(); err != nil {
			t.Fatal(err)
		}
		if tos := m.answered(t); tos != int64(4*(i%60)) {
			t.Errorf("reload %d: tos %d", i, tos)
		}
		if i == 19 {
			before, goroutines = held(), runtime.NumGoroutine()
		}
	}
	after := held()
	t.Logf("%d answers, the slowest after %v; heap %d KiB, then %d", m.answers.Load(), time.Duration(m.slowest.Load()), before>>10, after>>10)
	if after > before+4<<20 || runtime.NumGoroutine() > goroutines {
		t.Errorf("heap from %d to %d bytes, goroutines from %d to %d", before, after, goroutines, runtime.NumGoroutine())
	}
	if n := m.counted(t); int64(n) < m.answers.Load()-20 {
		t.Errorf("the count handed on is %d of %d", n, m.answers.Load())
	}
}
