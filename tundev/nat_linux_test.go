package tundev_test

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/flow"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/internal/lab/labtest"
	"github.com/tunscript/tunscript/tundev"
)

// A masked is two hosts, near and far, and an engine of four workers between them whose
// program gives near's flows another address and port: the kernel, which knows each of them
// by two tuples, hashes the answers to other queues than the questions.
type masked struct {
	near, far world
	*engine.Engine
	watch  *watch
	server netip.Addr
	end    func()
}

var (
	outside = netip.MustParseAddr("198.51.100.9")
	natted  = engine.Handler{Device: "tun0", Super: true}
)

// natProgram rewrites each flow from tun0 once, and counts it where all workers see.
func natProgram(t *testing.T) engine.Program {
	return engine.ProgramFunc("nat", func(s *engine.Scope) error {
		seen, err := s.Shared("seen")
		if err != nil {
			return err
		}
		h := natted
		h.Run = func(p *packet.Packet) engine.Verdict {
			f, ok := s.Flow(p)
			if !ok {
				return engine.Drop("no flow")
			}
			if _, err := seen.Incr(s.Now(), "flows", 1); err != nil {
				return engine.Fail(err)
			}
			if err := f.Rewrite(flow.Rewrite{Src: outside, FreeSport: true}); err != nil {
				return engine.Fail(err)
			}
			return engine.Pass()
		}
		_, err = s.Handle(h)
		return err
	})
}

// A watch sees which worker takes in a flow's packets on tun0, and which writes its answers.
type watch struct {
	mu     sync.Mutex
	owner  map[string]int
	others int // packets that another worker handled
}

func (w *watch) Observe(e *engine.Event) {
	if e.Device != "tun0" || e.Kind != engine.Received && e.Kind != engine.Sent {
		return
	}
	port := uint16(0)
	if v, ok := e.Packet.TCP(); ok {
		if port = v.Sport(); e.Kind == engine.Sent {
			port = v.Dport()
		}
	} else if v, ok := e.Packet.UDP(); ok {
		if port = v.Sport(); e.Kind == engine.Sent {
			port = v.Dport()
		}
	}
	if port == 0 {
		return
	}
	ip, _ := e.Packet.IP()
	k := fmt.Sprint(ip.Proto(), port)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.owner[k] == 0 {
		w.owner[k] = e.Worker
	}
	if w.owner[k] != e.Worker {
		w.others++
	}
}

func newMasked(t *testing.T, queues int, program engine.Program) *masked {
	labtest.Need(t, "ip")
	m := &masked{near: newWorld(t), far: newWorld(t), watch: &watch{owner: map[string]int{}}, server: netip.MustParseAddr("203.0.113.2")}
	in := m.near.open(tundev.Config{Name: "tun0", Queues: 4, Address: prefixes("192.0.2.1/32"),
		Peer: addrs("192.0.2.2"), Route: prefixes("203.0.113.0/24")})
	out := m.far.open(tundev.Config{Name: "tun1", Queues: queues, Address: prefixes("203.0.113.2/32"),
		Peer: addrs("203.0.113.1"), Route: prefixes("198.51.100.0/24")})
	var err error
	m.Engine, err = engine.New(engine.Config{
		Workers: 4, Wait: engine.Prompt, Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Observer: m.watch,
		Devices:  []engine.DeviceConfig{{Device: in, Forward: "tun1"}, {Device: out, Forward: "tun0"}},
		Programs: []engine.ProgramConfig{{Program: program}},
	})
	m.near.must(err)
	done := make(chan error, 1)
	go func() { done <- m.Run(t.Context()) }()
	m.end = sync.OnceFunc(func() {
		m.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(m.end)
	return m
}

// listen answers every message with itself, over TCP and UDP; a message that begins with 0xff
// is answered after the pause that it says, in ms.
func (m *masked) listen(t *testing.T) {
	var l net.Listener
	var u net.PacketConn
	m.far.must(m.far.do(func() (err error) {
		l, err = net.Listen("tcp", m.server.String()+":7")
		if err == nil {
			u, err = net.ListenPacket("udp", m.server.String()+":7")
		}
		return err
	}))
	var mu sync.Mutex
	var conns []net.Conn
	var serving sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		u.Close()
		mu.Lock()
		for _, c := range conns { // nobody carries their FINs any more
			c.Close()
		}
		mu.Unlock()
		serving.Wait()
	})
	pause := func(b []byte) {
		if b[0] == 0xff {
			time.Sleep(time.Duration(binary.BigEndian.Uint16(b[1:])) * time.Millisecond)
		}
	}
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
			serving.Go(func() {
				defer c.Close()
				b := make([]byte, message)
				for {
					if _, err := io.ReadFull(c, b); err != nil {
						return
					}
					pause(b)
					if _, err := c.Write(b); err != nil {
						return
					}
				}
			})
		}
	})
	serving.Go(func() {
		b := make([]byte, message)
		for {
			n, from, err := u.ReadFrom(b)
			if err != nil {
				return
			}
			late := append([]byte(nil), b[:n]...)
			serving.Go(func() {
				pause(late)
				u.WriteTo(late, from)
			})
		}
	})
}

const message = 100 // bytes

// talk sends n messages on each of so many connections and wants each back; then one that is
// answered after the kernel has forgotten which queue the flow's was: the server speaks first.
func (m *masked) talk(t *testing.T, network string, connections, n int, idle time.Duration) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range connections {
		var c net.Conn
		wg.Go(func() {
			err := m.near.do(func() (err error) {
				c, err = net.DialTimeout(network, m.server.String()+":7", 20*time.Second)
				return err
			})
			if err != nil {
				t.Errorf("%s %d: %v", network, i, err)
				return
			}
			defer c.Close()
			b, got := make([]byte, message), make([]byte, message)
			for k := range n + 1 {
				b[0], b[50], b[51], b[52] = 0, byte(i), byte(k), byte(k>>8)
				if k == n {
					if idle == 0 {
						return
					}
					b[0] = 0xff
					binary.BigEndian.PutUint16(b[1:], uint16(idle/time.Millisecond))
				}
				c.SetDeadline(time.Now().Add(idle + 20*time.Second))
				if _, err = c.Write(b); err == nil {
					_, err = io.ReadFull(c, got)
				}
				if err != nil || string(got) != string(b) {
					t.Errorf("%s %d, message %d: %v", network, i, k, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

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
