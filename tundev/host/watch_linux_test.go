package host_test

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/tunscript/tunscript/tundev/host"
)

// A Watch names the link that ip(8) has changed, and ends when it is closed.
func TestAWatchHearsOfChanges(t *testing.T) {
	h := newWorld(t)
	var w *host.Watch
	if err := h.do(func() (err error) { w, err = host.OpenWatch(); return err }); err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	heard := make(chan int, 100)
	ended := make(chan error, 1)
	go func() {
		for {
			i, err := w.Next()
			if err != nil {
				ended <- err
				return
			}
			heard <- i
		}
	}()
	expect := func(what string, index int) {
		t.Helper()
		for {
			select {
			case got := <-heard:
				if got == index {
					return
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("%s: nothing was heard of link %d", what, index)
			}
		}
	}
	h.ip("tuntap add tun0 mode tun")
	l, err := h.Link("tun0")
	if err != nil {
		t.Fatal(err)
	}
	expect("made", l.Index)
	for _, c := range []string{
		"link set tun0 mtu 1300", "link set tun0 up", "addr add 192.0.2.1/24 dev tun0",
		"addr add 2001:db8::1/64 dev tun0", "link set tun0 down", "link set tun0 name tun7",
	} {
		h.ip(c)
		expect(c, l.Index)
	}
	if now, err := h.LinkAt(l.Index); err != nil || now.Name != "tun7" || now.MTU != 1300 || now.Up {
		t.Errorf("it is %+v, %v", now, err)
	}
	h.ip("link del tun7")
	expect("deleted", l.Index)
	if _, err := h.LinkAt(l.Index); !errors.Is(err, host.ErrNoLink) {
		t.Errorf("a link that is gone: %v, want ErrNoLink", err)
	}
	w.Close()
	if err := w.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	select {
	case err := <-ended:
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("Next goes on after Close")
	}
}
