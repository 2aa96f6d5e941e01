package tundev_test

import (
	"errors"
	"strings"
	"testing"
	"unsafe"

	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev"
	"golang.org/x/sys/unix"
)

// snapshot is all that ip(8) says of a device, but for what its reader brings about: the
// carrier, and what the kernel derives from it.
func (w world) snapshot(name string) string {
	out := w.ip("-d addr show dev "+name) + w.ip("route show dev "+name) + w.ip("-6 route show dev "+name)
	return strings.NewReplacer("NO-CARRIER,", "", ",LOWER_UP", "", "state DOWN", "", "state UNKNOWN", "", "state UP", "",
		"qdisc noop", "qdisc pfifo_fast", " linkdown", "", " tentative", "", "group default ", "",
		"vnet_hdr on", "vnet_hdr off", // who attached last has asked for it, and who attaches next is not bound by it
	).Replace(out)
}

func TestADeviceThatWasThereIsLeftAsItWas(t *testing.T) {
	w := newWorld(t)
	w.ip("tuntap add tun0 mode tun")
	w.ip("link set tun0 addrgenmode none")
	w.ip("link set tun0 mtu 1300 txqueuelen 123 up")
	w.ip("addr add 192.0.2.1 peer 192.0.2.9 dev tun0")
	was := w.snapshot("tun0")
	d := w.open(tundev.Config{Name: "tun0", MTU: 9000, TxQueueLen: 5, Address: prefixes("203.0.113.1/24"), Route: prefixes("198.51.100.0/24")})
	if got := w.snapshot("tun0"); got != was {
		t.Errorf("open, it is\n%s\nand was\n%s", got, was)
	}
	in := d.Info()
	if in.MTU != 1300 || len(in.Address) != 1 || in.Address[0] != prefixes("192.0.2.1/32")[0] || in.Peer[0] != addrs("192.0.2.9")[0] {
		t.Errorf("it is %+v", in)
	}
	wk := attach(t, d, false)
	wk.start(t, echo)
	if out, err := w.run("ping -n -c 1 -W 2 192.0.2.9"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	d.Close()
	wk.finished(t)
	if got := w.snapshot("tun0"); got != was {
		t.Errorf("closed, it is\n%s\nand was\n%s", got, was)
	}
}

func TestAManagedDeviceIsPutBack(t *testing.T) {
	for _, up := range []string{"up", "down"} {
		w := newWorld(t)
		w.ip("tuntap add tap0 mode tap")
		w.ip("link set tap0 addrgenmode none")
		w.ip("link set tap0 mtu 1300 address 02:00:00:00:00:07 " + up)
		w.ip("addr add 192.0.2.1/24 dev tap0")
		was := w.snapshot("tap0")
		d := w.open(tundev.Config{
			Name: "tap0", Kind: tundev.TAP, Manage: true, MTU: 1400, TxQueueLen: 5, MAC: packet.MAC{2, 0, 0, 0, 0, 8},
			Address: prefixes("192.0.2.1/24", "203.0.113.1/32", "2001:db8::1/64"), Peer: addrs("203.0.113.2"),
			Route: prefixes("198.51.100.0/24"),
		})
		now := w.snapshot("tap0")
		for _, want := range []string{"mtu 1400", "qlen 5", "02:00:00:00:00:08", "203.0.113.1 peer 203.0.113.2/32", "2001:db8::1/64", "198.51.100.0/24"} {
			if !strings.Contains(now, want) {
				t.Errorf("managed, it does not say %q:\n%s", want, now)
			}
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if got := w.snapshot("tap0"); got != was {
			t.Errorf("%s: closed, it is\n%s\nand was\n%s", up, got, was)
		}
		// And a managed device that cannot be set up is put back at once.
		_, err := w.try(tundev.Config{Name: "tap0", Kind: tundev.TAP, Manage: true, MTU: 1400, Address: prefixes("203.0.113.1/24"), Route: prefixes("198.51.100.1/24")})
		if got := w.snapshot("tap0"); err == nil || got != was {
			t.Errorf("%s: after %v it is\n%s\nand was\n%s", up, err, got, was)
		}
	}
}

// One device for one program, and of the kind that was asked for.
func TestOnlyAFreeDeviceOfTheRightKindIsTaken(t *testing.T) {
	w := newWorld(t)
	w.open(tundev.Config{Name: "ours"})
	w.persistent("free", unix.IFF_TUN|unix.IFF_NO_PI)
	w.persistent("held", unix.IFF_TUN|unix.IFF_NO_PI)
	w.persistent("many", unix.IFF_TUN|unix.IFF_NO_PI|unix.IFF_MULTI_QUEUE)
	w.persistent("vnet", unix.IFF_TUN|unix.IFF_NO_PI|unix.IFF_VNET_HDR)
	w.persistent("shared", unix.IFF_TUN|unix.IFF_NO_PI|unix.IFF_MULTI_QUEUE)
	w.ip("link add pair0 type veth peer name pair1")
	w.must(w.do(func() error {
		for _, d := range []int{w.descriptor("held", unix.IFF_TUN|unix.IFF_NO_PI), w.descriptor("shared", unix.IFF_TUN|unix.IFF_NO_PI|unix.IFF_MULTI_QUEUE)} {
			t.Cleanup(func() { unix.Close(d) })
		}
		return nil
	}))
	for _, c := range []struct {
		name string
		kind tundev.Kind
		want error
		says string
	}{
		{"ours", tundev.TUN, tundev.ErrBusy, "one program at a time"},
		{"held", tundev.TUN, tundev.ErrBusy, "(pid "},
		{"shared", tundev.TUN, tundev.ErrBusy, "one program at a time"},
		{"free", tundev.TAP, tundev.ErrMismatch, `set kind = "tun"`},
		{"pair0", tundev.TUN, tundev.ErrMismatch, "no TUN or TAP device"},
		{"lo", tundev.TUN, tundev.ErrMismatch, "choose another name"},
		{"free", tundev.TUN, nil, ""},
		{"many", tundev.TUN, nil, ""},
		{"vnet", tundev.TUN, nil, ""}, // the flags are those of who attaches
	} {
		d, err := w.try(tundev.Config{Name: c.name, Kind: c.kind})
		if !errors.Is(err, c.want) || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s as %s: %v, want %v", c.name, c.kind, err, c.want)
		}
		if d != nil {
			d.Close()
		}
	}
}

// The mask of offloads survives its descriptor, and would hand us 60 KB at a time.
func TestTheOffloadMaskOfAPredecessorIsReset(t *testing.T) {
	w := newWorld(t)
	w.must(w.do(func() error {
		fd := w.descriptor("tun0", unix.IFF_TUN|unix.IFF_NO_PI|unix.IFF_VNET_HDR)
		defer unix.Close(fd)
		return errors.Join(unix.IoctlSetInt(fd, unix.TUNSETPERSIST, 1),
			unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, unix.TUN_F_CSUM|unix.TUN_F_TSO4|unix.TUN_F_TSO6))
	}))
	if !w.tso("tun0") {
		t.Error("the mask did not survive, and the test shows nothing")
	}
	d := w.open(tundev.Config{Name: "tun0", Offload: tundev.OffloadOff})
	if w.tso("tun0") {
		t.Error("segmentation offload is still on")
	}
	w.must(d.Close())
	d = w.open(tundev.Config{Name: "tun0"})
	if !w.tso("tun0") {
		t.Error("segmentation offload is not used")
	}
	w.must(d.Close())
	if w.tso("tun0") {
		t.Error("our own mask has survived")
	}
}

// tso is `ethtool -k`: whether the kernel leaves TCP segmentation to the device.
func (w world) tso(name string) bool {
	w.t.Helper()
	value := struct{ cmd, data uint32 }{cmd: unix.ETHTOOL_GTSO}
	w.must(w.do(func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		ifreq := struct {
			name [unix.IFNAMSIZ]byte
			at   unsafe.Pointer
			_    [16]byte
		}{at: unsafe.Pointer(&value)}
		copy(ifreq.name[:], name)
		if _, _, no := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&ifreq))); no != 0 {
			return no
		}
		return nil
	}))
	return value.data != 0
}

func TestADescriptorThatSomebodyElseOpened(t *testing.T) {
	w := newWorld(t)
	take := func(fd int, c tundev.Config) (d *tundev.Device, err error) {
		w.do(func() error { d, err = tundev.FromFD(fd, c); return nil })
		return d, err
	}
	open := func(name string, flags uint16) (fd int) {
		w.do(func() error { fd = w.descriptor(name, flags); return nil })
		return fd
	}
	fd := open("tun5", unix.IFF_TUN|unix.IFF_NO_PI)
	w.ip("addr add 192.0.2.1 peer 192.0.2.2 dev tun5")
	w.ip("link set tun5 up mtu 1350")
	for _, c := range []struct {
		c    tundev.Config
		want error
	}{
		{tundev.Config{Name: "tun6"}, tundev.ErrMismatch},
		{tundev.Config{Kind: tundev.TAP}, tundev.ErrMismatch},
	} {
		if _, err := take(fd, c.c); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v, want %v", c.c, err, c.want)
		}
	}
	d, err := take(fd, tundev.Config{})
	w.must(err)
	if in := d.Info(); in.Name != "tun5" || in.MTU != 1350 || in.Peer[0] != addrs("192.0.2.2")[0] {
		t.Errorf("it is %+v", in)
	}
	wk := attach(t, d, false)
	wk.start(t, echo)
	if out, err := w.run("ping -n -c 1 -W 2 192.0.2.2"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	d.Close()
	wk.finished(t)

	// Elsewhere: seen from here there is no such device.
	fd = open("tun5", unix.IFF_TUN|unix.IFF_NO_PI)
	if d, err = tundev.FromFD(fd, tundev.Config{MTU: 1400, Address: prefixes("192.0.2.1/24")}); err != nil {
		t.Fatal(err)
	}
	if in := d.Info(); in.Name != "tun5" || in.MTU != 1400 || len(in.Address) != 1 {
		t.Errorf("it is %+v", in)
	}
	d.Close()
	null, _ := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	defer unix.Close(null)
	if _, err := take(null, tundev.Config{}); !errors.Is(err, tundev.ErrMismatch) {
		t.Errorf("/dev/null: %v", err)
	}
	vnet := open("tun5", unix.IFF_TUN|unix.IFF_NO_PI|unix.IFF_VNET_HDR)
	if _, err := take(vnet, tundev.Config{Offload: tundev.OffloadOff}); !errors.Is(err, tundev.ErrMismatch) {
		t.Errorf("with a vnet header, which is not wanted: %v", err)
	}
	d, err = take(vnet, tundev.Config{})
	w.must(err)
	w.must(d.Close())
}
