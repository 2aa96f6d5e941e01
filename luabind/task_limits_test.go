package luabind_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/luabind/vm"
)

// limited starts a script with these options.
func limited(t testing.TB, src string, opt luabind.Options) *lab {
	t.Helper()
	var l *lab
	opt.Log = func(_ luabind.Level, _, text string) { l.logs = append(l.logs, text) }
	s, err := luabind.LoadString("script1.lua", src, opt)
	if err != nil {
		t.Fatal(err)
	}
	l = new(lab)
	*l = *setup{programs: []engine.Program{s}}.start(t)
	return l
}

// A SYN flood meets the cap on tasks, which is counted, and not the end of the
// script: when its tasks have ended the server serves again.
func TestAFloodMeetsTheCap(t *testing.T) {
	src, err := os.ReadFile(filepath.Join("..", "..", "shared", "acceptance", "retransmit_server.lua"))
	if err != nil {
		t.Skip("no acceptance scripts beside the repository:", err)
	}
	l := limited(t, string(src), luabind.Options{Tasks: 100})
	l.eng.Observe(engine.ObserverFunc(l.observe), nil)
	knock := func(i int) {
		h := syn()
		h.Sport = uint16(1024 + i)
		l.put(build(t, ip4(), h))
	}
	for i := range 5000 {
		knock(i)
	}
	if got := len(l.got()); got != 100 {
		t.Errorf("%d SYN-ACKs, want those of 100 tasks", got)
	}
	if len(l.errs) != 4900 {
		t.Fatalf("%d errors, want 4900", len(l.errs))
	}
	const want = "script1.lua:3: spawn: 100 tasks are alive, and more may not be (limits: tasks): let some end"
	if err := l.errs[0]; err.Error() != want || !errors.Is(err, engine.ErrBusy) {
		t.Errorf("the error is %v", err)
	}
	st := l.eng.Stats()
	if h := st.Handlers[0]; h.Off || h.Failed != 4900 || st.Failures["tasks"] != 4900 {
		t.Errorf("counted %+v, %v", h, st.Failures)
	}
	l.advance(16 * time.Second) // 1 + 2 + 4 + 8, and they have given up
	if got := len(l.got()); got != 300 {
		t.Errorf("%d SYN-ACKs were sent again, want 300", got)
	}
	l.errs = nil
	knock(0)
	l.clean()
	if p := l.one(); !strings.Contains(p.String(), "Flags [SA]") {
		t.Errorf("answered %v", p)
	}
}

func TestTooManyTimers(t *testing.T) {
	l := limited(t, `
		on("udp", function(p) after(1, function() end) end)
		local e = every(1, function() end)
		on("tcp", function(p) e:cancel() e:cancel() end)
	`, luabind.Options{Timers: 10})
	put := func(n int) {
		for range n {
			l.put(build(t, ip4(), udp()))
		}
	}
	l.eng.Observe(engine.ObserverFunc(l.observe), nil)
	put(12)
	st := l.eng.Stats()
	if st.Failures["timers"] != 3 || st.Handlers[0].Off {
		t.Errorf("counted %v, %+v", st.Failures, st.Handlers[0])
	}
	l.advance(time.Second)
	l.put(build(t, ip4(), syn()))
	put(11)
	if n := l.eng.Stats().Failures["timers"]; n != 4 {
		t.Errorf("%d failures, want 4: the old timers have run, and one was cancelled", n)
	}
}

// A hundred thousand tasks sleep in less than 2 GB, and wake up.
func TestAHundredThousandTasks(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds and most of a gigabyte: leave -short out")
	}
	const n = 100_000
	before := heap()
	l := limited(t, fmt.Sprintf(`
		local awake = 0
		for i = 1, %d do
			spawn(function()
				sleep(1 + i %% 100)
				awake = awake + 1
			end)
		end
		after(200, function() log.info(awake) end)
	`, n), luabind.Options{Tasks: n, Limits: vm.Limits{Memory: 2 << 30}})
	used := heap() - before
	t.Logf("%d bytes a task, %d MB in all", used/n, used>>20)
	if used > 2_000_000_000 {
		t.Errorf("%d tasks take %d MB, want less than 2 GB", n, used/1_000_000)
	}
	l.advance(300 * time.Second)
	if got := l.said(); got != fmt.Sprint(n) {
		t.Errorf("%s woke up; %v", got, l.errs)
	}
	l.eng.Close()
	runtime.KeepAlive(l)
}

func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}

// What tasks keep of packets counts against the memory of the script.
func TestHoardedPacketsCount(t *testing.T) {
	l := limited(t, `
		local hoard = {}
		spawn(function() while true do hoard[#hoard + 1] = recv("udp") end end)
	`, luabind.Options{Limits: vm.Limits{Memory: 8 << 20}})
	l.eng.Observe(engine.ObserverFunc(l.observe), nil)
	for range 20_000 {
		l.put(build(t, ip4(), udp(), packet.Payload("x")))
		if len(l.errs) > 0 {
			break
		}
	}
	if got := l.fails(); !strings.Contains(got, "more than its 8 MiB (limits: memory)") {
		t.Errorf("the error is %s", got)
	}
}
