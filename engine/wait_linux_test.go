package engine_test

import (
	"os"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
)

// socket is a device over one end of a datagram socket pair: a real descriptor.
type socket struct {
	*memory
	far int
}

func newSocket(t testing.TB, name string) *socket {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := &socket{newMemory(name), fds[1]}
	s.fd = fds[0]
	t.Cleanup(s.shut)
	return s
}

// shut closes both ends, once.
func (s *socket) shut() {
	if s.far >= 0 {
		unix.Close(s.fd)
		unix.Close(s.far)
		s.far = -1
	}
}

func (s *socket) Attach(env engine.Env) ([]engine.Queue, error) {
	if _, err := s.memory.Attach(env); err != nil {
		return nil, err
	}
	return []engine.Queue{socketQueue{memoryQueue{s.memory}}}, nil
}

type socketQueue struct{ memoryQueue }

func (q socketQueue) Read(ps []*packet.Packet, pool *packet.Pool) (n int, err error) {
	var b [2048]byte
	for n < len(ps) {
		k, err := unix.Read(q.fd, b[:])
		if err == unix.EAGAIN {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		ps[n] = pool.Get(k)
		if err := ps[n].Set(b[:k], packet.IP); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func (q socketQueue) Write(ps []*packet.Packet, lost func(*packet.Packet, engine.Reason)) error {
	for _, p := range ps {
		if _, err := unix.Write(q.fd, p.Bytes()); err != nil {
			lost(p, engine.ReasonFull)
		}
	}
	return nil
}

// send puts a packet on the far end.
func (s *socket) send(t testing.TB, p *packet.Packet) {
	if _, err := unix.Write(s.far, p.Bytes()); err != nil {
		t.Fatal(err)
	}
}

// receive waits for one at the far end.
func (s *socket) receive(t testing.TB) {
	t.Helper()
	var b [2048]byte
	fds := []unix.PollFd{{Fd: int32(s.far), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(fds, 5000)
		if err == unix.EINTR {
			continue
		}
		if n != 1 || err != nil {
			t.Fatalf("no answer within 5 s (%v)", err)
		}
		break
	}
	if _, err := unix.Read(s.far, b[:]); err != nil {
		t.Fatal(err)
	}
}

// echoes is an engine over a socket that answers everything.
func echoes(t testing.TB, c engine.Config, more ...*memory) (*engine.Engine, *socket) {
	t.Helper()
	s := newSocket(t, "sock0")
	c.Devices = append(c.Devices, engine.DeviceConfig{Device: s, Forward: "sock0"})
	return made(t, c, "", more...), s
}

// A device that only wakes and is never idle does not keep one with a descriptor
// from being looked at.
func TestABusyDeviceStarvesNoOther(t *testing.T) {
	for _, wish := range []engine.Wait{engine.Polite, engine.Prompt} {
		busy := newMemory("mem0")
		frame, asked := text(t, "again"), text(t, "again") // one a goroutine: Bytes finishes a packet
		eng, sock := echoes(t, engine.Config{Wait: wish, Programs: []engine.ProgramConfig{{
			Program: on(func(_ *engine.Scope, p *packet.Packet) engine.Verdict {
				if p.In.Name == "mem0" {
					busy.give(frame)
					return engine.Drop("")
				}
				return engine.Pass()
			})}}}, busy)
		busy.give(frame)
		wait := ran(t, eng)
		for range 20 {
			sock.send(t, asked)
			sock.receive(t)
		}
		eng.Close()
		wait()
	}
}

func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// An engine with nothing to do does nothing, prompt or not, with descriptors,
// without, and behind a device that has ended.
func TestAnIdleEngineCostsNothing(t *testing.T) {
	for _, wish := range []engine.Wait{engine.Polite, engine.Prompt} {
		ended := newMemory("mem0")
		ended.ended = true
		eng, _ := echoes(t, engine.Config{Wait: wish}, ended)
		wait := ran(t, eng)
		time.Sleep(20 * time.Millisecond)
		before := cpu()
		time.Sleep(500 * time.Millisecond)
		if spent := cpu() - before; spent > 60*time.Millisecond {
			t.Errorf("wait %d: %v of CPU in half a second of idleness", wish, spent)
		}
		eng.Close()
		wait()
	}
}

// A queue without a descriptor is never missed, whoever wakes it and whenever.
func TestNoWakeIsMissed(t *testing.T) {
	for _, wish := range []engine.Wait{engine.Polite, engine.Prompt} {
		dev := newMemory("mem0")
		eng := made(t, engine.Config{Wait: wish}, "mem0", dev)
		wait := ran(t, eng)
		const each = 5000
		var wg sync.WaitGroup
		for range 4 {
			p := text(t, "x")
			wg.Go(func() {
				for i := range each {
					dev.give(p)
					if i%7 == 0 {
						runtime.Gosched()
					}
				}
			})
		}
		wg.Wait()
		deadline := time.Now().Add(5 * time.Second)
		for len(dev.got()) < 4*each {
			if time.Now().After(deadline) {
				t.Fatalf("wait %d: %d of %d packets after 5 s", wish, len(dev.got()), 4*each)
			}
			time.Sleep(time.Millisecond)
		}
		eng.Close()
		wait()
	}
}

// Several prompt engines hold no stop of the world up: they cannot all wait raw.
func TestPromptEnginesLetTheCollectorRun(t *testing.T) {
	for _, procs := range []int{1, 2} {
		before := runtime.GOMAXPROCS(procs)
		var ends []func()
		for range 4 {
			eng, sock := echoes(t, engine.Config{Wait: engine.Prompt})
			wait := ran(t, eng)
			sock.send(t, text(t, "x")) // it is prompt for a second from here
			sock.receive(t)
			ends = append(ends, func() { eng.Close(); wait() })
		}
		var worst time.Duration
		for range 20 {
			start := time.Now()
			runtime.GC()
			worst = max(worst, time.Since(start))
		}
		if worst > 500*time.Millisecond {
			t.Errorf("GOMAXPROCS %d: a collection took %v", procs, worst)
		}
		t.Logf("GOMAXPROCS %d: the slowest of 20 collections took %v", procs, worst)
		for _, end := range ends {
			end()
		}
		runtime.GOMAXPROCS(before)
	}
}

// Timers are not rounded to milliseconds, and an every that is late comes once.
func TestTimersOnTheSystemsClock(t *testing.T) {
	var late []time.Duration
	ticks := 0
	done := make(chan struct{})
	eng, _ := echoes(t, engine.Config{Programs: []engine.ProgramConfig{{Program: engine.ProgramFunc("p", func(s *engine.Scope) error {
		var next func(n int)
		next = func(n int) {
			due := time.Now().Add(300 * time.Microsecond)
			s.After(300*time.Microsecond, func() {
				if late = append(late, time.Since(due)); n < 50 {
					next(n + 1)
					return
				}
				every, _ := s.Every(10*time.Millisecond, func() { ticks++ })
				s.After(0, func() { time.Sleep(55 * time.Millisecond) }) // five periods go by
				s.After(57*time.Millisecond, func() { every.Cancel(); close(done) })
			})
		}
		s.Started(func() { next(1) })
		return nil
	})}}})
	wait := ran(t, eng)
	within(t, 10*time.Second, "the timers", func() { <-done })
	eng.Close()
	wait()
	if slices.Sort(late); late[len(late)/2] > 500*time.Microsecond {
		t.Errorf("timers of 0.3 ms come %v late at the median", late[len(late)/2])
	}
	t.Logf("timers of 0.3 ms come %v late at the median", late[len(late)/2])
	if ticks != 1 {
		t.Errorf("a call that was late by several periods came %d times, want once", ticks)
	}
}

// Engines leave no descriptor and no goroutine, also when New fails half-way.
func TestManyEnginesLeaveNothing(t *testing.T) {
	files := func() int {
		f, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("needs /proc: " + err.Error())
		}
		return len(f)
	}
	one := func() {
		eng := made(t, engine.Config{Wait: engine.Prompt}, "mem0", newMemory("mem0"))
		wait := ran(t, eng)
		eng.Close()
		wait()
	}
	one()
	f, g := files(), runtime.NumGoroutine()
	for range 300 {
		one()
		good, bad := newMemory("mem0"), newSocket(t, "sock0")
		if _, err := engine.New(engine.Config{
			Clock:   engine.Virtual(time.Unix(0, 0)),
			Devices: []engine.DeviceConfig{{Device: good}, {Device: bad}},
		}); err == nil || good.attached != 0 || bad.attached != 0 {
			t.Fatalf("New says %v, and holds %d and %d devices: want a refusal of the descriptor, and none", err, good.attached, bad.attached)
		}
		bad.shut()
	}
	for range 100 { // context.AfterFunc's goroutines have their own pace
		if runtime.NumGoroutine() <= g && files() <= f {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("goroutines %d -> %d, descriptors %d -> %d", g, runtime.NumGoroutine(), f, files())
}
