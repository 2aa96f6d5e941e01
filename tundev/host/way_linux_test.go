package host_test

import (
	"strings"
	"testing"

	"github.com/tunscript/tunscript/tundev/host"
	"golang.org/x/sys/unix"
)

// The way to an address is the one that `ip route get` says.
func TestTheWayIsThatOfIP(t *testing.T) {
	w := newWorld(t)
	w.device("tun0", unix.IFF_TUN)
	w.device("tun1", unix.IFF_TUN)
	for _, name := range []string{"tun0", "tun1"} {
		w.must(w.SetUp(name))
	}
	w.must(w.AddAddr("tun0", host.Addr{Prefix: pfx("192.0.2.1/32"), Peer: addr("192.0.2.2")}))
	w.must(w.AddAddr("tun1", host.Addr{Prefix: pfx("2001:db8::1/64"), NoDAD: true}))
	w.ip("route add blackhole 203.0.113.0/24")
	for _, c := range []struct {
		dst  string
		want host.Way
	}{
		{"192.0.2.2", host.Way{Device: "tun0", Src: addr("192.0.2.1")}},
		{"192.0.2.1", host.Way{Device: "lo", Local: true, Src: addr("192.0.2.1")}},
		{"2001:db8::2", host.Way{Device: "tun1", Src: addr("2001:db8::1")}},
		{"198.51.100.1", host.Way{}},
		{"203.0.113.1", host.Way{}},
		{"2001:db8:1::1", host.Way{}},
	} {
		got, err := w.Way(addr(c.dst))
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v, want %+v", c.dst, got, err, c.want)
		}
		if c.want.Device != "" {
			w.has("route get "+c.dst, "dev "+c.want.Device+" ", "src "+c.want.Src.String())
		}
	}
	w.must(w.AddRoute("tun0", pfx("198.51.100.0/24")))
	w.must(w.ReplaceRoute("tun1", pfx("198.51.100.0/24")))
	if out := w.ip("route show 198.51.100.0/24"); !strings.Contains(out, "dev tun1") || strings.Contains(out, "tun0") {
		t.Errorf("replaced, it is %s", out)
	}
}
