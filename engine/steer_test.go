package engine_test

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/flow"
	"github.com/tunscript/tunscript/engine/packet"
)

var nat = netip.MustParseAddr("203.0.113.1")

// A census is a program that keeps which worker has seen which flow, by the client's port.
type census struct {
	mu      sync.Mutex
	workers map[uint16]map[int]int // packets, by port and worker
}

// program sees every datagram between a client and port 7, and may rewrite its flow.
func (c *census) program(rewrite bool) engine.Program {
	return on(func(s *engine.Scope, p *packet.Packet) engine.Verdict {
		f, ok := s.Flow(p)
		if !ok {
			return engine.Fail(fmt.Errorf("%v has no flow", p))
		}
		u, _ := p.UDP()
		port := u.Sport()
		if f.Dir() == flow.Back {
			port = f.Value().(uint16)
		} else if f.Value() == nil {
			f.SetValue(port)
			if rewrite {
				// The way in is another tuple than the way out, so for half of all flows
				// the answers come by another queue.
				if err := f.Rewrite(flow.Rewrite{Src: nat, Sport: 20000 + port*7}); err != nil {
					return engine.Fail(err)
				}
			}
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.workers[port] == nil {
			c.workers[port] = map[int]int{}
		}
		c.workers[port][s.Worker()]++
		return engine.Pass()
	})
}

// server answers every datagram that leaves by tun1.
func (b *bench) server(wg *sync.WaitGroup) {
	wg.Go(func() {
		buf := make([]byte, 2048)
		for {
			n, err := b.wire[1].Read(buf)
			if err != nil {
				return
			}
			p, _ := packet.Parse(buf[:n], packet.IP)
			if _, err := b.wire[1].Write(p.Reply().Bytes()); err != nil {
				return
			}
		}
	})
}

// clients sends n datagrams of each port by tun0 and counts the answers to each.
func (b *bench) clients(ports, n int) map[string]int {
	b.t.Helper()
	room := make(chan struct{}, window)
	got := map[string]int{}
	var wg sync.WaitGroup
	wg.Go(func() {
		buf := make([]byte, 2048)
		for range ports * n {
			k, err := b.wire[0].Read(buf)
			if err != nil {
				return
			}
			p, _ := packet.Parse(buf[:k], packet.IP)
			u, _ := p.UDP()
			ip, _ := p.IP()
			got[fmt.Sprintf("%v:%d %s", ip.Dst(), u.Dport(), p.Payload())]++
			<-room
		}
	})
	for i := range n {
		for port := range ports {
			select {
			case room <- struct{}{}:
			case <-time.After(10 * time.Second):
				b.t.Errorf("nothing comes back: %+v", b.Stats())
				b.wire[0].Close()
				wg.Wait()
				return got
			}
			p, _ := packet.Build(packet.IPv4{Src: host, Dst: peer}, packet.UDP{Sport: uint16(1000 + port), Dport: 7}, packet.Payload(fmt.Sprint(i)))
			b.give(p)
		}
	}
	wg.Wait()
	return got
}

// All packets of a flow, whichever worker reads them, come to one worker, also where a
// rewrite has the answers come by another queue; each is answered once.
func TestAFlowHasOneWorker(t *testing.T) {
	for _, rewrite := range []bool{false, true} {
		t.Run(fmt.Sprint("rewrite ", rewrite), func(t *testing.T) {
			c := &census{workers: map[uint16]map[int]int{}}
			const ports, each = 200, 40
			b := crew(t, 4, 4, c.program(rewrite)).run()
			var wg sync.WaitGroup
			b.server(&wg)
			got := b.clients(ports, each)
			s := b.Stats()
			if err := b.end(); err != nil {
				t.Error(err)
			}
			wg.Wait()
			for port := range ports {
				for i := range each {
					if k := fmt.Sprintf("%v:%d %d", host, 1000+port, i); got[k] != 1 {
						t.Fatalf("%s was answered %d times", k, got[k])
					}
				}
			}
			seen := map[int]bool{}
			for port, workers := range c.workers {
				if len(workers) != 1 {
					t.Errorf("packets of port %d came to workers %v", port, workers)
				}
				for w := range workers {
					seen[w] = true
				}
			}
			if len(c.workers) != ports || len(seen) != 4 {
				t.Errorf("%d flows with %d workers", len(c.workers), len(seen))
			}
			steered := uint64(0)
			for _, w := range s.Workers {
				steered += w.Steered
			}
			if rewrite != (steered > 0) || s.Flows.Made != ports || len(s.Reasons) > 0 || len(s.Errors) > 0 {
				t.Errorf("%d steered, %+v, %v, %v", steered, s.Flows, s.Reasons, s.Errors)
			}
			t.Logf("%d of %d steered", steered, 2*ports*each)
		})
	}
}

// Who sends a packet gets the answer, though it comes by another queue; and a packet of
// another worker's flow is sent by that one, rewritten as its flow is.
func TestTheAnswerComesToWhoAsked(t *testing.T) {
	answers := make(chan [2]int, 1000)
	b := crew(t, 4, 4, engine.ProgramFunc("asks", func(s *engine.Scope) error {
		s.Started(func() {
			for i := range 50 {
				q, err := packet.Build(packet.IPv4{Src: host, Dst: peer},
					packet.UDP{Sport: uint16(100*s.Worker() + i), Dport: 7}, packet.Payload(fmt.Sprint(s.Worker())))
				if err == nil {
					err = errors.Join(s.SetOut(q, "tun1"), s.Send(q))
				}
				if err != nil {
					s.Fail(err)
				}
			}
			s.Await(engine.Await{Filter: "src port 7", Stay: true, Run: func(p *packet.Packet) {
				var asked int
				fmt.Sscan(string(p.Payload()), &asked)
				answers <- [2]int{asked, s.Worker()}
			}})
		})
		return nil
	})).run()
	var wg sync.WaitGroup
	b.server(&wg)
	within(t, 10*time.Second, "the answers", func() {
		for range 200 {
			if a := <-answers; a[0] != a[1] {
				t.Errorf("the answer to worker %d came to %d", a[0], a[1])
			}
		}
	})
	if err := b.end(); err != nil {
		t.Error(err)
	}
	wg.Wait()
}

// A handler that rewrites by hand gets the answers, too.
func TestNATByHand(t *testing.T) {
	var mu sync.Mutex
	wrong := 0
	b := crew(t, 4, 4, engine.ProgramFunc("nat", func(s *engine.Scope) error {
		ports := map[uint16]uint16{} // this worker's
		_, err := s.Handle(engine.Handler{Run: func(p *packet.Packet) engine.Verdict {
			u, _ := p.UDP()
			ip, _ := p.IP()
			if p.In.Name == "tun0" {
				to := 20000 + u.Sport()*7
				ports[to] = u.Sport()
				u.SetSport(to)
				ip.SetSrc(nat)
				return engine.Pass()
			}
			from, ok := ports[u.Dport()]
			if !ok {
				mu.Lock()
				wrong++
				mu.Unlock()
				return engine.Drop("unknown")
			}
			u.SetDport(from)
			ip.SetDst(host)
			return engine.Pass()
		}})
		return err
	})).run()
	var wg sync.WaitGroup
	b.server(&wg)
	got := b.clients(100, 5)
	if err := b.end(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if len(got) != 500 || wrong > 0 {
		t.Errorf("%d answers, %d to workers that had not asked", len(got), wrong)
	}
}

// Fragments of one datagram are joined in one worker, and the datagram comes to the worker
// that has its flow, in whatever order they come.
func TestFragmentsOverWorkers(t *testing.T) {
	for _, first := range []int{0, 1} {
		c := &census{workers: map[uint16]map[int]int{}}
		joins := handler("joins", engine.Handler{Defrag: true, Run: func(p *packet.Packet) engine.Verdict {
			if p.Layout().Fragment() {
				return engine.Fail(errors.New("a fragment"))
			}
			return engine.Pass()
		}})
		b := crew(t, 4, 4, joins, c.program(false)).run()
		const flows = 50
		whole := func(port int) *packet.Packet {
			p, err := packet.Build(packet.IPv4{Src: host, Dst: peer, ID: uint16(port)}, packet.UDP{Sport: uint16(port), Dport: 7}, packet.Payload(make([]byte, 1000)))
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		for port := range flows {
			b.give(udpFrom(t, uint16(1000+port), "small"))
		}
		for b.Stats().Flows.Made < flows {
			time.Sleep(time.Millisecond)
		}
		for port := range flows {
			ps := pieces(t, whole(1000+port), 576)
			if first == 1 {
				ps[0], ps[1] = ps[1], ps[0]
			}
			for _, p := range ps {
				b.give(p)
			}
		}
		// What was joined leaves as it came, in two.
		for end := time.Now().Add(10 * time.Second); b.Stats().Devices["tun1"].Sent < 3*flows; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%+v", b.Stats())
			}
		}
		s := b.Stats()
		if err := b.end(); err != nil {
			t.Error(err)
		}
		for port, workers := range c.workers {
			if len(workers) != 1 {
				t.Errorf("packets of port %d came to workers %v", port, workers)
			}
		}
		if len(c.workers) != flows || s.Reasons[engine.ReasonHeld] != 2*flows || len(s.Errors) > 0 {
			t.Errorf("%d flows, %v, %v", len(c.workers), s.Reasons, s.Errors)
		}
	}
}

func udpFrom(t testing.TB, sport uint16, payload string) *packet.Packet {
	t.Helper()
	p, err := packet.Build(packet.IPv4{Src: host, Dst: peer}, packet.UDP{Sport: sport, Dport: 7}, packet.Payload(payload))
	if err != nil {
		t.Fatal(err)
	}
	return p
}
