package host_test

import (
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	"github.com/tunscript/tunscript/internal/lab/labtest"
	"github.com/tunscript/tunscript/tundev/host"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { labtest.Main(m) }

// world is an empty network namespace for one test.
type world struct {
	t *testing.T
	*host.Handle
	do func(func() error) error
}

func newWorld(t *testing.T) world {
	t.Helper()
	n := labtest.Namespace(t)
	h, err := n.Host()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return world{t, h, n.Do}
}

// device makes a TUN (unix.IFF_TUN) or TAP (unix.IFF_TAP) device that lasts as long
// as the test, and returns its descriptor.
func (w world) device(name string, flags uint16) (fd int) {
	w.t.Helper()
	err := w.do(func() (err error) {
		fd, err = unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err != nil {
			return err
		}
		w.t.Cleanup(func() { unix.Close(fd) })
		ifr, err := unix.NewIfreq(name)
		if err != nil {
			return err
		}
		ifr.SetUint16(flags | unix.IFF_NO_PI)
		return unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return fd
}

// ip asks ip(8), which knows netlink from another library.
func (w world) ip(args string) (out string) {
	w.t.Helper()
	labtest.Need(w.t, "ip")
	err := w.do(func() error {
		b, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput()
		out = string(b)
		return err
	})
	if err != nil {
		w.t.Fatalf("ip %s: %v\n%s", args, err, out)
	}
	return out
}

// has fails unless `ip args` says all of these.
func (w world) has(args string, want ...string) {
	w.t.Helper()
	out := w.ip(args)
	for _, s := range want {
		if !strings.Contains(out, s) {
			w.t.Errorf("ip %s does not say %q:\n%s", args, s, out)
		}
	}
}

func (w world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func pfx(s string) netip.Prefix { return netip.MustParsePrefix(s) }
func addr(s string) netip.Addr  { return netip.MustParseAddr(s) }

// run is what a program says.
func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// pidIn starts a process in the namespace that lasts as long as the test.
func pidIn(t *testing.T, w world) int {
	t.Helper()
	cmd := exec.Command("sleep", "60")
	w.must(w.do(cmd.Start))
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd.Process.Pid
}
