package tundev_test

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev"
	"golang.org/x/sys/unix"
)

// Answers of one size to one flow, in a row, are one write with "max", and the kernel's
// own count of what came from the device says so; with "auto" each is a write. Whoever has
// asked gets each by itself.
func TestAnswersLeaveTogether(t *testing.T) {
	const size, each, rounds = 64, 32, 20
	for _, offload := range []tundev.Offload{tundev.OffloadMax, tundev.OffloadAuto, tundev.OffloadOff} {
		for _, addr := range []string{"192.0.2.2", "2001:db8::2"} {
			w := newWorld(t)
			d := w.open(tundev.Config{Name: "tun0", Offload: offload, Address: prefixes("192.0.2.1/32", "2001:db8::1/128"),
				Peer: addrs("192.0.2.2", "2001:db8::2")})
			eng, err := engine.New(engine.Config{Log: slog.New(slog.DiscardHandler), Devices: []engine.DeviceConfig{{Device: d}},
				Programs: []engine.ProgramConfig{{Program: on(engine.Handler{Filter: "udp dst port 7", Run: func(p *packet.Packet) engine.Verdict {
					return engine.Replace(p.Reply())
				}})}}})
			if err != nil {
				t.Fatal(err)
			}
			var supers atomic.Int64
			eng.Observe(engine.ObserverFunc(func(e *engine.Event) {
				if e.Kind == engine.Received && e.Packet.Segments() > 1 {
					supers.Add(1)
				}
			}), nil)
			done := make(chan error, 1)
			go func() { done <- eng.Run(t.Context()) }()

			var c *net.UDPConn
			w.must(w.do(func() (err error) {
				c, err = net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(addr), 7)))
				return err
			}))
			raw, _ := c.SyscallConn()
			raw.Control(func(fd uintptr) {
				if err := unix.SetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_SEGMENT, size); err != nil {
					t.Error(err)
				}
			})
			before := w.came("tun0")
			data, buf := make([]byte, size*each), make([]byte, 2048)
			for round := range rounds {
				for i := range data {
					data[i] = byte(i/size + round)
				}
				if _, err := c.Write(data); err != nil {
					t.Fatal(err)
				}
				for i := range each {
					c.SetReadDeadline(time.Now().Add(10 * time.Second))
					if n, err := c.Read(buf); err != nil || n != size || buf[0] != byte(i+round) || buf[size-1] != buf[0] {
						t.Fatalf("%s, %s: answer %d of round %d: %d bytes, %v", offload, addr, i, round, n, err)
					}
				}
			}
			wrote := w.came("tun0") - before
			// The questions come as one packet, so that all are answered before anything leaves.
			switch max := offload == tundev.OffloadMax; {
			case max && supers.Load() == 0:
				t.Skip("the kernel hands over no UDP super-packets: it takes Linux 6.2")
			case max && wrote > rounds*each/2, !max && wrote < rounds*each:
				t.Errorf("%s, %s: %d writes for %d answers", offload, addr, wrote, rounds*each)
			}
			t.Logf("%s, %s: %d writes for %d answers", offload, addr, wrote, rounds*each)
			c.Close()
			eng.Close()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
}

// came is how many packets the kernel has taken from a device.
func (w world) came(name string) (n int) {
	w.t.Helper()
	w.must(w.do(func() error {
		b, err := os.ReadFile("/proc/thread-self/net/dev")
		for line := range strings.Lines(string(b)) {
			if dev, counts, ok := strings.Cut(strings.TrimSpace(line), ":"); ok && dev == name {
				var bytes int
				_, err = fmt.Sscan(counts, &bytes, &n)
			}
		}
		return err
	}))
	return n
}
