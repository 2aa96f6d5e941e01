package offload_test

import (
	"testing"

	"github.com/tunscript/tunscript/engine/offload"
	"github.com/tunscript/tunscript/engine/packet"
)

// A full super-packet of a TCP stream: 44 segments.
func stream(t testing.TB) *packet.Packet {
	return super(t, 1448, packet.IPv4{Src: host4, Dst: peer4, DF: true},
		packet.TCP{Sport: 1, Dport: 2, Flags: packet.ACK, Options: make([]byte, 12)}, make(packet.Payload, 44*1448))
}

// Three ways over it: read only, each changed, each changed and joined again.
func ways(t testing.TB) map[string]func() {
	p, pool := stream(t), &packet.Pool{}
	ttl := func(s *packet.Packet) offload.Fate {
		if ip, ok := s.IPv4(); ok {
			ip.SetTTL(ip.TTL() - 1)
		}
		return offload.Pass
	}
	sum := 0
	read := func(s *packet.Packet) offload.Fate {
		if tcp, ok := s.TCP(); ok {
			sum += int(tcp.Dport())
		}
		return offload.Pass
	}
	j := offload.Joiner{TCP: true}
	out := make([]*packet.Packet, 0, 64)
	walk := offload.Walker{Pool: pool, Out: func(*packet.Packet) {}}
	edit := offload.Walker{Pool: pool, Out: pool.Put}
	merge := offload.Walker{Pool: pool, Out: func(q *packet.Packet) {
		if j.Add(q, pool) {
			pool.Put(q)
		} else {
			out = append(out, q)
		}
	}}
	return map[string]func(){
		"walk": func() { walk.Walk(p, read) },
		"edit": func() { edit.Walk(p, ttl) },
		"join": func() {
			merge.Walk(p, ttl)
			j.End()
			for _, q := range out {
				pool.Put(q)
			}
			out = out[:0]
		},
	}
}

func BenchmarkSegment(b *testing.B) {
	for name, way := range ways(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				way()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*44), "ns/segment")
		})
	}
}

func TestNothingIsAllocated(t *testing.T) {
	for name, way := range ways(t) {
		way()
		if n := testing.AllocsPerRun(100, way); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
