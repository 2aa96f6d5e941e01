package tundev_test

import (
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/internal/lab/labtest"
	"github.com/tunscript/tunscript/tundev"
	"golang.org/x/sys/unix"
)

const multi = unix.IFF_TUN | unix.IFF_NO_PI | unix.IFF_MULTI_QUEUE

// A device with four queues, one for each of four workers, answers every datagram of many
// flows, of which each worker gets some; deleted, it comes back with all of its queues.
func TestADeviceWithFourQueues(t *testing.T) {
	labtest.Need(t, "ip")
	w := newWorld(t)
	c := stayed
	c.Queues = 4
	dev := w.open(c)
	if l, err := w.Link("tun0"); err != nil || l.Queues != 4 {
		t.Errorf("it has %d queues, %v", l.Queues, err)
	}
	var by [5]atomic.Int64
	log := new(safeLog)
	eng, err := engine.New(engine.Config{Workers: 4, Log: slog.New(slog.NewTextHandler(log, nil)),
		Devices: []engine.DeviceConfig{{Device: dev}},
		Programs: []engine.ProgramConfig{{Program: engine.ProgramFunc("echo", func(s *engine.Scope) error {
			_, err := s.Handle(engine.Handler{Filter: "udp port 7", Run: func(p *packet.Packet) engine.Verdict {
				by[s.Worker()].Add(1)
				return engine.Replace(p.Reply())
			}})
			return err
		})}}})
	w.must(err)
	ended := make(chan error, 1)
	go func() { ended <- eng.Run(t.Context()) }()
	t.Cleanup(func() {
		eng.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	for round := range 3 {
		if round > 0 {
			w.ip("link del tun0")
			for end := time.Now().Add(20 * time.Second); strings.Count(log.String(), "is back") < round; time.Sleep(time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("it does not come back:\n%s", log)
				}
			}
		}
		const flows, each = 64, 20
		answered := w.echoes(flows, each)
		if answered != flows*each {
			t.Errorf("round %d: %d of %d answered; %+v", round, answered, flows*each, eng.Stats())
		}
		for i := range 4 {
			if by[i+1].Swap(0) == 0 {
				t.Errorf("round %d: worker %d answered nothing", round, i+1)
			}
		}
	}
}

// echoes sends datagrams of many flows to the peer, one after the other in each, and
// returns how many were answered.
func (w world) echoes(flows, each int) int {
	w.t.Helper()
	var answered atomic.Int64
	var wg sync.WaitGroup
	for range flows {
		var c net.Conn
		w.must(w.do(func() (err error) { c, err = net.Dial("udp", "192.0.2.2:7"); return err }))
		wg.Go(func() {
			defer c.Close()
			buf := make([]byte, 64)
			for i := range each {
				c.SetDeadline(time.Now().Add(10 * time.Second))
				if _, err := c.Write([]byte{byte(i)}); err != nil {
					w.t.Error(err)
					return
				}
				if n, err := c.Read(buf); err != nil || n != 1 || buf[0] != byte(i) {
					w.t.Errorf("%d bytes, %v", n, err)
					return
				}
				answered.Add(1)
			}
		})
	}
	wg.Wait()
	return int(answered.Load())
}

// A device that was made for one queue is no device for two, and the error says so.
func TestSeveralQueuesOfADeviceThatWasThere(t *testing.T) {
	w := newWorld(t)
	w.persistent("one", unix.IFF_TUN|unix.IFF_NO_PI)
	w.persistent("many", multi)
	if _, err := w.try(tundev.Config{Name: "one", Queues: 2}); !errors.Is(err, tundev.ErrMismatch) || !strings.Contains(err.Error(), "one queue") {
		t.Errorf("Open says %v", err)
	}
	d, err := w.try(tundev.Config{Name: "many", Queues: 3})
	w.must(err)
	if l, _ := w.Link("many"); l.Queues != 3 {
		t.Errorf("it has %d queues", l.Queues)
	}
	d.Close()
	if l, _ := w.Link("many"); l.Queues != 0 {
		t.Errorf("closed, it has %d queues", l.Queues)
	}
	if _, err := tundev.FromFD(-1, tundev.Config{Queues: 2}); !errors.Is(err, tundev.ErrBadConfig) {
		t.Errorf("FromFD says %v", err)
	}
}
