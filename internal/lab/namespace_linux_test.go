package lab_test

import (
	"errors"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/tunscript/tunscript/internal/lab"
	"github.com/tunscript/tunscript/internal/lab/labtest"
	"github.com/tunscript/tunscript/tundev/host"
	"golang.org/x/sys/unix"
)

func threadNS() string {
	s, _ := os.Readlink("/proc/thread-self/ns/net")
	return s
}

func TestDoRunsInTheNamespaceAndComesBack(t *testing.T) {
	n, here := labtest.Namespace(t), threadNS()
	var there string
	if err := n.Do(func() error { there = threadNS(); return nil }); err != nil {
		t.Fatal(err)
	}
	if there == "" || there == here {
		t.Errorf("fn ran in %s, the test in %s", there, here)
	}
	// Whatever thread comes next: none may have stayed there.
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			if got := threadNS(); got != here {
				t.Errorf("a thread is left in %s", got)
			}
		})
	}
	wg.Wait()
}

func TestDoReturnsTheError(t *testing.T) {
	n, want := labtest.Namespace(t), errors.New("mine")
	if err := n.Do(func() error { return want }); err != want {
		t.Errorf("got %v", err)
	}
	if err := n.Do(func() error { runtime.Goexit(); return nil }); err == nil {
		t.Error("a function that ended its goroutine returned nil")
	}
	n.Close()
	if err := n.Do(func() error { return nil }); !errors.Is(err, unix.EBADF) {
		t.Errorf("closed: got %v", err)
	}
	if err := n.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
}

// The kernel's default, that of the machine, or what systemd has set: none matters.
func TestSysctlsWhateverTheDefault(t *testing.T) {
	keys := []string{"ipv4/conf/*/rp_filter", "ipv6/conf/*/accept_dad", "ipv6/conf/*/dad_transmits",
		"ipv6/conf/*/router_solicitations", "ipv6/conf/*/disable_ipv6"}
	set := func(v string) {
		for _, k := range keys {
			for _, d := range []string{"all", "default"} {
				os.WriteFile("/proc/sys/net/"+strings.Replace(k, "*", d, 1), []byte(v), 0)
			}
		}
	}
	for _, before := range []string{"0", "1", "2"} {
		n := labtest.Namespace(t)
		err := n.Do(func() error {
			set(before)
			if err := lab.SetSysctls(); err != nil {
				return err
			}
			open(t, "tap0", unix.IFF_TAP)
			for _, k := range keys {
				for _, d := range []string{"all", "default", "lo", "tap0"} {
					b, err := os.ReadFile("/proc/sys/net/" + strings.Replace(k, "*", d, 1))
					if got := strings.TrimSpace(string(b)); got != "0" {
						t.Errorf("with %s before: %s of %s is %q, %v", before, k, d, got, err)
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// Two hosts, one process with the device of each: what `lab --pair` stands on.
func TestADeviceMovesAndItsDescriptorFollows(t *testing.T) {
	near, far := labtest.Namespace(t), labtest.Namespace(t)
	var fd int
	err := near.Do(func() error {
		fd = open(t, "tun1", unix.IFF_TUN)
		return far.Adopt("tun1")
	})
	if err != nil {
		t.Fatal(err)
	}
	h, err := far.Host()
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	err = h.Apply("tun1", host.Settings{NoLinkLocal: true, Up: true, Addrs: []host.Addr{
		{Prefix: netip.MustParsePrefix("192.0.2.2/32"), Peer: netip.MustParseAddr("192.0.2.1")}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Write(fd, []byte{0x45, 0, 0, 20, 0, 0, 0, 0, 64, 1, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2}); err != nil {
		t.Errorf("write after the move: %v", err)
	}
	nh, err := near.Host()
	if err != nil {
		t.Fatal(err)
	}
	defer nh.Close()
	if _, err := nh.Link("tun1"); !errors.Is(err, host.ErrNoLink) {
		t.Errorf("the device is still where it was: %v", err)
	}
	if err := near.Do(func() error { return far.Adopt("tun9") }); !errors.Is(err, host.ErrNoLink) {
		t.Errorf("moving none: %v", err)
	}
}

func TestACommandRunsInItsNamespace(t *testing.T) {
	n := labtest.Namespace(t)
	var want string
	n.Do(func() error { want = threadNS(); return nil })
	dir := t.TempDir()
	c := lab.Command{
		Args:      []string{"sh", "-c", `(readlink /proc/self/ns/net; echo $TUNSCRIPT_DEV $TUNSCRIPT_HOST $TUNSCRIPT_PEER "[$TUNSCRIPT_LAB]") > "$0"; exit 6`, dir + "/out"},
		Namespace: n, Device: "tun0",
		Host: netip.MustParseAddr("192.0.2.1"), Peer: netip.MustParseAddr("192.0.2.2"),
	}
	status, err := c.Run(t.Context())
	if status != 6 || err != nil {
		t.Errorf("status %d, %v", status, err)
	}
	b, _ := os.ReadFile(dir + "/out")
	if got := string(b); got != want+"\ntun0 192.0.2.1 192.0.2.2 []\n" {
		t.Errorf("the command saw %q, want namespace %s", got, want)
	}
}

// open makes a device in the namespace of the calling thread, for as long as the test.
func open(t *testing.T, name string, kind uint16) (fd int) {
	t.Helper()
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Error(err)
		return -1
	}
	t.Cleanup(func() { unix.Close(fd) })
	ifr, err := unix.NewIfreq(name)
	if err == nil {
		ifr.SetUint16(kind | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr)
	}
	if err != nil {
		t.Error(err)
	}
	return fd
}
