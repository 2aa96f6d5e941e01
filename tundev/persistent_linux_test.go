package tundev_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tunscript/tunscript/internal/lab/labtest"
	"github.com/tunscript/tunscript/tundev"
	"golang.org/x/sys/unix"
)

// create and remove do it in the namespace of the test.
func (w world) create(p tundev.Persistent) (name string, err error) {
	w.do(func() error {
		name, err = tundev.Create(p)
		return nil
	})
	return name, err
}

func (w world) remove(name string) error {
	return w.do(func() error { return tundev.Delete(name) })
}

// What Create makes ip(8) removes, and what ip(8) makes Delete removes.
func TestPersistentDevicesAreThoseOfIP(t *testing.T) {
	labtest.Need(t, "ip")
	for _, c := range []struct {
		ours    tundev.Persistent
		theirs  string
		details string
	}{
		{tundev.Persistent{Name: "d0"}, "mode tun", "tun type tun pi off vnet_hdr off persist on"},
		{tundev.Persistent{Name: "d0", Kind: tundev.TAP}, "mode tap", "tun type tap pi off vnet_hdr off persist on"},
		{tundev.Persistent{Name: "d0", MultiQueue: true}, "mode tun multi_queue", "multi_queue numqueues 0 numdisabled 0 persist on"},
		{tundev.Persistent{Name: "d0", Owner: "0", Group: "0"}, "mode tun user 0 group 0", "persist on user root group root"},
		{tundev.Persistent{Name: "d0", Owner: "root"}, "mode tun user 0", "persist on user root"},
	} {
		w := newWorld(t)
		name, err := w.create(c.ours)
		w.must(err)
		if out := w.ip("-d link show " + name); !strings.Contains(out, c.details) {
			t.Errorf("%+v: ip does not say %q:\n%s", c.ours, c.details, out)
		}
		made := w.ip("-d link show d0")
		w.ip("tuntap del d0 " + strings.Split(c.theirs, " user")[0])
		if w.exists("d0") {
			t.Fatalf("%+v: ip(8) has not removed it", c.ours)
		}
		w.ip("tuntap add d0 " + c.theirs)
		if same := w.ip("-d link show d0"); settings(same) != settings(made) {
			t.Errorf("%+v: ours is\n%s\nthat of ip(8)\n%s", c.ours, made, same)
		}
		w.must(w.remove("d0"))
		if w.exists("d0") {
			t.Errorf("%+v: it is still there", c.ours)
		}
	}
}

// settings is the line of `ip -d link` about the tun driver.
func settings(out string) string {
	_, s, _ := strings.Cut(out, "tun type")
	s, _, _ = strings.Cut(s, "addrgenmode")
	return s
}

func TestADeviceThatExistsIsNotMadeAgain(t *testing.T) {
	w := newWorld(t)
	_, err := w.create(tundev.Persistent{Name: "d0", Owner: "0"})
	w.must(err)
	for _, c := range []struct {
		p    tundev.Persistent
		says string
	}{
		{tundev.Persistent{Name: "d0", Owner: "0"}, "use it as it is"},
		{tundev.Persistent{Name: "d0", Owner: "0", Kind: tundev.TAP}, "it is a tun device, not tap: delete it first"},
		{tundev.Persistent{Name: "d0", Owner: "0", MultiQueue: true}, "it was made for one queue"},
		{tundev.Persistent{Name: "d0"}, "its owner is root (0)"},
		{tundev.Persistent{Name: "d0", Owner: "0", Group: "0"}, "its group is not set"},
		{tundev.Persistent{Name: "lo"}, "no TUN or TAP device"},
	} {
		if _, err := w.create(c.p); !errors.Is(err, tundev.ErrExists) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v, want %q", c.p, err, c.says)
		}
	}
	for _, p := range []tundev.Persistent{{}, {Name: "a/b"}, {Name: "d1", Kind: "bridge"}} {
		if _, err := w.create(p); err == nil || errors.Is(err, tundev.ErrExists) {
			t.Errorf("%+v: %v", p, err)
		}
	}
	// What fails half way is not there.
	if _, err := w.create(tundev.Persistent{Name: "d1", Owner: "no-such-user"}); !errors.Is(err, tundev.ErrBadConfig) || w.exists("d1") {
		t.Errorf("with nobody as owner: %v", err)
	}
}

// A device that somebody has open stays, and the error says who.
func TestOnlyAFreeDeviceIsDeleted(t *testing.T) {
	w := newWorld(t)
	for _, p := range []tundev.Persistent{{Name: "d0"}, {Name: "d1", MultiQueue: true}} {
		_, err := w.create(p)
		w.must(err)
		flags := uint16(unix.IFF_TUN | unix.IFF_NO_PI)
		if p.MultiQueue {
			flags |= unix.IFF_MULTI_QUEUE
		}
		var fd int
		w.must(w.do(func() error { fd = w.descriptor(p.Name, flags); return nil }))
		if err := w.remove(p.Name); !errors.Is(err, tundev.ErrBusy) || !strings.Contains(err.Error(), "(pid ") || !w.exists(p.Name) {
			t.Errorf("%s: %v", p.Name, err)
		}
		unix.Close(fd)
		w.must(w.remove(p.Name))
	}
	for name, want := range map[string]string{"lo": "no TUN or TAP device", "d9": "no such device"} {
		if err := w.remove(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	d := w.open(tundev.Config{Name: "ours"})
	if err := w.remove("ours"); !errors.Is(err, tundev.ErrBusy) {
		t.Errorf("one that is not persistent: %v", err)
	}
	d.Close()
}

func TestADeviceForOneQueueIsNotTakenForSeveral(t *testing.T) {
	w := newWorld(t)
	_, err := w.create(tundev.Persistent{Name: "d0"})
	w.must(err)
	_, err = w.try(tundev.Config{Name: "d0", Queues: 2})
	if err == nil || !strings.Contains(err.Error(), "queue") {
		t.Errorf("opened with two queues: %v", err)
	}
}
