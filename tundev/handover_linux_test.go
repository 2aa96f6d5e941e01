package tundev_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tunscript/tunscript/tundev"
	"github.com/tunscript/tunscript/tundev/host"
	"golang.org/x/sys/unix"
)

// Who opens a device for another keeps note of what he changed on it, as text; once the
// descriptor is closed the notes put the device back, in another process if need be.
func TestADeviceIsHandedOverAndPutBack(t *testing.T) {
	w := newWorld(t)
	w.ip("tuntap add tun0 mode tun")
	w.ip("link set tun0 addrgenmode none")
	was := w.snapshot("tun0")
	c := tundev.Config{
		Name: "tun0", Manage: true, MTU: 1400, TxQueueLen: 7,
		Address: prefixes("192.0.2.1/32", "2001:db8::1/64"), Peer: addrs("192.0.2.2"), Route: prefixes("198.51.100.0/24"),
	}
	var journal [][]byte
	var fds []int
	err := w.do(func() (err error) {
		fds, err = tundev.OpenFD(c, func(ch host.Change) error {
			line, err := json.Marshal(ch)
			journal = append(journal, line)
			return err
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	c.Manage = false
	var d *tundev.Device
	if err := w.do(func() (err error) { d, err = tundev.FromFD(fds[0], c); return err }); err != nil {
		t.Fatal(err)
	}
	if in := d.Info(); in.MTU != 1400 || len(in.Address) != 2 {
		t.Errorf("handed over, it is %+v", in)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if w.snapshot("tun0") == was {
		t.Error("nothing was changed")
	}
	err = w.do(func() error {
		h, err := host.Open()
		if err != nil {
			return err
		}
		defer h.Close()
		for _, line := range slices.Backward(journal) {
			var ch host.Change
			if err := json.Unmarshal(line, &ch); err != nil {
				return err
			}
			for range 2 { // undoing twice does no harm
				if err := h.Undo(ch); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if now := w.snapshot("tun0"); now != was {
		t.Errorf("put back, it is\n%s\nand was\n%s", now, was)
	}
}

// What cannot be noted down is not done.
func TestWithoutANoteNothingIsChanged(t *testing.T) {
	w := newWorld(t)
	w.ip("tuntap add tun0 mode tun")
	was := w.snapshot("tun0")
	full := errors.New("the disk is full")
	err := w.do(func() error {
		fds, err := tundev.OpenFD(tundev.Config{Name: "tun0", Manage: true, MTU: 1400}, func(host.Change) error { return full })
		if err == nil {
			unix.Close(fds[0])
		}
		return err
	})
	if now := w.snapshot("tun0"); !errors.Is(err, full) || now != was {
		t.Errorf("%v, and it is\n%s\nand was\n%s", err, now, was)
	}
}

// Each queue has a descriptor, and all of them are handed over.
func TestAllQueuesAreHandedOver(t *testing.T) {
	w := newWorld(t)
	c := tundev.Config{Name: "tun0", Queues: 3, Address: prefixes("192.0.2.1/24")}
	var fds []int
	w.must(w.do(func() (err error) { fds, err = tundev.OpenFD(c, nil); return err }))
	if len(fds) != 3 {
		t.Fatalf("%d descriptors", len(fds))
	}
	if _, err := tundev.FromFD(fds[0], c, fds[1]); !errors.Is(err, tundev.ErrBadConfig) {
		t.Errorf("of two of three: %v", err)
	}
	var d *tundev.Device
	w.must(w.do(func() (err error) { d, err = tundev.FromFD(fds[0], c, fds[1:]...); return err }))
	if n := strings.Count(w.ip("-d link show tun0"), "numqueues 3"); n != 1 && !strings.Contains(w.ip("-d link show tun0"), "multi_queue") {
		t.Errorf("it is %s", w.ip("-d link show tun0"))
	}
	w.must(d.Close())
	if out, err := w.run("ip link show tun0"); err == nil {
		t.Errorf("closed, it is still there: %s", out)
	}
}
