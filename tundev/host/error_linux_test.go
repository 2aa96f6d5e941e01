package host_test

import (
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/tunscript/tunscript/internal/lab/labtest"
	"github.com/tunscript/tunscript/tundev/host"
	"golang.org/x/sys/unix"
)

// Every refusal names the device, what was tried, and what to do.
func TestErrorsSayWhatToDo(t *testing.T) {
	w := newWorld(t)
	w.device("tun0", unix.IFF_TUN)
	w.device("tun1", unix.IFF_TUN)
	w.device("tap0", unix.IFF_TAP)
	w.device("off", unix.IFF_TUN)
	w.must(w.SetUp("tun0"))
	w.must(w.SetUp("tun1"))
	w.must(w.SetMTU("tun1", 1000))
	w.must(w.AddAddr("tun0", host.Addr{Prefix: pfx("192.0.2.1/32")}))
	w.must(w.AddRoute("tun0", pfx("198.51.100.0/24")))
	w.must(w.AddRoute("tun0", pfx("2001:db8:1::/64")))
	w.must(w.do(func() error {
		return os.WriteFile("/proc/sys/net/ipv6/conf/off/disable_ipv6", []byte("1"), 0)
	}))
	address := func(dev, prefix, peer string) error {
		a := host.Addr{Prefix: pfx(prefix)}
		if peer != "" {
			a.Peer = addr(peer)
		}
		return w.AddAddr(dev, a)
	}
	for _, c := range []struct {
		err   error
		is    error
		says  string
		advis string
	}{
		{w.SetUp("tun9"), host.ErrNoLink, "tun9: bring up: no such device", "ip link"},
		{w.SetMTU("tun0", 70000), unix.EINVAL, "tun0: set mtu 70000: ", "TUN takes 68 to 65535"},
		{w.SetMTU("tap0", 10), unix.EINVAL, "tap0: set mtu 10: ", "TAP 68 to 65521"},
		{w.SetTxQueueLen("tun0", -1), unix.EINVAL, "tun0: set txqueuelen -1: ", "500"},
		{w.SetMAC("tun0", net.HardwareAddr{2, 0, 0, 0, 0, 1}), unix.EOPNOTSUPP, "tun0: set mac 02:00:00:00:00:01: ", "use TAP"},
		{w.SetMAC("tap0", net.HardwareAddr{1, 0, 0, 0, 0, 1}), unix.EADDRNOTAVAIL, "tap0: set mac 01:00:00:00:00:01: ", "not a group address"},
		{w.SetMAC("tap0", net.HardwareAddr{2, 0}), unix.EINVAL, "tap0: set mac 02:00: ", "six bytes"},
		{address("tun1", "2001:db8::1/128", ""), unix.EINVAL, "tun1: add address 2001:db8::1/128: ", "MTU of at least 1280"},
		{address("off", "2001:db8::1/128", ""), unix.EACCES, "off: add address 2001:db8::1/128: ", "sysctl net.ipv6.conf.off.disable_ipv6=0"},
		{address("tun0", "192.0.2.1/24", "198.51.100.2"), unix.EINVAL, "tun0: add address 192.0.2.1 peer 198.51.100.2/32: ", "write 192.0.2.1/32, or a peer in 192.0.2.0/24"},
		{address("tun0", "192.0.2.1/32", "2001:db8::2"), unix.EINVAL, "tun0: add address", "must both be IPv4 or both IPv6"},
		{address("tun0", "192.0.2.1/32", "192.0.2.1"), unix.EINVAL, "tun0: add address", "the other end"},
		{address("tun0", "ff02::1/128", ""), unix.EINVAL, "tun0: add address ff02::1/128: ", "not the address of one host"},
		{address("tun0", "0.0.0.0/0", ""), unix.EINVAL, "tun0: add address 0.0.0.0/0: ", "not the address of one host"},
		{address("tun0", "::ffff:192.0.2.1/128", ""), unix.EINVAL, "tun0: add address", "write an IPv4 address as 192.0.2.1"},
		{w.AddAddr("tun0", host.Addr{}), unix.EINVAL, "tun0: add address", "form 192.0.2.1/24"},
		{w.AddRoute("tun0", pfx("198.51.100.1/24")), unix.EINVAL, "tun0: add route 198.51.100.1/24: ", "no bits set behind"},
		{w.AddRoute("tun0", netip.Prefix{}), unix.EINVAL, "tun0: add route", "form 198.51.100.0/24"},
		{w.AddRoute("tap0", pfx("203.0.113.0/24")), unix.ENETDOWN, "tap0: add route 203.0.113.0/24: ", "ip link set tap0 up"},
		{w.AddRoute("tap0", pfx("2001:db8:2::/64")), unix.ENETDOWN, "tap0: add route 2001:db8:2::/64: ", "bring it up first"},
		{w.AddRoute("tun1", pfx("198.51.100.0/24")), host.ErrRouteTaken, "tun1: add route 198.51.100.0/24: ", "choose a smaller network"},
		{w.AddRoute("tun1", pfx("2001:db8:1::/64")), unix.ENODEV, "tun1: add route 2001:db8:1::/64: ", "MTU of at least 1280"},
		{w.Move("tun0", -1), unix.EBADF, "tun0: move to another namespace: ", "has been closed"},
		{w.Move("lo", int(openNS(t).Fd())), unix.EINVAL, "lo: move to another namespace: ", "as lo"},
	} {
		if c.err == nil {
			t.Errorf("want an error %q, got none", c.says)
			continue
		}
		if _, ok := errors.AsType[*host.Error](c.err); !ok {
			t.Errorf("%v is a %T", c.err, c.err)
		}
		if c.is != nil && !errors.Is(c.err, c.is) {
			t.Errorf("%v: errors.Is does not find %v", c.err, c.is)
		}
		if s := c.err.Error(); !strings.HasPrefix(s, c.says) || !strings.Contains(s, c.advis) {
			t.Errorf("\n got: %s\nwant: %s...; ...%s...", s, c.says, c.advis)
		}
	}
}

func TestARouteThatIsThereStays(t *testing.T) {
	w := newWorld(t)
	w.device("tun0", unix.IFF_TUN)
	w.device("tun1", unix.IFF_TUN)
	w.must(w.SetUp("tun0"))
	w.must(w.SetUp("tun1"))
	for _, dst := range []string{"0.0.0.0/0", "::/0", "198.51.100.0/24", "2001:db8:1::/64"} {
		w.must(w.AddRoute("tun0", pfx(dst)))
		w.must(w.AddRoute("tun0", pfx(dst)))
		if err := w.AddRoute("tun1", pfx(dst)); !errors.Is(err, host.ErrRouteTaken) {
			t.Errorf("%s through another device: %v, want %v", dst, err, host.ErrRouteTaken)
		}
	}
	w.has("route", "default dev tun0", "198.51.100.0/24 dev tun0")
	w.has("-6 route", "default dev tun0", "2001:db8:1::/64 dev tun0")
}

// Rights belong to the thread: this one gives its own away, and ends.
func TestWithoutCapNetAdmin(t *testing.T) {
	w := newWorld(t)
	w.device("tun0", unix.IFF_TUN)
	errs := make(chan error, 2)
	go func() {
		runtime.LockOSThread() // never unlocked
		hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		if err := unix.Capset(&hdr, &make([]unix.CapUserData, 2)[0]); err != nil {
			t.Error(err)
		}
		errs <- w.SetUp("tun0")
		_, err := w.Link("tun0")
		errs <- err
	}()
	err := <-errs
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "CAP_NET_ADMIN") {
		t.Errorf("got %v, want a permission error that names CAP_NET_ADMIN", err)
	}
	if err := <-errs; err != nil {
		t.Errorf("looking needs no right, got %v", err)
	}
}

func openNS(t *testing.T) *os.File {
	t.Helper()
	labtest.Require(t)
	f, err := os.Open("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}
