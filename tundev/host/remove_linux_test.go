package host_test

import (
	"strings"
	"testing"

	"github.com/tunscript/tunscript/tundev/host"
	"golang.org/x/sys/unix"
)

// What was added is taken back, and what is not there is no error.
func TestAddressesAndRoutesAreTakenBack(t *testing.T) {
	w := newWorld(t)
	w.device("tun0", unix.IFF_TUN)
	w.must(w.NoLinkLocal("tun0"))
	w.must(w.SetUp("tun0"))
	was := w.ip("addr show tun0") + w.ip("route") + w.ip("-6 route")
	list := []host.Addr{
		{Prefix: pfx("192.0.2.1/32"), Peer: addr("192.0.2.2")},
		{Prefix: pfx("203.0.113.1/24"), Peer: addr("203.0.113.2")},
		{Prefix: pfx("2001:db8::1/128"), Peer: addr("2001:db8::2")},
		{Prefix: pfx("2001:db8:1::1/64")},
	}
	for _, a := range list {
		w.must(w.AddAddr("tun0", a))
	}
	for _, r := range []string{"198.51.100.0/24", "2001:db8:2::/64", "0.0.0.0/0", "::/0"} {
		if has, err := w.HasRoute("tun0", pfx(r)); has || err != nil {
			t.Errorf("before: route to %s is %t, %v", r, has, err)
		}
		w.must(w.AddRoute("tun0", pfx(r)))
		if has, err := w.HasRoute("tun0", pfx(r)); !has || err != nil {
			t.Errorf("after: route to %s is %t, %v", r, has, err)
		}
		w.must(w.DelRoute("tun0", pfx(r)))
		w.must(w.DelRoute("tun0", pfx(r)))
	}
	for _, a := range list {
		w.must(w.DelAddr("tun0", a))
		w.must(w.DelAddr("tun0", a))
	}
	if now := w.ip("addr show tun0") + w.ip("route") + w.ip("-6 route"); now != was {
		t.Errorf("left behind:\n%s\nwas\n%s", now, was)
	}
	if err := w.DelAddr("tun9", list[0]); err == nil || !strings.Contains(err.Error(), "ip link") {
		t.Errorf("of no device: %v", err)
	}
}
