package reload_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/internal/lab/labtest"
	"github.com/tunscript/tunscript/internal/reload"
	"github.com/tunscript/tunscript/tundev"
)

// queue is what the kernel keeps of packets for us: 10 ms of the rate, half of what the
// script takes to load. A worker that waited for the load would lose the other half.
const queue = rate / 100

// A reload under traffic of the kernel's loses nothing: what it sends is counted by the
// script exactly, and its own count of drops does not move. Where it also moves without a
// reload the machine has no time for this, and the test tries again.
func TestNothingIsLostOnADevice(t *testing.T) {
	labtest.Require(t)
	var lost, alone uint64
	for range 5 {
		if lost, alone = reloadOnDevice(t); lost == 0 {
			return
		}
	}
	if alone > 0 {
		t.Skipf("the machine is too busy: it loses %d packets without a reload, too", alone)
	}
	t.Errorf("%d packets were lost in a reload, and none without", lost)
}

// reloadOnDevice is how many packets the kernel has dropped while a script was reloaded,
// and in a time like that before.
func reloadOnDevice(t *testing.T) (lost, alone uint64) {
	t.Helper()
	dev, err := tundev.Open(tundev.Config{
		Name: "tun0", Kind: tundev.TUN, TxQueueLen: queue,
		Address: []netip.Prefix{netip.PrefixFrom(host, 32)}, Peer: []netip.Addr{peer},
	})
	if err != nil {
		t.Fatal(err)
	}
	var g generation
	first, err := g.load(0)
	if err != nil {
		t.Fatal(err)
	}
	eng, err := engine.New(engine.Config{
		Devices:  []engine.DeviceConfig{{Device: dev}},
		Programs: []engine.ProgramConfig{{Program: first}},
		Wait:     engine.Prompt,
	})
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	ctx, stopRun := context.WithCancel(t.Context())
	go func() { ran <- eng.Run(ctx) }()
	defer func() {
		stopRun()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	}()
	for eng.Do(1, first, func(*engine.Scope) {}) == engine.ErrNotRunning {
		time.Sleep(time.Millisecond)
	}

	c, err := net.Dial("udp", netip.AddrPortFrom(peer, 7).String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	stop := make(chan struct{})
	done := make(chan string, 1)
	begun := dropped(t, "tun0")
	var sent uint64
	go func() {
		frame := make([]byte, 8)
		n, perSecond, err := paced(stop, func(uint64) error { _, err := c.Write(frame); return err })
		sent = n
		done <- fmt.Sprintf("%.0f packets a second, %v", perSecond, err)
	}()
	time.Sleep(50 * time.Millisecond)
	before := dropped(t, "tun0")
	alone = before - begun
	if _, err := reload.New(eng, []engine.Program{first}, func(int) (engine.Program, error) {
		p, err := g.load(0)
		first = p
		return p, err
	}).All(); err != nil {
		t.Fatal(err)
	}
	lost = dropped(t, "tun0") - before
	close(stop)
	how := <-done
	all := dropped(t, "tun0") - begun
	t.Logf("%s; the load took %v; %d packets lost before it, %d meanwhile", how, time.Duration(g.took.Load()), alone, lost)

	// Of what the kernel did not drop, nothing is missing and nothing comes twice.
	want := fmt.Sprint(sent - all)
	got := ""
	for until := time.Now().Add(20 * time.Second); got != want && time.Now().Before(until); time.Sleep(time.Millisecond) {
		got = counted(t, eng, first)
	}
	if got != want {
		t.Errorf("the scripts have counted %s packets, and the kernel gave them %s", got, want)
	}
	return lost, alone
}

// dropped is what the kernel could not keep for the device.
func dropped(t *testing.T, dev string) uint64 {
	t.Helper()
	f, err := os.Open("/proc/self/net/dev")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		name, rest, _ := strings.Cut(strings.TrimSpace(s.Text()), ":")
		if fields := strings.Fields(rest); name == dev && len(fields) > 11 {
			var n uint64
			if _, err := fmt.Sscan(fields[11], &n); err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("/proc/self/net/dev has no %s", dev)
	return 0
}
