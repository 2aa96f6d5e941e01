package tundev_test

import (
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/internal/lab/labtest"
	"github.com/tunscript/tunscript/tundev"
	"github.com/tunscript/tunscript/tundev/host"
	"golang.org/x/sys/unix"
)

// world is an empty network namespace for one test.
type world struct {
	*host.Handle
	t  testing.TB
	do func(func() error) error
}

func newWorld(t testing.TB) world {
	t.Helper()
	n := labtest.Namespace(t)
	h, err := n.Host()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return world{h, t, n.Do}
}

func (w world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// try opens a device in the namespace.
func (w world) try(c tundev.Config) (d *tundev.Device, err error) {
	w.do(func() error {
		d, err = tundev.Open(c)
		return nil
	})
	return d, err
}

func (w world) open(c tundev.Config) *tundev.Device {
	w.t.Helper()
	d, err := w.try(c)
	w.must(err)
	w.t.Cleanup(func() { d.Close() })
	return d
}

// run runs a program in the namespace.
func (w world) run(args string) (string, error) {
	w.t.Helper()
	f := strings.Fields(args)
	labtest.Need(w.t, f[0])
	var out []byte
	err := w.do(func() (err error) {
		out, err = exec.Command(f[0], f[1:]...).CombinedOutput()
		return err
	})
	return string(out), err
}

func (w world) ip(args string) string {
	w.t.Helper()
	out, err := w.run("ip " + args)
	if err != nil {
		w.t.Fatalf("ip %s: %v\n%s", args, err, out)
	}
	return out
}

// persistent makes a device as `ip tuntap add` does.
func (w world) persistent(name string, flags uint16) {
	w.t.Helper()
	w.must(w.do(func() error {
		fd := w.descriptor(name, flags)
		defer unix.Close(fd)
		return unix.IoctlSetInt(fd, unix.TUNSETPERSIST, 1)
	}))
}

// descriptor is a foreign program's: attached, in the caller's namespace.
func (w world) descriptor(name string, flags uint16) int {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err == nil {
		var ifr *unix.Ifreq
		if ifr, err = unix.NewIfreq(name); err == nil {
			ifr.SetUint16(flags)
			err = unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr)
		}
	}
	if err != nil {
		w.t.Error(err)
	}
	return fd
}

func (w world) exists(name string) bool {
	_, err := w.Link(name)
	return err == nil
}

func prefixes(list ...string) (out []netip.Prefix) {
	for _, s := range list {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

func addrs(list ...string) (out []netip.Addr) {
	for _, s := range list {
		out = append(out, netip.MustParseAddr(s))
	}
	return out
}

// The kernel's own ping, answered by a loop over packets.
func TestTheKernelIsAnswered(t *testing.T) {
	labtest.Need(t, "ip", "ping")
	both := tundev.Config{
		Address: prefixes("192.0.2.1/32", "2001:db8::1/128"), Peer: addrs("192.0.2.2", "2001:db8::2"),
		Route: prefixes("198.51.100.0/24"),
	}
	for _, c := range []struct {
		name string
		set  func(*tundev.Config)
	}{
		{"tun", func(c *tundev.Config) {}},
		{"tun with packet information", func(c *tundev.Config) { c.PI = true }},
		{"tap", func(c *tundev.Config) { c.Kind = tundev.TAP }},
		{"tap with packet information", func(c *tundev.Config) { c.Kind, c.PI = tundev.TAP, true }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			cfg := both
			c.set(&cfg)
			d := w.open(cfg)
			name := d.Info().Name
			if cfg.Kind == tundev.TAP { // nobody answers ARP and ND here
				for _, peer := range []string{"192.0.2.2", "2001:db8::2", "198.51.100.7"} {
					w.ip("neigh replace " + peer + " lladdr 02:00:00:00:00:02 dev " + name)
				}
			}
			wk := attach(t, d, false)
			wk.start(t, echo)
			for _, to := range []string{"192.0.2.2", "198.51.100.7", "2001:db8::2", "-s 1400 192.0.2.2"} {
				if out, err := w.run("ping -n -c 2 -i 0.05 -W 2 " + to); err != nil {
					t.Errorf("%v\n%s", err, out)
				}
			}
			d.Close()
			wk.finished(t)
			if w.exists(name) {
				t.Error("the device outlives its descriptor")
			}
		})
	}
}

func TestANewDeviceIsSetUp(t *testing.T) {
	w := newWorld(t)
	mac := packet.MAC{2, 0, 0, 0, 0, 9}
	d := w.open(tundev.Config{
		Name: "tap%d", Kind: tundev.TAP, MTU: 1400, MAC: mac, TxQueueLen: 77,
		Address: prefixes("192.0.2.1/24", "2001:db8::1/64"), Peer: addrs("192.0.2.2"),
	})
	in := d.Info()
	if in.Name != "tap0" || in.MTU != 1400 || in.MAC != mac || in.PeerMAC != (packet.MAC{2, 0, 0, 0, 0, 2}) ||
		len(in.Peer) != 1 || len(in.Address) < 2 || in.Address[0] != prefixes("192.0.2.1/24")[0] {
		t.Errorf("it is %+v", in)
	}
	for _, want := range []string{"mtu 1400", "qlen 77", "02:00:00:00:00:09", "192.0.2.1/24", "2001:db8::1/64", "UP"} {
		if out := w.ip("addr show tap0"); !strings.Contains(out, want) {
			t.Errorf("ip addr does not say %q:\n%s", want, out)
		}
	}
	// Without an IPv6 address it is silent, and the queue is longer than the kernel's.
	q := w.open(tundev.Config{})
	wk := attach(t, q, false)
	time.Sleep(200 * time.Millisecond)
	ps := make([]*packet.Packet, 8)
	if n, err := wk.q.Read(ps, &wk.pool); n != 0 || err != nil {
		t.Errorf("read %d, %v from a device nobody uses", n, err)
	}
	if l, err := w.Link(q.Info().Name); err != nil || l.TxQueueLen != tundev.DefaultTxQueueLen || !l.Up {
		t.Errorf("the link is %+v, %v", l, err)
	}
	wk.q.Close()
}

func TestNamesAreThePatternOrTheKernels(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		name string
		kind tundev.Kind
		want string
	}{
		{"", tundev.TUN, "tun0"}, {"", tundev.TUN, "tun1"}, {"", tundev.TAP, "tap0"},
		{"vpn%d", tundev.TUN, "vpn0"}, {"vpn%d", tundev.TUN, "vpn1"}, {"a%db", tundev.TUN, "a0b"},
		{"fifteen-letters", tundev.TUN, "fifteen-letters"}, {"ünï", tundev.TUN, "ünï"},
	} {
		if d := w.open(tundev.Config{Name: c.name, Kind: c.kind}); d.Info().Name != c.want {
			t.Errorf("%q became %q, want %q", c.name, d.Info().Name, c.want)
		}
	}
}

// What fails half-way leaves nothing behind.
func TestAFailureUndoesWhatWasDone(t *testing.T) {
	w := newWorld(t)
	w.open(tundev.Config{Name: "tun7", Route: prefixes("198.51.100.0/24")})
	for _, c := range []tundev.Config{
		{Name: "tun8", Route: prefixes("198.51.100.0/24")},            // taken
		{Name: "tun8", Address: prefixes("2001:db8::1/64"), MTU: 576}, // IPv6 wants 1280
		{Name: "tun8", Persist: true, Owner: "nobody-of-this-name"},
		{Name: "tun8", Persist: true, Route: prefixes("198.51.100.1/24")},
	} {
		if _, err := w.try(c); err == nil {
			t.Errorf("%+v is possible", c)
		}
		if w.exists("tun8") {
			t.Fatalf("%+v left a device behind", c)
		}
	}
}

func TestAPersistentDeviceStays(t *testing.T) {
	w := newWorld(t)
	d := w.open(tundev.Config{Name: "tun0", Persist: true, Owner: "0", Group: "0", Address: prefixes("192.0.2.1/24")})
	d.Close()
	l, err := w.Link("tun0")
	if err != nil || !l.Persistent || len(l.Addrs) != 1 {
		t.Fatalf("after Close: %+v, %v", l, err)
	}
	w.ip("link del tun0")
}
