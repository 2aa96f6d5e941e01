package tundev_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/internal/lab"
	"github.com/tunscript/tunscript/internal/lab/labtest"
	"github.com/tunscript/tunscript/tundev"
	"golang.org/x/sys/unix"
)

// A stay is an engine that answers every echo request on its device, while somebody
// does things to the device.
type stay struct {
	world
	*engine.Engine
	dev  *tundev.Device
	log  *safeLog
	done chan error
}

type safeLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *safeLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *safeLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newStay(t *testing.T, w world, dev *tundev.Device, onLost engine.OnLost) *stay {
	t.Helper()
	s := &stay{world: w, dev: dev, log: new(safeLog), done: make(chan error, 1)}
	var err error
	s.Engine, err = engine.New(engine.Config{
		Log:     slog.New(slog.NewTextHandler(s.log, nil)),
		Devices: []engine.DeviceConfig{{Device: dev, OnLost: onLost}},
		Programs: []engine.ProgramConfig{{Program: engine.ProgramFunc("echo", func(s *engine.Scope) error {
			_, err := s.Handle(engine.Handler{Filter: "icmp", Run: func(p *packet.Packet) engine.Verdict {
				return engine.Replace(p.Reply())
			}})
			return err
		})}},
	})
	w.must(err)
	ctx, stop := context.WithCancel(context.Background())
	go func() { s.done <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		s.Close()
	})
	return s
}

// answers waits until a ping of the peer is answered.
func (s *stay) answers(what string) {
	s.t.Helper()
	var out string
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		var err error
		if out, err = s.run("ping -n -c 1 -W 1 192.0.2.2"); err == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.t.Fatalf("%s: a ping is not answered\n%s\nlog:\n%s", what, out, s.log)
}

// until waits for something that will be so.
func (s *stay) until(what string, ok func() bool) {
	s.t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("not within 20 s: %s; it is %+v, log:\n%s", what, s.dev.Info(), s.log)
		}
	}
}

func (s *stay) logged(text string, times int) {
	s.t.Helper()
	s.until("the log says "+text, func() bool { return strings.Contains(s.log.String(), text) })
	if n := strings.Count(s.log.String(), text); n != times {
		s.t.Errorf("the log says %q %d times, want %d:\n%s", text, n, times, s.log)
	}
}

var stayed = tundev.Config{
	Name: "tun0", MTU: 1400, Address: prefixes("192.0.2.1/32"), Peer: addrs("192.0.2.2"), Route: prefixes("198.51.100.0/24"),
}

// A device that the engine made is made again, with all that was set.
func TestADeviceOfOursIsDeleted(t *testing.T) {
	labtest.Need(t, "ip", "ping")
	w := newWorld(t)
	s := newStay(t, w, w.open(stayed), engine.OnLostWait)
	s.answers("at first")
	was := w.snapshot("tun0")
	for range 3 {
		w.ip("link del tun0")
		s.answers("deleted")
	}
	is := w.snapshot("tun0")
	if index := func(s string) string { _, rest, _ := strings.Cut(s, ":"); return rest }; index(is) != index(was) {
		t.Errorf("it is\n%s\nand was\n%s", is, was)
	}
	if n := s.Stats().Devices["tun0"].Gone; n != 3 {
		t.Errorf("it was lost %d times, want 3", n)
	}
	s.logged("a device is lost", 3)
	s.logged("a device is back", 3)
}

// One that was there before is its owner's to make again, and is used as it then is.
func TestADeviceOfOthersIsDeleted(t *testing.T) {
	labtest.Need(t, "ip", "ping")
	w := newWorld(t)
	give := func() {
		w.ip("tuntap add tun0 mode tun")
		w.ip("addr add 192.0.2.1 peer 192.0.2.2 dev tun0")
		w.ip("link set tun0 up")
	}
	give()
	s := newStay(t, w, w.open(tundev.Config{Name: "tun0"}), engine.OnLostWait)
	s.answers("at first")
	w.ip("link del tun0")
	s.logged("is not back yet", 1)
	time.Sleep(300 * time.Millisecond) // some tries
	if w.exists("tun0") {
		t.Fatal("the engine has made a device that is not its own")
	}
	give()
	s.answers("made again")
	s.logged("a device is lost", 1)
	s.logged("is not back yet", 1)
}

// Somebody else takes the place of a device of ours: it is left as it is.
func TestAnotherDeviceTakesItsPlace(t *testing.T) {
	labtest.Need(t, "ip", "ping")
	w := newWorld(t)
	s := newStay(t, w, w.open(stayed), engine.OnLostWait)
	w.ip("link add other type veth peer name tun9")
	w.ip("link del tun0")
	w.ip("link set tun9 name tun0")
	s.logged("choose another name", 1)
	w.ip("link del tun0")
	s.answers("the place is free")
}

func TestALossStopsTheRun(t *testing.T) {
	labtest.Need(t, "ip")
	w := newWorld(t)
	s := newStay(t, w, w.open(stayed), engine.OnLostStop)
	w.ip("link del tun0")
	select {
	case err := <-s.done:
		le, ok := err.(*engine.LostError)
		if !ok || le.Device != "tun0" || !errors.Is(err, tundev.ErrGone) {
			t.Errorf("Run returns %T %v, want a *LostError", err, err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the run goes on")
	}
	if w.exists("tun0") {
		t.Error("the device was made again")
	}
}

// cpu is what the process has used.
func cpu() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A device that is down, or gone, costs next to nothing, and is heard of again.
func TestADeviceGoesDown(t *testing.T) {
	labtest.Need(t, "ip", "ping")
	w := newWorld(t)
	s := newStay(t, w, w.open(stayed), engine.OnLostWait)
	s.answers("at first")
	idle := func(what string) {
		t.Helper()
		was := cpu()
		time.Sleep(2 * time.Second)
		if used := cpu() - was; used > 40*time.Millisecond {
			t.Errorf("%s: %v of CPU time in 2 s, want less than 40 ms", what, used)
		}
	}
	w.ip("link set tun0 down")
	s.until("it says that it is down", func() bool { return s.dev.Info().Down })
	s.logged("up=false", 1)
	idle("down")
	w.ip("link set tun0 up")
	w.ip("route replace 192.0.2.2 dev tun0")
	s.answers("up again")
	s.logged("up=true", 1)
	if n := s.Stats().Devices["tun0"].Gone; n != 0 {
		t.Errorf("it was lost %d times, want never: the descriptor works", n)
	}

	w2 := newWorld(t)
	w2.ip("tuntap add tun0 mode tun")
	s2 := newStay(t, w2, w2.open(tundev.Config{Name: "tun0"}), engine.OnLostWait)
	w2.ip("link del tun0")
	s2.logged("is not back yet", 1)
	idle("gone")
}

// What is sent while the device is down is counted, with the reason, and nothing else
// happens.
func TestSendingToADeviceThatIsDown(t *testing.T) {
	labtest.Need(t, "ip")
	w := newWorld(t)
	dev := w.open(stayed)
	scopes := make(chan *engine.Scope, 1)
	eng, err := engine.New(engine.Config{
		Devices: []engine.DeviceConfig{{Device: dev}},
		Programs: []engine.ProgramConfig{{Program: engine.ProgramFunc("sender", func(s *engine.Scope) error {
			scopes <- s
			return nil
		})}},
	})
	w.must(err)
	w.ip("link set tun0 down")
	done := make(chan error, 1)
	go func() { done <- eng.Run(context.Background()) }()
	scope := <-scopes
	w.must(scope.Post(func() {
		for range 10 {
			if err := scope.Send(mustParse(t, udp(100))); err != nil {
				t.Error(err)
			}
		}
	}))
	for end := time.Now().Add(20 * time.Second); eng.Stats().Reasons[engine.ReasonDown] < 10 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	st := eng.Stats()
	if d := st.Devices["tun0"]; d.Sent != 0 || d.Lost != 10 || st.Reasons[engine.ReasonDown] != 10 || d.Gone != 0 {
		t.Errorf("%+v, reasons %v", d, st.Reasons)
	}
	eng.Close()
	if err := <-done; err != nil {
		t.Errorf("Run returns %v", err)
	}
}

// Renamed, moved to another namespace, made smaller, given other addresses: it is the
// same descriptor, and goes on.
func TestADeviceIsChanged(t *testing.T) {
	labtest.Need(t, "ip", "ping")
	w := newWorld(t)
	s := newStay(t, w, w.open(stayed), engine.OnLostWait)
	s.answers("at first")
	in := func() engine.Info { return s.dev.Info() }

	w.ip("link set tun0 name uplink")
	s.until("its name", func() bool { return in().Kernel == "uplink" })
	if in().Name != "tun0" {
		t.Errorf("the engine calls it %q, want what it called it before", in().Name)
	}
	s.answers("renamed")
	s.logged("kernel_name=uplink", 1)

	w.ip("link set uplink mtu 1300")
	s.until("its MTU", func() bool { return in().MTU == 1300 })
	s.logged("mtu=1300", 1)

	w.ip("addr add 203.0.113.1/24 dev uplink")
	s.until("its address", func() bool { return slices.Contains(in().Address, prefixes("203.0.113.1/24")[0]) })
	w.ip("addr del 203.0.113.1/24 dev uplink")
	s.until("its address", func() bool { return len(in().Address) == 1 })

	other, err := lab.NewNamespace()
	w.must(err)
	t.Cleanup(func() { other.Close() })
	w.must(w.do(func() error { return other.Adopt("uplink") }))
	s.until("its namespace", func() bool { return in().Moved })
	there := s
	there.do = other.Do
	there.ip("addr add 192.0.2.1 peer 192.0.2.2 dev uplink")
	there.ip("link set uplink up")
	there.answers("moved")
	if n := s.Stats().Devices["tun0"].Gone; n != 0 {
		t.Errorf("it was lost %d times, want never", n)
	}
	there.ip("link del uplink")
	s.do = w.do
	s.answers("deleted there, and made again where it was made first")
	if now := in(); now.Moved || now.Kernel != "" || now.MTU != 1400 {
		t.Errorf("it is %+v", now)
	}
}

// A process that may not open the device gets its descriptor from one that may, also
// when it comes back.
func TestSomebodyElseOpensItAgain(t *testing.T) {
	labtest.Need(t, "ip", "ping")
	w := newWorld(t)
	asked := 0
	open := func(context.Context) (fds []int, err error) {
		asked++
		err = w.do(func() error { fds, err = tundev.OpenFD(stayed, nil); return err })
		return fds, err
	}
	take := func(c tundev.Config) (d *tundev.Device) {
		t.Helper()
		fds, err := open(t.Context())
		w.must(err)
		w.must(w.do(func() error { d, err = tundev.FromFD(fds[0], c); return err }))
		return d
	}
	c := stayed
	c.Reopen = open
	s := newStay(t, w, take(c), engine.OnLostWait)
	s.answers("at first")
	w.ip("link del tun0")
	s.answers("deleted")
	if asked != 2 {
		t.Errorf("the device was opened %d times, want twice", asked)
	}
	w.must(s.Close())

	s = newStay(t, w, take(stayed), engine.OnLostWait)
	w.ip("link del tun0")
	select {
	case err := <-s.done:
		if _, ok := err.(*engine.LostError); !ok {
			t.Errorf("Run returns %T %v, want a *LostError: nobody can open it again", err, err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the run waits for a device that nobody can open again")
	}
}
