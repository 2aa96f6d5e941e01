package engine_test

import (
	"context"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/flow"
	"github.com/tunscript/tunscript/engine/impair"
	"github.com/tunscript/tunscript/engine/packet"
)

// endless is a device that gives the same packet n times and swallows what it is
// given, without a lock or a copy more than a device needs.
type endless struct {
	frame         []byte
	n, total      int
	sent          int
	before, after runtime.MemStats // behind the first tenth, and at the end
}

func (d *endless) Info() engine.Info                         { return engine.Info{Name: "tun0", MTU: 1500} }
func (d *endless) Attach(engine.Env) ([]engine.Queue, error) { return []engine.Queue{d}, nil }
func (d *endless) Detach()                                   {}
func (d *endless) Close() error                              { return nil }
func (d *endless) FD() int                                   { return -1 }
func (d *endless) Read(ps []*packet.Packet, pool *packet.Pool) (int, error) {
	if d.n == d.total-d.total/10/64*64 {
		runtime.ReadMemStats(&d.before)
	}
	if d.n == 0 {
		runtime.ReadMemStats(&d.after)
		return 0, io.EOF
	}
	n := min(len(ps), d.n)
	d.n -= n
	for i := range n {
		ps[i] = pool.Get(len(d.frame))
		if err := ps[i].Set(d.frame, packet.IP); err != nil {
			return i, err
		}
	}
	return n, nil
}
func (d *endless) Write(ps []*packet.Packet, _ func(*packet.Packet, engine.Reason)) error {
	for _, p := range ps {
		p.Bytes()
	}
	d.sent += len(ps)
	return nil
}

// through runs n packets through an engine.
func through(tb testing.TB, n int, c engine.Config) *endless {
	tb.Helper()
	return throughWith(tb, n, c, func(*engine.Engine) {})
}

// throughWith does something with the engine before it runs.
func throughWith(tb testing.TB, n int, c engine.Config, do func(*engine.Engine)) *endless {
	tb.Helper()
	d := &endless{frame: text(tb, "hello").Bytes(), n: n, total: n}
	c.Devices = []engine.DeviceConfig{{Device: d, Forward: "tun0"}}
	eng, err := engine.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	do(eng)
	if err := eng.Run(context.Background()); err != nil {
		tb.Fatal(err)
	}
	if d.sent != n {
		tb.Fatalf("%d packets left, want %d", d.sent, n)
	}
	return d
}

func pass(n int) engine.Program {
	return engine.ProgramFunc("pass", func(s *engine.Scope) error {
		for range n {
			if _, err := s.Handle(engine.Handler{Run: func(*packet.Packet) engine.Verdict { return engine.Pass() }}); err != nil {
				return err
			}
		}
		return nil
	})
}

var echo = engine.ProgramFunc("echo", func(s *engine.Scope) error {
	_, err := s.Handle(engine.Handler{Filter: "udp dst port 7", Run: func(p *packet.Packet) engine.Verdict {
		return engine.Replace(p.Reply())
	}})
	return err
})

type counting struct{ n int }

func (c *counting) Observe(*engine.Event) { c.n++ }

var ways = []struct {
	name     string
	programs []engine.Program
	observed bool
	impair   []engine.ImpairConfig
}{
	{name: "none"},
	{name: "one", programs: []engine.Program{pass(1)}},
	{name: "ten", programs: []engine.Program{pass(10)}},
	{name: "waiting", programs: []engine.Program{waiting(1)}},
	{name: "echo", programs: []engine.Program{echo}},
	{name: "echo-observed", programs: []engine.Program{echo}, observed: true},
	{name: "faults", impair: []engine.ImpairConfig{{Options: impair.Options{Corrupt: 0.5, Reorder: 0.1, Delay: 50 * time.Microsecond, Jitter: 10 * time.Microsecond}}}},
	{name: "flow", programs: []engine.Program{flows(func(engine.Flow) {})}},
	{name: "bypassed", programs: []engine.Program{flows(func(f engine.Flow) { f.Bypass(flow.Pass) })}},
	{name: "rewritten", programs: []engine.Program{flows(func(f engine.Flow) { f.Rewrite(flow.Rewrite{Dport: 80}) })}},
}

// flows is a program that does something with the flow of every packet it sees.
func flows(do func(engine.Flow)) engine.Program {
	return on(func(s *engine.Scope, p *packet.Packet) engine.Verdict {
		f, _ := s.Flow(p)
		do(f)
		return engine.Pass()
	})
}

func wayConfig(programs []engine.Program, observed bool, faults ...engine.ImpairConfig) (c engine.Config) {
	c.Impair = faults
	for _, p := range programs {
		c.Programs = append(c.Programs, engine.ProgramConfig{Program: p})
	}
	if observed {
		c.Observer = &counting{}
	}
	return c
}

// Nothing is allocated for a packet, whichever way it goes.
func TestNoAllocationsPerPacket(t *testing.T) {
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			const n = 100_000
			d := through(t, n, wayConfig(w.programs, w.observed, w.impair...))
			// What is left over is the runtime's own: a timer, a wake-up. Of packets that
			// are delayed by the clock there are more at once, and so more buffers, each
			// time the worker has been off its processor for longer than before.
			most := uint64(100)
			if len(w.impair) > 0 {
				most = 1000
			}
			if got := d.after.Mallocs - d.before.Mallocs; got > most {
				t.Errorf("%d allocations over %d packets", got, n*9/10)
			}
		})
	}
}

func BenchmarkEngine(b *testing.B) {
	for _, w := range ways {
		b.Run(w.name, func(b *testing.B) {
			b.ReportAllocs()
			through(b, b.N, wayConfig(w.programs, w.observed, w.impair...))
		})
	}
}
