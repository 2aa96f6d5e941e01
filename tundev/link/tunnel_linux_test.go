package link_test

import (
	"encoding/json"
	"net/netip"
	"os/exec"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/internal/lab"
	"github.com/tunscript/tunscript/internal/lab/labtest"
	"github.com/tunscript/tunscript/tundev"
	"github.com/tunscript/tunscript/tundev/link"
	"golang.org/x/sys/unix"
)

// end is one end of a tunnel: a host of its own behind a TUN device, and an engine that
// only forwards between the device and a link.
type end struct {
	t    testing.TB
	host *lab.Namespace
	link *link.Device
	eng  *engine.Engine
}

// tunnel is two of them, 192.0.2.1 and 192.0.2.2. The links find each other over loopback
// in the network of the test. change, if there is one, has the last word about the
// devices.
func tunnel(t testing.TB, kind link.Kind, change func(*tundev.Config, *link.Config)) [2]*end {
	t.Helper()
	var ends [2]*end
	lc := link.Config{Kind: kind, Local: anyPort}
	for i, addr := range []string{"192.0.2.1", "192.0.2.2"} {
		tc := tundev.Config{Name: "tun0", Address: []netip.Prefix{netip.MustParsePrefix(addr + "/24")}}
		if change != nil {
			change(&tc, &lc)
		}
		ends[i] = newEnd(t, tc, lc)
		lc.Local, lc.Remote = netip.AddrPort{}, ends[0].link.Addr()
	}
	for _, e := range ends {
		e.connected()
	}
	return ends
}

// connected waits for the peer.
func (e *end) connected() {
	e.t.Helper()
	for begun := time.Now(); e.link.Stats().Peer == ""; time.Sleep(time.Millisecond) {
		if time.Since(begun) > patience {
			e.t.Fatalf("no peer: %+v", e.link.Stats())
		}
	}
}

func newEnd(t testing.TB, tc tundev.Config, lc link.Config) *end {
	t.Helper()
	e := &end{t: t, host: labtest.Namespace(t)}
	var dev *tundev.Device
	err := e.host.Do(func() (err error) {
		dev, err = tundev.Open(tc)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if e.link, err = link.Open(lc); err != nil {
		t.Fatal(err)
	}
	name := e.link.Info().Name
	e.eng, err = engine.New(engine.Config{Devices: []engine.DeviceConfig{
		{Device: dev, Forward: name},
		{Device: e.link, Forward: tc.Name},
	}, Wait: engine.Prompt})
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- e.eng.Run(t.Context()) }()
	t.Cleanup(func() {
		e.eng.Close()
		if err := <-ran; err != nil {
			t.Errorf("the engine ended with %v", err)
		}
	})
	return e
}

// start starts a program on the host.
func (e *end) start(args ...string) *exec.Cmd {
	e.t.Helper()
	labtest.Need(e.t, args[0])
	c := exec.Command(args[0], args[1:]...)
	if err := e.host.Do(c.Start); err != nil {
		e.t.Fatal(err)
	}
	return c
}

// run runs one, and returns what it says.
func (e *end) run(args ...string) []byte {
	e.t.Helper()
	labtest.Need(e.t, args[0])
	c := exec.Command(args[0], args[1:]...)
	var out []byte
	err := e.host.Do(func() (err error) {
		out, err = c.CombinedOutput()
		return err
	})
	if err != nil {
		e.t.Fatalf("%q: %v\n%s", args, err, out)
	}
	return out
}

// iperf sends from one host to the other, and returns how many bits arrived in a second.
func iperf(t testing.TB, from, to *end, addr string, args ...string) float64 {
	t.Helper()
	server := to.start("iperf3", "-s", "-1")
	defer server.Wait()
	defer server.Process.Kill()
	for begun := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if err := to.host.Do(exec.Command("sh", "-c", "ss -ltn | grep -q :5201").Run); err == nil {
			break
		} else if time.Since(begun) > patience {
			t.Fatal("iperf3 does not listen")
		}
	}
	var said struct {
		End struct {
			Received struct {
				BitsPerSecond float64 `json:"bits_per_second"`
			} `json:"sum_received"`
		}
	}
	out := from.run(append([]string{"iperf3", "-J", "-c", addr}, args...)...)
	if err := json.Unmarshal(out, &said); err != nil {
		t.Fatalf("iperf3: %v\n%s", err, out)
	}
	return said.End.Received.BitsPerSecond
}

// TCP from a host through a tunnel to another, for three seconds: how fast, and what the
// two ends, which are this process, take of a processor for a gigabyte. With -cpuprofile
// it says where that goes.
func BenchmarkTunnel(b *testing.B) {
	labtest.Require(b)
	for _, kind := range []link.Kind{link.TCP, link.UDP} {
		b.Run(string(kind), func(b *testing.B) {
			ends := tunnel(b, kind, nil)
			bits, began := 0.0, spent(b)
			for b.Loop() {
				bits += iperf(b, ends[0], ends[1], "192.0.2.2", "-t", "3")
			}
			bits /= float64(b.N)
			b.ReportMetric(bits/1e9, "Gbit/s")
			b.ReportMetric((spent(b)-began).Seconds()/float64(b.N)/(bits*3/8e9), "cpu-s/GB")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// spent is the processor time that this process has taken.
func spent(t testing.TB) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
