package engine_test

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
)

// memory is a device in memory that a test drives: it gives what was fed to it,
// keeps what is written, and fails when it is told to.
type memory struct {
	info engine.Info
	fd   int // -1: wakes

	mu               sync.Mutex
	env              engine.Env
	feed             [][]byte
	sent             []string // payloads
	ended            bool
	readErr, wrote   error
	attached, closed int
}

func newMemory(name string) *memory {
	return &memory{info: engine.Info{Name: name, MTU: 1500}, fd: -1}
}

func (m *memory) Info() engine.Info { return m.info }
func (m *memory) Attach(env engine.Env) ([]engine.Queue, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.env, m.attached = env, m.attached+1
	return []engine.Queue{memoryQueue{m}}, nil
}
func (m *memory) Detach() { m.attached-- }
func (m *memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed++
	return nil
}

// give makes packets wait, and wakes the engine.
func (m *memory) give(ps ...*packet.Packet) {
	m.mu.Lock()
	for _, p := range ps {
		m.feed = append(m.feed, p.Append(nil))
	}
	wake := m.env.Wake
	m.mu.Unlock()
	if wake != nil {
		wake(0)
	}
}

// set changes the device and wakes the engine.
func (m *memory) set(change func()) {
	m.mu.Lock()
	change()
	wake := m.env.Wake
	m.mu.Unlock()
	if wake != nil {
		wake(0)
	}
}

func (m *memory) got() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sent
}

type memoryQueue struct{ *memory }

func (q memoryQueue) FD() int { return q.fd }
func (q memoryQueue) Close() error {
	return nil
}
func (q memoryQueue) Read(ps []*packet.Packet, pool *packet.Pool) (n int, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for n < len(ps) && len(q.feed) > 0 {
		ps[n] = pool.Get(len(q.feed[0]))
		if err := ps[n].Set(q.feed[0], q.info.Link); err != nil {
			return n, err
		}
		q.feed = q.feed[1:]
		n++
	}
	switch {
	case n > 0:
		return n, nil
	case q.readErr != nil:
		return 0, q.readErr
	case q.ended:
		return 0, io.EOF
	}
	return 0, nil
}
func (q memoryQueue) Write(ps []*packet.Packet, lost func(*packet.Packet, engine.Reason)) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.wrote != nil {
		return q.wrote
	}
	for _, p := range ps {
		q.sent = append(q.sent, string(p.Payload()))
	}
	return nil
}

var errPulled = errors.New("pulled out")

// text is a datagram that carries s.
func text(t testing.TB, s string) *packet.Packet {
	t.Helper()
	p, err := packet.Build(
		packet.IPv4{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2")},
		packet.UDP{Sport: 4000, Dport: 7}, packet.Payload(s))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// on is a program of one handler.
func on(run func(*engine.Scope, *packet.Packet) engine.Verdict) engine.Program {
	return engine.ProgramFunc("p", func(s *engine.Scope) error {
		_, err := s.Handle(engine.Handler{Run: func(p *packet.Packet) engine.Verdict { return run(s, p) }})
		return err
	})
}

// made is an engine over these devices, the first of which forwards to forward.
func made(t testing.TB, c engine.Config, forward string, devices ...*memory) *engine.Engine {
	t.Helper()
	for i, d := range devices {
		dc := engine.DeviceConfig{Device: d}
		if i == 0 {
			dc.Forward = forward
		}
		c.Devices = append(c.Devices, dc)
	}
	eng, err := engine.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { eng.Close() })
	return eng
}

// within fails the test if fn has not returned after d.
func within(t testing.TB, d time.Duration, what string, fn func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); fn() }()
	select {
	case <-done:
	case <-time.After(d):
		t.Fatalf("%s: not done after %v", what, d)
	}
}

// ran runs the engine beside the test; the returned function waits for its end.
func ran(t testing.TB, eng *engine.Engine) (wait func() error) {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	done := make(chan error, 1)
	go func() { done <- eng.Run(ctx) }()
	t.Cleanup(cancel)
	return func() error {
		select {
		case err := <-done:
			return err
		case <-time.After(10 * time.Second):
			t.Fatal("Run does not return")
			return nil
		}
	}
}
