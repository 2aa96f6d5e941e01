package tundev_test

import (
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
)

// right wants nothing lost, nothing handled twice or by another worker than the flow's, and at
// most so many of a thousand packets handed over.
func (m *masked) right(t *testing.T, flows int, perMille float64) {
	t.Helper()
	m.end() // the counts of the last batches, too
	s := m.Stats()
	var steered, verdicts uint64
	for _, w := range s.Workers {
		steered += w.Steered
	}
	for _, n := range s.Verdicts {
		verdicts += n
	}
	received := s.Devices["tun0"].Received + s.Devices["tun1"].Received
	share := 1000 * float64(steered) / float64(received)
	t.Logf("%d packets, %.2f of a thousand handed over, %d flows", received, share, s.Flows.Made)
	if m.watch.others > 0 {
		t.Errorf("%d packets were handled by another worker than their flow's", m.watch.others)
	}
	if verdicts != received || s.Devices["tun0"].Lost+s.Devices["tun1"].Lost > 0 || len(s.Reasons) > 0 || len(s.Errors) > 0 {
		t.Errorf("%d packets, %d verdicts, %+v, %v, %v", received, verdicts, s.Devices, s.Reasons, s.Errors)
	}
	if int(s.Flows.Made) < flows {
		t.Errorf("%d flows, want %d", s.Flows.Made, flows)
	}
	if share > perMille {
		t.Errorf("%.1f of a thousand packets were handed over, want at most %.1f", share, perMille)
	}
}

// Connections and datagrams get through, each by one worker, and also those whose server
// speaks first after more than the 3 s for which the kernel remembers.
func TestNATOverWorkers(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for the kernel to forget, for 4 s: run without -short")
	}
	for _, network := range []string{"tcp", "udp"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			m := newMasked(t, 4, natProgram(t))
			m.listen(t)
			const connections = 60
			m.talk(t, network, connections, 50, 4*time.Second)
			m.right(t, connections, 50)
		})
	}
}

// Bulk streams arrive right, and all but a few packets come by the queue of their worker.
func TestBulkNATOverWorkers(t *testing.T) {
	m := newMasked(t, 4, natProgram(t))
	steered, received := m.bulk(t)
	if steered*50 > received {
		t.Errorf("%d of %d packets were handed over", steered, received)
	}
}

// A device with one queue is read and written by the first worker: super-packets are handed
// over whole, in and out.
func TestBulkNATByOneQueue(t *testing.T) { newMasked(t, 1, natProgram(t)).bulk(t) }

// bulk sends streams through and wants them right.
func (m *masked) bulk(t *testing.T) (steered, received uint64) {
	t.Helper()
	var l net.Listener
	m.far.must(m.far.do(func() (err error) { l, err = net.Listen("tcp", m.server.String()+":9"); return err }))
	defer l.Close()
	const streams, size = 8, 16 << 20
	data := make([]byte, size)
	rand.NewChaCha8([32]byte{3}).Read(data)
	want := sha256.Sum256(data)
	var wg sync.WaitGroup
	for range streams {
		wg.Go(func() {
			c, err := l.Accept()
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			c.SetDeadline(time.Now().Add(60 * time.Second))
			h := sha256.New()
			if n, err := io.Copy(h, c); err != nil || n != size || [32]byte(h.Sum(nil)) != want {
				t.Errorf("%d bytes arrived, %v", n, err)
			}
		})
		wg.Go(func() {
			var c net.Conn
			err := m.near.do(func() (err error) {
				c, err = net.DialTimeout("tcp", m.server.String()+":9", 20*time.Second)
				return err
			})
			if err == nil {
				c.SetDeadline(time.Now().Add(60 * time.Second))
				_, err = c.Write(data)
				c.Close()
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	begin := time.Now()
	wg.Wait()
	t.Logf("%.1f Gbit/s", streams*size*8/1e9/time.Since(begin).Seconds())
	m.end()
	s := m.Stats()
	for _, w := range s.Workers {
		steered += w.Steered
	}
	received = s.Devices["tun0"].Received + s.Devices["tun1"].Received
	t.Logf("%d of %d packets handed over, %v", steered, received, s.Reasons)
	if m.watch.others > 0 || len(s.Errors) > 0 {
		t.Errorf("%d by other workers, %v", m.watch.others, s.Errors)
	}
	return steered, received
}

// A port that nobody listens on: the error quotes the rewritten datagram, comes up by a queue
// of its addresses, and reaches the socket that had sent it.
func TestErrorsAboutNATOverWorkers(t *testing.T) {
	m := newMasked(t, 4, natProgram(t))
	m.far.must(m.far.do(func() error { // or there would be one error a second
		return os.WriteFile("/proc/sys/net/ipv4/icmp_ratelimit", []byte("0"), 0)
	}))
	const sockets = 40
	var refused atomic.Int64
	var wg sync.WaitGroup
	for range sockets {
		wg.Go(func() {
			var c net.Conn
			if err := m.near.do(func() (err error) { c, err = net.Dial("udp", m.server.String()+":9"); return err }); err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			c.Write([]byte("?"))
			c.SetDeadline(time.Now().Add(10 * time.Second))
			if _, err := c.Read(make([]byte, 1)); errors.Is(err, syscall.ECONNREFUSED) {
				refused.Add(1)
			} else {
				t.Errorf("a socket hears %v", err)
			}
		})
	}
	wg.Wait()
	if n := refused.Load(); n != sockets {
		t.Errorf("%d of %d sockets heard of it", n, sockets)
	}
	m.right(t, sockets, 1000)
}

// Programs are exchanged in four workers while connections talk: none notices. The flows are
// rewritten on, and counted once each where all workers and programs see.
func TestReloadOfFourWorkersUnderLoad(t *testing.T) {
	current := natProgram(t)
	m := newMasked(t, 4, current)
	m.listen(t)
	ended := make(chan struct{})
	var wg sync.WaitGroup
	swaps := 0
	wg.Go(func() {
		for {
			select {
			case <-ended:
				return
			case <-time.After(2 * time.Millisecond):
			}
			next := natProgram(t)
			if err := m.Swap(current, next); err != nil {
				t.Error(err)
				return
			}
			current = next
			swaps++
		}
	})
	const connections = 40
	m.talk(t, "tcp", connections, 100, 0)
	m.talk(t, "udp", connections, 100, 0)
	close(ended)
	wg.Wait()
	counted := 0.0
	if err := m.Do(1, current, func(s *engine.Scope) {
		seen, _ := s.Shared("seen")
		v, _ := seen.Get(s.Now(), "flows")
		counted, _ = v.Number()
	}); err != nil {
		t.Error(err)
	}
	if counted != 2*connections || swaps == 0 {
		t.Errorf("%v flows were counted, want %d, over %d exchanges", counted, 2*connections, swaps)
	}
	m.right(t, 2*connections, 50)
}
