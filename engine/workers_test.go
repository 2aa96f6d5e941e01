package engine_test

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev"
)

// crew is a bench whose devices have as many queues as it has workers, or tun1 fewer.
func crew(t testing.TB, workers, queues int, programs ...engine.Program) *bench {
	t.Helper()
	return newCrew(t, workers, queues, engine.Polite, programs...)
}

func newCrew(t testing.TB, workers, queues int, wait engine.Wait, programs ...engine.Program) *bench {
	t.Helper()
	var wires [2]*tundev.Wire
	b := newBench(t, func(c *engine.Config) {
		c.Workers, c.Wait = workers, wait
		for i, n := range []int{workers, queues} {
			dev, wire := tundev.Pipe(tundev.Config{Name: fmt.Sprint("tun", i), Peer: []netip.Addr{peer}, Queues: n})
			c.Devices[i].Device, wires[i] = dev, wire
		}
	}, programs...)
	b.wire = wires
	return b
}

// window is how many packets are on their way at once in a test that wants none lost: fewer
// than any ring holds.
const window = 200

// exchange sends n datagrams to tun0, of as many flows as there are ports, and counts what
// comes out of tun1, by payload.
func (b *bench) exchange(n, ports int) map[string]int {
	b.t.Helper()
	room := make(chan struct{}, window)
	got := map[string]int{}
	var wg sync.WaitGroup
	wg.Go(func() {
		buf := make([]byte, 2048)
		for range n {
			k, err := b.wire[1].Read(buf)
			if err != nil {
				return
			}
			p, _ := packet.Parse(buf[:k], packet.IP)
			got[string(p.Payload())]++
			<-room
		}
	})
	for i := range n {
		select {
		case room <- struct{}{}:
		case <-time.After(10 * time.Second):
			b.t.Errorf("after %d packets nothing comes out: %+v", i, b.Stats())
			b.stop()
			wg.Wait()
			return got
		}
		b.give(udp(b.t, uint16(1000+i%ports), fmt.Sprint(i)))
	}
	wg.Wait()
	return got
}

// once reports what was not there exactly once.
func once(t *testing.T, got map[string]int, n int) {
	t.Helper()
	for i := range n {
		if k := got[fmt.Sprint(i)]; k != 1 {
			t.Fatalf("packet %d came out %d times", i, k)
		}
	}
}

// Every packet comes out once, whichever worker read it and whichever has the queue to
// write it, while the program is exchanged in all of them.
func TestSeveralWorkersHandleEachPacketOnce(t *testing.T) {
	for _, queues := range []int{4, 2, 1} {
		t.Run(fmt.Sprintf("out by %d queues", queues), func(t *testing.T) {
			var handled [5]atomic.Uint64
			program := func() engine.Program {
				return on(func(s *engine.Scope, _ *packet.Packet) engine.Verdict {
					handled[s.Worker()].Add(1)
					return engine.Pass()
				})
			}
			current := program()
			b := crew(t, 4, queues, current).run()
			ended := make(chan struct{})
			swaps := 0
			var wg sync.WaitGroup
			wg.Go(func() {
				for {
					select {
					case <-ended:
						return
					default:
					}
					next := program()
					if err := b.Swap(current, next); err != nil {
						t.Error(err)
						return
					}
					current = next
					swaps++
				}
			})
			const n = 20_000
			got := b.exchange(n, 64)
			close(ended)
			wg.Wait()
			if err := b.end(); err != nil {
				t.Error(err)
			}
			once(t, got, n)
			for i := range 4 {
				if handled[i+1].Load() == 0 {
					t.Errorf("worker %d had nothing to do", i+1)
				}
			}
			s := b.Stats()
			if s.Devices["tun0"].Received != n || s.Devices["tun1"].Sent != n || s.Verdicts["pass"] != n || len(s.Reasons) > 0 {
				t.Errorf("counted %+v, %v, %v", s.Devices, s.Verdicts, s.Reasons)
			}
			if swaps == 0 {
				t.Error("nothing was exchanged")
			}
		})
	}
}

// A program that does not start in one worker has started in none.
func TestAStartThatFailsInOneWorker(t *testing.T) {
	picky := engine.ProgramFunc("picky", func(s *engine.Scope) error {
		s.OnEnd(func() {})
		if s.Worker() == 3 {
			return errNotStarted
		}
		s.Started(func() { t.Error("it took effect") })
		return nil
	})
	if err := crew(t, 4, 4, picky).run().end(); !errors.Is(err, errNotStarted) {
		t.Errorf("Run returns %v", err)
	}
	old := handler("old", engine.Handler{Run: say("!")})
	b := crew(t, 4, 4, old).run()
	b.exchange(1, 1)
	if err := b.Swap(old, picky); !errors.Is(err, errNotStarted) {
		t.Errorf("Swap returns %v", err)
	}
	if err := b.Add(picky); !errors.Is(err, errNotStarted) {
		t.Errorf("Add returns %v", err)
	}
	if got := b.exchange(8, 8); got["7!"] != 1 {
		t.Errorf("the old one does not go on: %v", got)
	}
	if err := b.end(); err != nil {
		t.Error(err)
	}
}

// Each worker has an instance of its own, which draws numbers of its own, and all of them
// have one dictionary. Whoever stops, stops all.
func TestInstancesOfAProgram(t *testing.T) {
	var mu sync.Mutex
	drawn := map[uint64]int{}
	b := crew(t, 4, 4, engine.ProgramFunc("p", func(s *engine.Scope) error {
		mu.Lock()
		drawn[s.Rand().Uint64()] = s.Worker()
		mu.Unlock()
		seen, err := s.Shared("seen")
		if err != nil {
			return err
		}
		if s.Worker() == 2 {
			if _, err := s.Handle(engine.Handler{Name: "second", Run: func(*packet.Packet) engine.Verdict { return engine.Pass() }}); err != nil {
				return err
			}
		}
		_, err = s.Handle(engine.Handler{Name: "all", Run: func(p *packet.Packet) engine.Verdict {
			if n, _ := seen.Incr(s.Now(), "n", 1); n == 100 {
				s.Stop(7)
			}
			return engine.Pass()
		}})
		return err
	})).run()
	for i := range 100 {
		b.give(udp(t, uint16(i), "x"))
	}
	var exit *engine.ExitError
	if err := <-b.done; !errors.As(err, &exit) || exit.Status != 7 {
		t.Errorf("Run returns %v", err)
	}
	if len(drawn) != 4 {
		t.Errorf("the workers drew %v", drawn)
	}
	s := b.Stats()
	var names []string
	for _, h := range s.Handlers {
		names = append(names, fmt.Sprint(h.Name, " ", h.Packets))
	}
	if len(names) != 2 || names[0] != "all 100" || !strings.HasPrefix(names[1], "second ") {
		t.Errorf("handlers: %q", names)
	}
}

// A state that is broken is one worker's: only that one is started anew.
func TestARestartInOneWorker(t *testing.T) {
	var starts [5]atomic.Int32
	b := crew(t, 4, 4, engine.ProgramFunc("p", func(s *engine.Scope) error {
		starts[s.Worker()].Add(1)
		broken := false
		_, err := s.Handle(engine.Handler{Run: func(p *packet.Packet) engine.Verdict {
			if s.Worker() == 2 && !broken && starts[2].Load() == 1 {
				broken = true
				s.Restart()
			}
			return engine.Pass()
		}})
		return err
	})).run()
	once(t, b.exchange(500, 64), 500)
	if err := b.end(); err != nil {
		t.Error(err)
	}
	for i, want := range []int32{1, 2, 1, 1} {
		if got := starts[i+1].Load(); got != want {
			t.Errorf("worker %d was started %d times, want %d", i+1, got, want)
		}
	}
}

// Prompt workers of one engine leave the rest of the process a place to run on, also where
// there are fewer than workers; and what they hand over is not held up.
func TestPromptWorkersLeaveAPlace(t *testing.T) {
	for _, procs := range []int{1, 2, 5} {
		before := runtime.GOMAXPROCS(procs)
		b := newCrew(t, 4, 1, engine.Prompt).run()
		worst := time.Duration(0)
		for range 10 {
			once(t, b.exchange(100, 32), 100) // prompt for a second from here
			start := time.Now()
			runtime.GC()
			worst = max(worst, time.Since(start))
		}
		if err := b.end(); err != nil {
			t.Error(err)
		}
		runtime.GOMAXPROCS(before)
		if worst > 2*time.Second {
			t.Errorf("GOMAXPROCS %d: a collection took %v", procs, worst)
		}
		t.Logf("GOMAXPROCS %d: the slowest of 10 collections took %v", procs, worst)
	}
}

// Posts come to the worker that they are for; what has a worker of its own says which.
func TestPostsToEachWorker(t *testing.T) {
	scopes := make(chan *engine.Scope, 4)
	b := crew(t, 4, 1, engine.ProgramFunc("p", func(s *engine.Scope) error {
		scopes <- s
		return nil
	})).run()
	came := make(chan int, 4)
	for range 4 {
		s := <-scopes
		for s.Post(func() { came <- s.Worker() }) != nil {
			time.Sleep(time.Millisecond)
		}
	}
	sum := 0
	within(t, 10*time.Second, "the posts", func() {
		for range 4 {
			sum += <-came
		}
	})
	if sum != 1+2+3+4 {
		t.Errorf("they came to workers that add up to %d", sum)
	}
	if err := b.end(); err != nil {
		t.Error(err)
	}
}

// When all devices have come to their end the run has, and what was read by then is out.
func TestSeveralWorkersComeToTheEnd(t *testing.T) {
	for range 20 {
		b := crew(t, 4, 1).run()
		const n = 300
		for i := range n {
			b.give(udp(t, uint16(i), fmt.Sprint(i)))
		}
		b.wire[0].Close()
		got := map[string]int{}
		buf := make([]byte, 2048)
		for range n {
			k, err := b.wire[1].Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			p, _ := packet.Parse(buf[:k], packet.IP)
			got[string(p.Payload())]++
		}
		once(t, got, n)
		b.wire[1].Close()
		within(t, 10*time.Second, "the end", func() {
			if err := <-b.done; err != nil {
				t.Error(err)
			}
		})
	}
}

// A device that is lost is lost to every worker, and comes back to every one.
func TestALostDeviceOfSeveralWorkers(t *testing.T) {
	b := crew(t, 4, 4).run()
	var back atomic.Int32
	b.Observe(engine.ObserverFunc(func(e *engine.Event) {
		if e.Kind == engine.Back {
			back.Add(1)
		}
	}), nil)
	for i := range 5 {
		b.wire[1].Lose()
		b.wire[0].Lose()
		for s := b.Stats(); s.Devices["tun0"].Gone+s.Devices["tun1"].Gone < 2*uint64(i+1); s = b.Stats() {
			time.Sleep(time.Millisecond)
		}
		b.wire[0].Restore()
		b.wire[1].Restore()
		for int(back.Load()) < 2*(i+1) {
			time.Sleep(time.Millisecond)
		}
		once(t, b.exchange(100, 32), 100)
	}
	if err := b.end(); err != nil {
		t.Error(err)
	}
}

func TestWhatWorkersCannotBe(t *testing.T) {
	dev, _ := tundev.Pipe(tundev.Config{Name: "tun0", Queues: 3})
	devices := []engine.DeviceConfig{{Device: dev}}
	for _, c := range []struct {
		c    engine.Config
		want string
	}{
		{engine.Config{Workers: -1}, "workers: -1 is out of range"},
		{engine.Config{Workers: 257}, "workers: 257 is out of range, 1 to 256"},
		{engine.Config{Workers: 2, Clock: engine.Virtual(time.Time{})}, "workers: a virtual clock takes one worker"},
		{engine.Config{Workers: 2, Devices: devices}, "device tun0: it has 3 queues and the engine 2 workers"},
	} {
		_, err := engine.New(c.c)
		var ce *engine.ConfigError
		if !errors.As(err, &ce) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("New returns %v, want a *ConfigError: %s", err, c.want)
		}
	}
	eng, err := engine.New(engine.Config{Workers: 3, Devices: devices}) // which none of these has taken
	if err != nil {
		t.Fatal(err)
	}
	eng.Close()
}
