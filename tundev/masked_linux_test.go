package tundev_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
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
