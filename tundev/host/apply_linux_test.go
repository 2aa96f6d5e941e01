package host_test

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/tundev/host"
	"golang.org/x/sys/unix"
)

// The device of `tunscript lab`: both families, a peer, and everything else behind it.
func TestADeviceWithPeersAndDefaultRoutes(t *testing.T) {
	w := newWorld(t)
	w.device("tun0", unix.IFF_TUN)
	s := host.Settings{
		MTU: 1400, TxQueueLen: 1000, NoLinkLocal: true, Up: true,
		Addrs: []host.Addr{
			{Prefix: pfx("192.0.2.1/32"), Peer: addr("192.0.2.2")},
			{Prefix: pfx("2001:db8::1/128"), Peer: addr("2001:db8::2")},
		},
		Routes: []netip.Prefix{pfx("0.0.0.0/0"), pfx("::/0")},
	}
	w.must(w.Apply("tun0", s))
	w.has("link show tun0", "mtu 1400", "qlen 1000", "UP,LOWER_UP")
	w.has("addr show tun0", "inet 192.0.2.1 peer 192.0.2.2/32", "inet6 2001:db8::1 peer 2001:db8::2/128")
	w.has("route", "192.0.2.2 dev tun0", "default dev tun0")
	w.has("-6 route", "2001:db8::2 dev tun0", "default dev tun0")
	w.has("route get 203.0.113.9", "dev tun0 src 192.0.2.1")
	w.has("-6 route get 2001:db8:ffff::9", "dev tun0", "src 2001:db8::1")

	l, err := w.Link("tun0")
	w.must(err)
	if l.Kind != "tun" || l.MTU != 1400 || l.TxQueueLen != 1000 || l.MAC != nil || !l.Up || !l.Running || l.Persistent {
		t.Errorf("the link reads back as %+v", l)
	}
	if !slices.Equal(l.Addrs, s.Addrs) {
		t.Errorf("addresses read back as %v, want %v", l.Addrs, s.Addrs)
	}
	w.must(w.Apply("tun0", s)) // what is so already stays
}

func TestATapDeviceWithANetwork(t *testing.T) {
	w := newWorld(t)
	w.device("tap0", unix.IFF_TAP)
	mac := net.HardwareAddr{2, 0, 0, 0, 0, 1}
	s := host.Settings{
		MAC: mac, NoLinkLocal: true, Up: true,
		Addrs: []host.Addr{
			{Prefix: pfx("192.0.2.1/24"), Peer: addr("192.0.2.2")}, // a member: needs no route of its own
			{Prefix: pfx("2001:db8::1/64"), NoDAD: true},
		},
		Routes: []netip.Prefix{pfx("198.51.100.0/24"), pfx("2001:db8:1::/48")},
	}
	w.must(w.Apply("tap0", s))
	w.has("link show tap0", "link/ether 02:00:00:00:00:01")
	w.has("addr show tap0", "inet 192.0.2.1/24 brd 192.0.2.255", "inet6 2001:db8::1/64 scope global nodad")
	w.has("route", "192.0.2.0/24 dev tap0", "198.51.100.0/24 dev tap0 scope link")
	w.has("-6 route", "2001:db8::/64 dev tap0", "2001:db8:1::/48 dev tap0")
	l, err := w.Link("tap0")
	w.must(err)
	want := []host.Addr{{Prefix: pfx("192.0.2.1/24")}, s.Addrs[1]}
	if l.Kind != "tap" || l.MAC.String() != mac.String() || !slices.Equal(l.Addrs, want) {
		t.Errorf("the link reads back as %+v", l)
	}
}

func TestNoLinkLocalMeansSilence(t *testing.T) {
	w := newWorld(t)
	fd := w.device("tun0", unix.IFF_TUN)
	w.must(w.Apply("tun0", host.Settings{NoLinkLocal: true, Up: true}))
	time.Sleep(300 * time.Millisecond)
	b := make([]byte, 2000)
	if n, err := unix.Read(fd, b); err != unix.EAGAIN {
		t.Errorf("the kernel sent %x, %v", b[:max(n, 0)], err)
	}
	if out := w.ip("addr show tun0"); strings.Contains(out, "inet6") {
		t.Errorf("there is an address:\n%s", out)
	}
}

func TestUpAndDown(t *testing.T) {
	w := newWorld(t)
	w.device("tun0", unix.IFF_TUN)
	for _, up := range []bool{true, false, true} {
		if up {
			w.must(w.SetUp("tun0"))
		} else {
			w.must(w.SetDown("tun0"))
		}
		if l, err := w.Link("tun0"); err != nil || l.Up != up {
			t.Errorf("up is %v, want %v; %v", l.Up, up, err)
		}
	}
}

func TestTheOwnerOfAPersistentDevice(t *testing.T) {
	w := newWorld(t)
	fd := w.device("tun0", unix.IFF_TUN|unix.IFF_MULTI_QUEUE)
	// The test may run in a user namespace that has one user and one group, 0.
	for _, req := range []uint{unix.TUNSETOWNER, unix.TUNSETGROUP} {
		w.must(unix.IoctlSetInt(fd, req, 0))
	}
	w.must(unix.IoctlSetInt(fd, unix.TUNSETPERSIST, 1))
	defer unix.IoctlSetInt(fd, unix.TUNSETPERSIST, 0)
	l, err := w.Link("tun0")
	w.must(err)
	if !l.Persistent || l.Owner != 0 || l.Group != 0 || l.Queues != 1 {
		t.Errorf("the link reads back as %+v", l)
	}
}

func TestAHandleStaysInItsNamespace(t *testing.T) {
	a, b := newWorld(t), newWorld(t)
	a.device("tun0", unix.IFF_TUN)
	if _, err := a.Link("tun0"); err != nil {
		t.Error(err)
	}
	if _, err := b.Link("tun0"); err == nil {
		t.Error("the device is seen from another namespace")
	}
}

// The kernel sends from a new IPv6 address at once; what is sent to it must arrive
// from then on, too, though a work queue makes the route for it.
func TestAnAddressIsReachableOnceItIsThere(t *testing.T) {
	w := newWorld(t)
	w.device("tun0", unix.IFF_TUN)
	w.must(w.SetUp("tun0"))
	w.must(w.AddRoute("tun0", pfx("::/0")))
	for i := range 20 {
		a := netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 15: byte(i + 1)})
		w.must(w.AddAddr("tun0", host.Addr{Prefix: netip.PrefixFrom(a, 64)}))
		w.has("-6 route get "+a.String(), "local "+a.String())
	}
}
