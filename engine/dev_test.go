package engine_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	host = netip.MustParseAddr("192.0.2.1")
	peer = netip.MustParseAddr("192.0.2.2")
)

// udp is a datagram from the host to a port of the peer.
func udp(t testing.TB, dport uint16, payload string) *packet.Packet {
	t.Helper()
	p, err := packet.Build(packet.IPv4{Src: host, Dst: peer}, packet.UDP{Sport: 4000, Dport: dport}, packet.Payload(payload))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A bench is an engine with two pipes, tun0 and tun1, forwarding to each other.
type bench struct {
	*engine.Engine
	t    testing.TB
	wire [2]*tundev.Wire
	log  *bytes.Buffer
	done chan error
	stop context.CancelFunc
}

// newBench makes the engine and changes its configuration by with.
func newBench(t testing.TB, with func(*engine.Config), programs ...engine.Program) *bench {
	t.Helper()
	b := &bench{t: t, log: new(bytes.Buffer), done: make(chan error, 1)}
	c := engine.Config{Seed: 1, Log: slog.New(slog.NewTextHandler(&lockedWriter{w: b.log}, nil))}
	for i, name := range []string{"tun0", "tun1"} {
		dev, wire := tundev.Pipe(tundev.Config{Name: name, Kind: tundev.TUN, Peer: []netip.Addr{peer}})
		b.wire[i] = wire
		c.Devices = append(c.Devices, engine.DeviceConfig{Device: dev, Forward: []string{"tun1", "tun0"}[i]})
	}
	for _, p := range programs {
		c.Programs = append(c.Programs, engine.ProgramConfig{Program: p})
	}
	if with != nil {
		with(&c)
	}
	eng, err := engine.New(c)
	if err != nil {
		t.Fatal(err)
	}
	b.Engine = eng
	t.Cleanup(func() { eng.Close() })
	return b
}

type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// virtual is a bench whose clock stands until it is stepped.
func virtual(t testing.TB, programs ...engine.Program) *bench {
	return newBench(t, func(c *engine.Config) { c.Clock = engine.Virtual(time.Unix(1000, 0)) }, programs...)
}

// run starts the engine on the system's clock.
func (b *bench) run() *bench {
	ctx, stop := context.WithTimeout(context.Background(), 20*time.Second)
	b.stop = stop
	go func() { b.done <- b.Run(ctx) }()
	return b
}

// end stops a running engine and returns what Run returned.
func (b *bench) end() error {
	b.stop()
	select {
	case err := <-b.done:
		return err
	case <-time.After(10 * time.Second):
		b.t.Fatal("Run does not return")
		return nil
	}
}

func (b *bench) give(p *packet.Packet) {
	b.t.Helper()
	if _, err := b.wire[0].Write(p.Bytes()); err != nil {
		b.t.Fatal(err)
	}
}

// step gives packets to tun0 and lets d go by.
func (b *bench) step(d time.Duration, ps ...*packet.Packet) {
	b.t.Helper()
	for _, p := range ps {
		b.give(p)
	}
	if err := b.Advance(d); err != nil {
		b.t.Fatal(err)
	}
}

// got is what has left by device i: the payload of every datagram.
func (b *bench) got(i int) (all []string) {
	b.t.Helper()
	buf := make([]byte, 65536)
	for b.wire[i].Pending() > 0 {
		n, err := b.wire[i].Read(buf)
		if err != nil {
			b.t.Fatal(err)
		}
		p, err := packet.Parse(buf[:n], packet.IP)
		if err != nil {
			b.t.Fatal(err)
		}
		all = append(all, string(p.Payload()))
	}
	return all
}

// handler is a program with one handler.
func handler(name string, h engine.Handler) engine.Program {
	return engine.ProgramFunc(name, func(s *engine.Scope) error {
		_, err := s.Handle(h)
		return err
	})
}

// say is a handler's Run that appends to the payload and passes.
func say(word string) func(*packet.Packet) engine.Verdict {
	return func(p *packet.Packet) engine.Verdict {
		p.SetPayload(append(bytes.Clone(p.Payload()), word...))
		return engine.Pass()
	}
}
