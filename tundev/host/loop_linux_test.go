package host_test

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tunscript/tunscript/internal/lab/labtest"
	"github.com/tunscript/tunscript/tundev/host"
	"golang.org/x/sys/unix"
)

// counts are packets that came out of tun0 and of tun1.
type counts struct{ n [2]atomic.Int64 }

func (c *counts) now() [2]int64 { return [2]int64{c.n[0].Load(), c.n[1].Load()} }

// pair makes two devices with an address of each family, and a program between them
// that copies what comes out of one into the other and counts.
func (w world) pair() *counts {
	w.t.Helper()
	var count counts
	var fds [2]int
	for i := range fds {
		name := fmt.Sprintf("tun%d", i)
		fds[i] = w.device(name, unix.IFF_TUN)
		w.must(w.Apply(name, host.Settings{NoLinkLocal: true, Up: true, Addrs: []host.Addr{
			{Prefix: pfx(fmt.Sprintf("192.0.2.%d/32", i+1))}, {Prefix: pfx(fmt.Sprintf("2001:db8::%d/128", i+1))},
		}}))
	}
	stop, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	w.must(err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1<<16)
		for {
			p := []unix.PollFd{{Fd: int32(fds[0]), Events: unix.POLLIN}, {Fd: int32(fds[1]), Events: unix.POLLIN}, {Fd: int32(stop), Events: unix.POLLIN}}
			if _, err := unix.Poll(p, -1); err != nil && err != unix.EINTR || p[2].Revents != 0 {
				return
			}
			for i := range fds {
				if n, err := unix.Read(fds[i], buf); err == nil {
					count.n[i].Add(1)
					unix.Write(fds[1-i], buf[:n])
				}
			}
		}
	}()
	w.t.Cleanup(func() {
		unix.Write(stop, []byte{1, 0, 0, 0, 0, 0, 0, 0})
		<-done
		unix.Close(stop)
	})
	return &count
}

// rules is what would be different if a loop had left something.
func (w world) rules() string {
	return w.ip("rule") + w.ip("-6 rule") + w.ip("route show table all") + w.ip("-6 route show table all")
}

// ping is one packet there and back; it says whether it came.
func (w world) ping(args string) bool {
	w.t.Helper()
	labtest.Need(w.t, "ping")
	return w.do(exec.Command("ping", strings.Fields("-n -c 1 -W 2 "+args)...).Run) == nil
}

func TestALoopCrossesWhoReadsTheDevices(t *testing.T) {
	for _, filter := range []string{"0", "1", "2"} { // rp_filter: off, strict, loose
		w := newWorld(t)
		w.must(w.SetUp("lo"))
		w.must(w.do(func() error {
			return os.WriteFile("/proc/sys/net/ipv4/conf/all/rp_filter", []byte(filter), 0)
		}))
		count := w.pair()
		if !w.ping("192.0.2.2") || count.now() != [2]int64{} {
			t.Errorf("without a loop it is the kernel that answers, and %v packets crossed", count.now())
		}
		was := w.rules()
		table, err := w.FreeTable()
		w.must(err)
		w.must(w.Loop("tun0", "tun1", table))
		laid := w.rules()
		w.must(w.Loop("tun0", "tun1", table)) // laying it again changes nothing
		if now := w.rules(); now != laid {
			t.Errorf("laid twice:\n%s\nonce:\n%s", now, laid)
		}
		if next, err := w.FreeTable(); next == table || err != nil {
			t.Errorf("table %d is not taken, %v", next, err)
		}
		before := count.now()
		for _, ping := range []string{"192.0.2.2", "192.0.2.1", "-I 192.0.2.2 192.0.2.1", "-I 192.0.2.1 192.0.2.2",
			"2001:db8::2", "2001:db8::1", "-I 2001:db8::2 2001:db8::1"} {
			if !w.ping(ping) {
				t.Errorf("rp_filter %s: ping %s is not answered", filter, ping)
			}
			now := count.now()
			if now[0] == before[0] || now[1] == before[1] {
				t.Errorf("rp_filter %s: ping %s did not cross: %v, before %v", filter, ping, now, before)
			}
			before = now
		}
		// All else goes as it did.
		w.has("route get 127.0.0.1", "dev lo")
		w.has("route get 192.0.2.2 from 192.0.2.1 iif tun1", "local 192.0.2.2")
		undo := host.Change{Kind: host.KindLoop, Number: table}
		for range 2 {
			w.must(w.Undo(undo))
		}
		if now := w.rules(); now != was {
			t.Errorf("undone:\n%s\nwas\n%s", now, was)
		}
	}
}

// Rules of others keep their places, wherever they are, and so does table local where
// somebody has put it further back.
func TestALoopKeepsTheOrderOfRules(t *testing.T) {
	w := newWorld(t)
	w.must(w.SetUp("lo"))
	count := w.pair()
	w.ip("rule add pref 0 to 198.51.100.1 lookup 77")
	w.ip("rule add pref 1 to 198.51.100.2 lookup 77")
	w.ip("-6 rule add pref 100 lookup local")
	w.ip("-6 rule del pref 0")
	was := w.rules()
	w.must(w.Loop("tun0", "tun1", 30000))
	for _, args := range []string{"rule", "-6 rule"} {
		all := w.ip(args)
		ours, local := strings.Index(all, "lookup 30000"), strings.Index(all, "lookup local")
		if ours < 0 || ours > local {
			t.Errorf("ip %s: a packet made here does not go round\n%s", args, all)
		}
	}
	if !w.ping("192.0.2.2") || !w.ping("2001:db8::2") || count.now()[0] < 2 {
		t.Errorf("%v packets crossed", count.now())
	}
	w.must(w.Undo(host.Change{Kind: host.KindLoop, Number: 30000}))
	sorted := func(s string) []string { // among those of preference 0 table local is now the last
		return slices.Sorted(strings.Lines(s))
	}
	if now := w.rules(); !slices.Equal(sorted(now), sorted(was)) {
		t.Errorf("undone:\n%s\nwas\n%s", now, was)
	}
}

func TestALoopNeedsAnAddressOnBothSides(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"tun0", "tun1"} {
		w.device(name, unix.IFF_TUN)
		w.must(w.NoLinkLocal(name))
		w.must(w.SetUp(name))
	}
	w.must(w.AddAddr("tun0", host.Addr{Prefix: pfx("192.0.2.1/32")}))
	w.must(w.AddAddr("tun1", host.Addr{Prefix: pfx("2001:db8::2/128")}))
	was := w.rules()
	if err := w.Loop("tun0", "tun1", 30000); err == nil || !strings.Contains(err.Error(), "both IPv4 or both IPv6") {
		t.Errorf("of two families: %v", err)
	}
	if err := w.Loop("tun0", "tun7", 30000); err == nil || !strings.Contains(err.Error(), "tun7") {
		t.Errorf("without the other one: %v", err)
	}
	if now := w.rules(); now != was {
		t.Errorf("nothing was laid, and it is\n%s\nand was\n%s", now, was)
	}
	for _, table := range []int{0, 254, 255} { // what a forged journal might name
		if err := w.Undo(host.Change{Kind: host.KindLoop, Number: table}); err == nil {
			t.Errorf("table %d was emptied", table)
		}
	}
}
