package tundev_test

import (
	"testing"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev"
)

func TestAPipeAllocatesNothing(t *testing.T) {
	dev, wire := tundev.Pipe(tundev.Config{})
	w := attach(t, dev, true)
	b, in, ps := udp(64), make([]byte, 1500), make([]*packet.Packet, 64)
	lost := func(*packet.Packet, engine.Reason) { t.Error("lost") }
	round := func() {
		for range 32 {
			wire.Write(b)
		}
		n, _ := w.q.Read(ps, &w.pool)
		w.q.Write(ps[:n], lost)
		for _, p := range ps[:n] {
			w.pool.Put(p)
		}
		for range n {
			wire.Read(in)
		}
	}
	if got := testing.AllocsPerRun(100, round); got > 0 {
		t.Errorf("%v allocations in 32 packets, want 0", got)
	}
}

// Both ends in one goroutine: what the ring itself costs.
func BenchmarkPipe(b *testing.B) {
	dev, wire := tundev.Pipe(tundev.Config{})
	w := attach(b, dev, true)
	f, in, ps := udp(64), make([]byte, 1500), make([]*packet.Packet, 64)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		wire.Write(f)
		if n%64 != 63 {
			continue
		}
		k, _ := w.q.Read(ps, &w.pool)
		w.q.Write(ps[:k], nil)
		for _, p := range ps[:k] {
			w.pool.Put(p)
		}
		for range k {
			wire.Read(in)
		}
	}
}

// A worker on its own goroutine echoes, up to 256 packets are under way.
func BenchmarkPipeWindow(b *testing.B) {
	dev, wire := tundev.Pipe(tundev.Config{})
	w := attach(b, dev, false)
	w.start(b, func(p *packet.Packet) *packet.Packet { return p })
	f, in := udp(64), make([]byte, 1500)
	b.ReportAllocs()
	flight := 0
	for b.Loop() {
		wire.Write(f)
		if flight++; flight == 256 {
			for range 128 {
				wire.Read(in)
			}
			flight = 128
		}
	}
	dev.Close()
}
