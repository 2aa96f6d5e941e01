package engine_test

import (
	"fmt"
	"io"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
)

// twins is a device with two queues, both of which give the same packet n times: for one of
// two workers every packet is the other's. It swallows what it is given.
type twins struct {
	frame []byte
	n     int
	name  string
	fewer bool // one queue alone
	wake  func(int)

	mu            sync.Mutex
	read, sent    int
	before, after runtime.MemStats // behind the first quarter, and at the end
}

type twin struct {
	*twins
	left int
}

func (d *twins) Info() engine.Info { return engine.Info{Name: d.name, MTU: 1500} }
func (d *twins) Attach(env engine.Env) ([]engine.Queue, error) {
	d.wake = env.Wake
	if d.fewer {
		return []engine.Queue{&twin{d, d.n}}, nil
	}
	return []engine.Queue{&twin{d, d.n}, &twin{d, d.n}}, nil
}
func (d *twins) Detach()      {}
func (d *twins) Close() error { return nil }
func (q *twin) FD() int       { return -1 }
func (q *twin) Read(ps []*packet.Packet, pool *packet.Pool) (int, error) {
	if q.left == 0 {
		return 0, io.EOF
	}
	n := min(len(ps), q.left)
	q.left -= n
	for i := range n {
		ps[i] = pool.Get(len(q.frame))
		if err := ps[i].Set(q.frame, packet.IP); err != nil {
			return i, err
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	was := q.read
	q.read += n
	if quarter := q.n / 4; was < quarter && q.read >= quarter {
		runtime.ReadMemStats(&q.before)
	}
	if q.left == 0 {
		runtime.ReadMemStats(&q.after)
	}
	return n, nil
}

func (q *twin) Write(ps []*packet.Packet, _ func(*packet.Packet, engine.Reason)) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.sent += len(ps)
	return nil
}

// handing runs 2 n packets through two workers, of which one hands every packet over: to the
// flow's owner or, out by a device of which it has no queue, to the one that writes it.
func handing(tb testing.TB, n int, out bool) (in *twins, s engine.Stats) {
	tb.Helper()
	in = &twins{name: "tun0", frame: text(tb, "hello").Bytes(), n: n}
	c := engine.Config{Workers: 2, Devices: []engine.DeviceConfig{{Device: in, Forward: "tun0"}}}
	if out {
		c.Devices[0].Forward = "tun1"
		c.Devices = append(c.Devices, engine.DeviceConfig{Device: &twins{name: "tun1", fewer: true}})
	}
	eng, err := engine.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	if err := eng.Run(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return in, eng.Stats()
}

// What is handed over costs no allocation either: buffers go round. There are as many as were
// ever on their way, of two allocations each: a ring, what was taken out of it, what waits to
// go back, and two pools. What does not fit into the ring is counted, and nothing else is lost.
func TestHandingOverAllocatesNothing(t *testing.T) {
	for _, out := range []bool{false, true} {
		t.Run(fmt.Sprint("out ", out), func(t *testing.T) {
			const n, most = 500_000, 2 * (3*4096 + 2*1024 + 4*64)
			// Each time that a busy machine stops one worker the other's pool comes to its end
			// and makes new ones, so the best of three runs counts.
			var d *twins
			var s engine.Stats
			for range 3 {
				if d, s = handing(t, n, out); d.after.Mallocs-d.before.Mallocs <= most {
					break
				}
			}
			if got := d.after.Mallocs - d.before.Mallocs; got > most {
				t.Errorf("%d allocations over %d packets", got, 2*n*3/4)
			}
			sent := s.Devices["tun0"].Sent + s.Devices["tun1"].Sent
			full := s.Reasons[engine.ReasonRing]
			if s.Devices["tun0"].Received != 2*n || sent+full != 2*n || len(s.Reasons) > 1 {
				t.Errorf("of %d packets %+v and %v", 2*n, s.Devices, s.Reasons)
			}
			t.Logf("%d sent, %d did not fit, %d allocations, %+v", sent, full, d.after.Mallocs-d.before.Mallocs, s.Workers)
		})
	}
}

// A ring that is full says so to who posts, and to who counts; what is urgent gets through.
func TestAFullRing(t *testing.T) {
	hold := make(chan struct{})
	scopes := make(chan *engine.Scope, 2)
	b := crew(t, 2, 2, engine.ProgramFunc("p", func(s *engine.Scope) error {
		scopes <- s
		s.Started(func() {
			if s.Worker() == 2 {
				s.After(time.Millisecond, func() { <-hold })
			}
		})
		return nil
	})).run()
	var scope *engine.Scope
	for scope == nil || scope.Worker() != 2 {
		scope = <-scopes
	}
	var err error
	posts := 0
	within(t, 10*time.Second, "a full ring", func() {
		for err == nil {
			if err = scope.Post(func() {}); err == nil {
				posts++
			}
		}
	})
	if err != engine.ErrFull || posts < 4096 {
		t.Errorf("after %d posts: %v", posts, err)
	}
	swapped := make(chan error, 1)
	go func() { swapped <- b.Add(engine.ProgramFunc("late", func(*engine.Scope) error { return nil })) }()
	time.Sleep(10 * time.Millisecond)
	close(hold)
	within(t, 10*time.Second, "the exchange", func() {
		if err := <-swapped; err != nil {
			t.Error(err)
		}
	})
	if err := b.end(); err != nil {
		t.Error(err)
	}
}

// BenchmarkHandingOver is the cost of a packet of which every other is handed over.
func BenchmarkHandingOver(b *testing.B) {
	for _, out := range []bool{false, true} {
		b.Run(fmt.Sprint("out ", out), func(b *testing.B) {
			_, s := handing(b, b.N/2+1, out)
			b.ReportMetric(float64(s.Reasons[engine.ReasonRing])/float64(b.N), "full/op")
		})
	}
}
