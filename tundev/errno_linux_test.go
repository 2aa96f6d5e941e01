package tundev_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/internal/lab"
	"github.com/tunscript/tunscript/tundev"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// inject sends a UDP datagram to dst, as any program would.
func (w world) inject(dst [4]byte, payload []byte) {
	w.t.Helper()
	w.must(w.do(func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return unix.Sendto(fd, payload, 0, &unix.SockaddrInet4{Port: 7, Addr: dst})
	}))
}

// next reads until a packet comes.
func (w *worker) next(t testing.TB) *packet.Packet {
	t.Helper()
	for range 1000 {
		var ps [1]*packet.Packet
		n, err := w.q.Read(ps[:], &w.pool)
		if err != nil {
			t.Fatal(err)
		}
		if n == 1 {
			return ps[0]
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("no packet came")
	return nil
}

// Write of one packet: the reason it was lost for, "" if it was not.
func (w *worker) write(p *packet.Packet) (why engine.Reason, err error) {
	err = w.q.Write([]*packet.Packet{p}, func(_ *packet.Packet, r engine.Reason) { why = r })
	return why, err
}

var point = tundev.Config{Name: "tun0", Address: prefixes("192.0.2.1/32"), Peer: addrs("192.0.2.2")}

func TestWhatTheKernelSaysToAWrite(t *testing.T) {
	w := newWorld(t)
	tun, tap := w.open(point), w.open(tundev.Config{Name: "tap0", Kind: tundev.TAP})
	wk, wt := attach(t, tun, false), attach(t, tap, false)
	good := mustParse(t, udp(100))
	version5, _ := packet.Parse(make([]byte, 60), packet.Ethernet)
	short, _ := packet.Parse(make([]byte, 13), packet.Ethernet)
	check := func(what string, wk *worker, p *packet.Packet, want engine.Reason) {
		t.Helper()
		if why, err := wk.write(p); why != want || err != nil {
			t.Errorf("%s: lost as %q, %v, want %q", what, why, err, want)
		}
	}
	check("a packet", wk, good, "")
	check("a packet larger than the MTU", wk, mustParse(t, udp(9000)), "")
	check("an Ethernet frame to TUN", wk, version5, engine.ReasonRefused)
	check("an IP packet to TAP", wt, good, engine.ReasonRefused)
	check("a frame of 13 bytes", wt, short, engine.ReasonRefused)
	check("an empty packet", wk, new(packet.Packet), engine.ReasonRefused)
	w.must(w.SetDown("tun0"))
	for n := 1; n > 0; { // what was queued is still there: the kernel's answers to all this
		n, _ = wk.q.Read(make([]*packet.Packet, 64), &wk.pool)
	}
	check("a device that is down", wk, good, engine.ReasonDown)
	if n, err := wk.q.Read(make([]*packet.Packet, 1), &wk.pool); n != 0 || err != nil {
		t.Errorf("a device that is down reads %d, %v", n, err)
	}
	w.must(w.SetUp("tun0"))
	check("up again", wk, good, "")
	w.ip("link del tun0")
	if _, err := wk.write(good); !errors.Is(err, tundev.ErrGone) || !errors.Is(err, unix.EBADFD) {
		t.Errorf("a device that was deleted: %v, want ErrGone and EBADFD", err)
	}
	if _, err := wk.q.Read(make([]*packet.Packet, 1), &wk.pool); !errors.Is(err, tundev.ErrGone) || !strings.Contains(err.Error(), "tun0") {
		t.Errorf("a device that was deleted: %v, want ErrGone", err)
	}
	wk.q.Close()
	wt.q.Close()
}

// The descriptor goes with the device, whatever becomes of its name and namespace.
func TestADeviceLivesOnElsewhere(t *testing.T) {
	w := newWorld(t)
	other, err := lab.NewNamespace()
	w.must(err)
	d := w.open(point)
	wk := attach(t, d, false)
	w.inject([4]byte{192, 0, 2, 2}, []byte("before"))
	wk.next(t)
	w.ip("link set tun0 name renamed") // while it is up
	w.inject([4]byte{192, 0, 2, 2}, []byte("renamed"))
	if p := wk.next(t); !bytes.HasSuffix(p.Bytes(), []byte("renamed")) {
		t.Errorf("read %x", p.Bytes())
	}
	w.must(w.do(func() error { return other.Adopt("renamed") }))
	if why, err := wk.write(mustParse(t, udp(100))); why != engine.ReasonDown || err != nil {
		t.Errorf("moved, it arrives down: %q, %v", why, err)
	}
	h, err := other.Host()
	w.must(err)
	w.must(h.SetUp("renamed"))
	if why, err := wk.write(mustParse(t, udp(100))); why != "" || err != nil {
		t.Errorf("moved and up: %q, %v", why, err)
	}
	h.Close() // a socket holds the namespace, too
	other.Close()
	// The kernel takes namespaces down one after another, in its own time.
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		if _, err = wk.q.Read(make([]*packet.Packet, 1), &wk.pool); err != nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if !errors.Is(err, tundev.ErrGone) {
		t.Errorf("its namespace is gone: %v, want ErrGone", err)
	}
	wk.q.Close()
}

// A packet is whole or not there: the first that no longer fits is lost, once.
func TestAnMTUThatGrowsCutsNothing(t *testing.T) {
	for _, how := range []tundev.Config{{Offload: tundev.OffloadOff}, {PI: true}, {}} {
		w := newWorld(t)
		cfg := point
		cfg.PI, cfg.Offload = how.PI, how.Offload
		pi, vnet := how.PI, how.Offload == "" && !how.PI
		d := w.open(cfg)
		wk := attach(t, d, true) // which does not listen to the kernel, as where that cannot be
		for _, mtu := range []int{1500, 1787, 1793, 9000, 65535} {
			w.must(w.SetMTU("tun0", mtu))
			payload := bytes.Repeat([]byte{byte(mtu)}, mtu-28-1)
			payload = append(payload, 0xee)
			if mtu == 1793 && !vnet {
				w.inject([4]byte{192, 0, 2, 2}, payload)
			}
			w.inject([4]byte{192, 0, 2, 2}, payload)
			p := wk.next(t)
			if p.Len() != mtu || !bytes.HasSuffix(p.Bytes(), payload) {
				t.Fatalf("pi %t: of %d bytes %d came", pi, mtu, p.Len())
			}
			wk.pool.Put(p)
		}
		want := 1793
		if vnet { // there is always room, and the MTU is asked for again whenever it grows
			want = 65535
		}
		if got := d.Info().MTU; got != want {
			t.Errorf("the device says MTU %d, want %d", got, want)
		}
		wk.q.Close()
	}
}

func TestABatchEndsAtWhatTheCallerHasRoomFor(t *testing.T) {
	w := newWorld(t)
	d := w.open(point)
	wk := attach(t, d, false)
	for i := range 10 {
		w.inject([4]byte{192, 0, 2, 2}, []byte{byte(i)})
	}
	var got []byte
	for _, want := range []int{4, 4, 2, 0} {
		ps := make([]*packet.Packet, 4)
		n, err := wk.q.Read(ps, &wk.pool)
		if n != want || err != nil {
			t.Fatalf("read %d, %v, want %d", n, err, want)
		}
		for _, p := range ps[:n] {
			got = append(got, p.Bytes()[28])
		}
	}
	if !slices.Equal(got, []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
		t.Errorf("they came as %v", got)
	}
	wk.q.Close()
}

// Names are refused before the kernel cuts them short.
func TestBadNames(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{
		"sixteen--letters", "a/b", "a b", "a:b", ".", "..", "tun%s", "tun%d%d", "tun%", "%", "a\tb", "a\x00b", "a\xa0b",
	} {
		d, err := w.try(tundev.Config{Name: name})
		if !errors.Is(err, tundev.ErrBadName) {
			t.Errorf("%q: %v, want ErrBadName", name, err)
		}
		if d != nil {
			d.Close()
		}
	}
}

func TestSettingsThatCannotBe(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		c    tundev.Config
		is   error
		says string
	}{
		{tundev.Config{Kind: "tum"}, tundev.ErrBadConfig, `neither "tun" nor "tap"`},
		{tundev.Config{MTU: 67}, tundev.ErrBadConfig, "68 to 65535"},
		{tundev.Config{Kind: tundev.TAP, MTU: 65522}, tundev.ErrBadConfig, "68 to 65521"},
		{tundev.Config{TxQueueLen: -1}, tundev.ErrBadConfig, "txqueuelen"},
		{tundev.Config{MAC: packet.MAC{2}}, tundev.ErrBadConfig, "use TAP"},
		{tundev.Config{Kind: tundev.TAP, MAC: packet.MAC{1}}, tundev.ErrBadConfig, "even first byte"},
		{tundev.Config{Queues: -1}, tundev.ErrBadConfig, "queues"},
		{tundev.Config{Queues: 257}, tundev.ErrBadConfig, "1 to 256"},
		{tundev.Config{Offload: "no"}, tundev.ErrBadConfig, `"off"`},
		{tundev.Config{Name: "tun%d", Persist: true}, tundev.ErrBadConfig, "without %d"},
		{tundev.Config{Persist: true}, tundev.ErrBadConfig, "a name"},
		{tundev.Config{Name: "x", Group: "no-such-group"}, tundev.ErrBadConfig, "getent group"},
		{tundev.Config{Name: "x", Owner: "4294967294"}, tundev.ErrBadConfig, ""},
	} {
		d, err := w.try(c.c)
		if d != nil {
			d.Close()
		}
		if c.says == "" && err == nil {
			continue // where every number is somebody
		}
		if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v, want %v and %q", c.c, err, c.is, c.says)
		}
	}
}

// Rights belong to the thread: this one gives its own away, and ends.
func TestWithoutCapNetAdmin(t *testing.T) {
	w := newWorld(t)
	names, want := []string{"new0"}, []string{"CAP_NET_ADMIN"}
	w.must(w.do(func() error {
		fd := w.descriptor("owned", unix.IFF_TUN|unix.IFF_NO_PI)
		defer unix.Close(fd)
		// A user namespace may have no other user than us.
		if unix.IoctlSetInt(fd, unix.TUNSETOWNER, 12345) == nil {
			names, want = append(names, "owned"), append(want, "owner")
		}
		return unix.IoctlSetInt(fd, unix.TUNSETPERSIST, 1)
	}))
	errs := make(chan error, len(names))
	go w.do(func() error {
		runtime.LockOSThread() // never unlocked
		hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		if err := unix.Capset(&hdr, &make([]unix.CapUserData, 2)[0]); err != nil {
			t.Error(err)
		}
		for _, name := range names {
			d, err := tundev.Open(tundev.Config{Name: name})
			if d != nil {
				d.Close()
			}
			errs <- err
		}
		return nil
	})
	for _, says := range want {
		err := <-errs
		if !errors.Is(err, tundev.ErrPermission) || !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want ErrPermission and %q", err, says)
		}
	}
}

func TestCloseComesFromAnywhere(t *testing.T) {
	w := newWorld(t)
	leftGoroutines, leftFiles := goleak.IgnoreCurrent(), openFiles(t)
	for i := range 20 {
		if i == 1 { // by now the runtime has made what it makes once
			leftFiles = openFiles(t)
		}
		d := w.open(point)
		wk := attach(t, d, false)
		wk.start(t, echo)
		stop := make(chan struct{})
		go func() {
			defer close(stop)
			w.run("ping -n -c 1 -W 0.01 192.0.2.2") // answered or not: it may be gone
		}()
		go d.Close()
		d.Close()
		wk.finished(t)
		<-stop
		if w.exists("tun0") {
			t.Fatal("the device is still there")
		}
	}
	d := w.open(point) // never attached
	if d.Close(); w.exists("tun0") {
		t.Error("the device is still there")
	}
	d = w.open(point) // attached and given back
	attach(t, d, false)
	d.Detach()
	if d.Close(); w.exists("tun0") {
		t.Error("the device is still there")
	}
	goleak.VerifyNone(t, leftGoroutines)
	if n := openFiles(t); n > leftFiles {
		t.Errorf("%d descriptors are open, and were %d", n, leftFiles)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}
