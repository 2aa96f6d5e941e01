package host_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tunscript/tunscript/tundev/host"
	"golang.org/x/sys/unix"
)

// The flags are those that ip(8) prints, whatever the state.
func TestFlagsAreThoseOfIP(t *testing.T) {
	w := newWorld(t)
	w.ip("tuntap add tap1 mode tap")
	w.device("tun0", unix.IFF_TUN)
	w.ip("tuntap add tun1 mode tun")
	w.ip("link set tun1 up")
	w.ip("link set tap1 promisc on arp off")
	between := regexp.MustCompile(`<(.*)>`)
	for _, up := range []string{"down", "up"} {
		w.ip("link set tun0 " + up)
		w.ip("link set tap1 " + up)
		links, err := w.Links()
		w.must(err)
		var names []string
		for _, l := range links {
			names = append(names, l.Name)
			if ip := between.FindStringSubmatch(w.ip("link show " + l.Name))[1]; ip != strings.Join(l.Flags, ",") {
				t.Errorf("%s: flags are %v, ip says %s", l.Name, l.Flags, ip)
			}
		}
		if !slices.Equal(names, []string{"lo", "tap1", "tun0", "tun1"}) {
			t.Errorf("the links are %v", names)
		}
	}
}

// A device that waits for a program has no carrier; one of nobody's is not one of root's.
func TestCarrierOwnersAndQueues(t *testing.T) {
	w := newWorld(t)
	w.ip("tuntap add tun0 mode tun")
	w.ip("tuntap add tun1 mode tun user 0 group 0 multi_queue pi vnet_hdr")
	w.ip("link set tun0 up")
	l, err := w.Link("tun0")
	w.must(err)
	if !l.Up || l.Carrier || l.Owner != -1 || l.Group != -1 || l.MultiQueue || l.PI || l.VNet {
		t.Errorf("without a program it is %+v", l)
	}
	w.device("tun0", unix.IFF_TUN)
	if l, err = w.Link("tun0"); err != nil || !l.Carrier {
		t.Errorf("with one it is %+v, %v", l, err)
	}
	if l, err = w.Link("tun1"); err != nil || l.Owner != 0 || l.Group != 0 || !l.MultiQueue || !l.PI || !l.VNet || l.Up {
		t.Errorf("root's is %+v, %v", l, err)
	}
}

func TestHoldersAreThoseOfThisNamespace(t *testing.T) {
	w, other := newWorld(t), newWorld(t)
	w.device("tun0", unix.IFF_TUN)
	other.ip("tuntap add tun0 mode tun")
	holders := func(w world, name string) (list []host.Holder) {
		t.Helper()
		w.must(w.do(func() (err error) {
			list, err = host.Holders(name)
			return err
		}))
		return list
	}
	if list := holders(w, "tun0"); len(list) != 1 || list[0].PID != os.Getpid() || list[0].Stopped {
		t.Errorf("tun0 is held by %v, want this process, %d", list, os.Getpid())
	}
	if list := append(holders(other, "tun0"), holders(w, "tun9")...); len(list) != 0 {
		t.Errorf("nobody's devices are held by %v", list)
	}
	// A device is where it was moved to, whatever namespace its program is in.
	other.ip("tuntap del tun0 mode tun")
	w.ip(fmt.Sprintf("link set tun0 netns %d", pidIn(t, other)))
	if here, there := holders(w, "tun0"), holders(other, "tun0"); len(here) != 0 || len(there) != 1 {
		t.Errorf("moved, it is held by %v here and by %v there", here, there)
	}
}
