package tundev_test

import (
	"math"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/impair"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev"
)

// Of the segments of a TCP stream that comes in super-packets, as many are lost as of any
// packets: a fault is the wire's, and the wire carries segments.
func TestLossOfSegments(t *testing.T) {
	if _, err := exec.LookPath("iperf3"); err != nil {
		t.Skip("needs iperf3: apt-get install iperf3")
	}
	const loss, seconds = 0.1, 5
	n := newThree(t, tundev.TUN, tundev.OffloadAuto)
	var passed, super uint64
	eng, stop := n.start(t,
		engine.ProgramFunc("loss", func(s *engine.Scope) error {
			_, err := s.Impair(engine.ImpairConfig{Options: impair.Options{Filter: "tcp dst port 5201 and greater 500", Loss: loss}})
			return err
		}),
		// Asked for super-packets, it gets the pieces that the fault has left.
		engine.ProgramFunc("count", func(s *engine.Scope) error {
			_, err := s.Handle(engine.Handler{Super: true, Filter: "tcp dst port 5201 and greater 500", Run: func(p *packet.Packet) engine.Verdict {
				passed += uint64(p.Segments())
				if p.Segments() > 1 {
					super++
				}
				return engine.Pass()
			}})
			return err
		}))
	var server *exec.Cmd
	n.middle.must(n.middle.do(func() error {
		server = exec.Command("iperf3", "-s", "-1", "-B", "192.0.2.2")
		return server.Start()
	}))
	defer func() { server.Process.Kill(); server.Wait() }()
	var out []byte
	for range 50 { // until the server listens
		err := n.near.do(func() (err error) {
			out, err = exec.Command("iperf3", "-c", "192.0.2.2", "-P", "16", "-t", strconv.Itoa(seconds), "-f", "m").CombinedOutput()
			return err
		})
		if err == nil || !strings.Contains(string(out), "unable to connect") {
			n.near.must(err)
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	stop()
	lost := eng.Stats().Reasons[engine.Reason(impair.Lost)]
	all := float64(lost + passed)
	// Half a point, and no less than what chance leaves of so few: three standard deviations.
	allowed := max(0.005, 3*math.Sqrt(loss*(1-loss)/all))
	t.Logf("%d of %.0f segments are lost: %.2f %%; %.2f points are allowed", lost, all, 100*float64(lost)/all, 100*allowed)
	if got := float64(lost) / all; math.Abs(got-loss) > allowed {
		t.Errorf("%.2f %% of the segments are lost, want %.0f %%", 100*got, 100*loss)
	}
	if all < 2000 || super > 0 {
		t.Errorf("%.0f segments, %d super-packets after the fault: want thousands and none", all, super)
	}
}
