package link_test

import (
	"os/exec"
	"testing"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/internal/lab/labtest"
	"github.com/tunscript/tunscript/tundev"
	"github.com/tunscript/tunscript/tundev/link"
)

// What is longer than the link's MTU: TCP is cut into segments, IPv4 that may be is
// fragmented, and the rest is dropped and counted.
func TestLongerThanTheMTU(t *testing.T) {
	labtest.Require(t)
	for _, kind := range []link.Kind{link.TCP, link.UDP} {
		t.Run(string(kind), func(t *testing.T) {
			leaks(t)
			ends := tunnel(t, kind, func(_ *tundev.Config, c *link.Config) { c.MTU = 1000 })
			ends[0].run("ping", "-q", "-c", "1", "-W", "10", "-s", "1400", "-M", "dont", "192.0.2.2")
			tooBig := func() uint64 { return ends[0].eng.Stats().Reasons[engine.ReasonTooBig] }
			if n := tooBig(); n > 0 {
				t.Errorf("%d were too big that may be fragmented", n)
			}
			ping := exec.Command("ping", "-q", "-c", "1", "-W", "1", "-s", "1400", "-M", "do", "192.0.2.2")
			if err := ends[0].host.Do(ping.Run); err == nil || tooBig() != 1 {
				t.Errorf("a ping that must not be fragmented: %v, and %d too big, want no answer and 1", err, tooBig())
			}
			iperf(t, ends[0], ends[1], "192.0.2.2", "-n", "5M")
			if n := tooBig(); n != 1 {
				t.Errorf("%d segments of TCP were too big", n-1)
			}
		})
	}
}

// A path that takes less than a datagram: the kernel makes fragments of it.
func TestADatagramLongerThanThePath(t *testing.T) {
	labtest.Require(t)
	leaks(t)
	sh(t, "ip link set lo mtu 1280")
	t.Cleanup(func() { sh(t, "ip link set lo mtu 65536") })
	ends := tunnel(t, link.UDP, nil)
	for range 3 {
		ends[0].run("ping", "-q", "-c", "1", "-W", "10", "-s", "1472", "-M", "do", "192.0.2.2")
	}
	iperf(t, ends[0], ends[1], "192.0.2.2", "-n", "5M") // many at once, which the kernel does not cut so large
	for _, e := range ends {
		if s := e.link.Stats(); s.Failed > 0 {
			t.Errorf("%+v, want nothing that the system does not take", s)
		}
	}
}
