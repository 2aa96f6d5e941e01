package link_test

import (
	"net"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev/link"
)

// One packet of 1500 bytes over loopback and back, 64 at a time.
func BenchmarkEcho(b *testing.B) {
	for _, kind := range []link.Kind{link.TCP, link.UDP} {
		b.Run(string(kind), func(b *testing.B) {
			far := open(b, link.Config{Kind: kind, Local: anyPort}, func(p *packet.Packet) *packet.Packet { return p })
			near := open(b, link.Config{Kind: kind, Remote: far.dev.Addr()}, nil)
			near.until("the peer", connected)
			p := packets(b, udp(1500, 1))
			batch := make([]*packet.Packet, 64)
			for i := range batch {
				batch[i] = p[0]
			}
			b.SetBytes(1500)
			b.ReportAllocs()
			lost := 0
			for n := 0; n < b.N; n += len(batch) {
				near.do <- func() { near.q.Write(batch, near.lose) }
				for range batch {
					select {
					case <-near.got:
					case <-time.After(100 * time.Millisecond):
						lost++
					}
				}
			}
			b.ReportMetric(float64(lost), "lost")
		})
	}
}

// The worker's side alone: into the ring, and nobody at the other end.
func BenchmarkWrite(b *testing.B) {
	w := open(b, link.Config{Kind: link.TCP, Local: anyPort}, nil)
	c, err := net.Dial("tcp", w.dev.Addr())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	go func() {
		for buf := make([]byte, 1<<20); ; {
			if _, err := c.Read(buf); err != nil {
				return
			}
		}
	}()
	w.until("the peer", connected)
	p := packets(b, udp(1500, 1))
	done, lost := make(chan struct{}), 0
	b.SetBytes(1500)
	b.ReportAllocs()
	w.do <- func() {
		defer close(done)
		for b.Loop() {
			w.q.Write(p, func(*packet.Packet, engine.Reason) { lost++ })
		}
	}
	<-done
	b.ReportMetric(float64(lost)/float64(b.N), "lost/op")
}
