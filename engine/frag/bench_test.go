package frag_test

import (
	"testing"

	"github.com/tunscript/tunscript/engine/frag"
	"github.com/tunscript/tunscript/engine/packet"
)

// turn cuts a datagram of n bytes and joins it again.
func turn(tb testing.TB, n int) func() {
	pool := new(packet.Pool)
	j := frag.New(frag.Limits{}, pool, nil)
	p := build(tb, ip4(packet.UDP{Sport: 1, Dport: 2}, counted(n))...)
	var ps []*packet.Packet
	return func() {
		var ok bool
		if ps, ok = frag.Cut(ps[:0], p, 1500, pool); !ok {
			tb.Fatal("it is not cut")
		}
		var whole *packet.Packet
		for _, q := range ps {
			if w, _ := j.Add(q, t0); w != nil {
				whole = w
			}
			pool.Put(q)
		}
		if whole == nil {
			tb.Fatal("it is not joined")
		}
		pool.Put(whole)
	}
}

func TestNothingIsAllocatedInASteadyState(t *testing.T) {
	pool := new(packet.Pool)
	tcp := build(t, ip6(packet.TCP{Flags: packet.ACK}, counted(9000))...)
	var ps []*packet.Packet
	for name, do := range map[string]func(){
		"two fragments": turn(t, 2000),
		"41 fragments":  turn(t, 60000),
		"segments": func() {
			ps, _ = frag.Cut(ps[:0], tcp, 1500, pool)
			for _, q := range ps {
				pool.Put(q)
			}
		},
	} {
		do()
		if n := testing.AllocsPerRun(100, do); n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// BenchmarkTurn cuts and joins: what a handler with defrag costs a datagram that
// is forwarded.
func BenchmarkTurn(b *testing.B) {
	for _, tt := range []struct {
		name string
		n    int
	}{{"2000", 2000}, {"60000", 60000}} {
		b.Run(tt.name, func(b *testing.B) {
			do := turn(b, tt.n)
			do()
			b.SetBytes(int64(tt.n))
			b.ReportAllocs()
			for b.Loop() {
				do()
			}
		})
	}
}

// BenchmarkFlood is a beginning of a datagram that never ends, at the limit.
func BenchmarkFlood(b *testing.B) {
	j := frag.New(frag.Limits{}, nil, nil)
	p := piece(b, 4, 0, 8, true, 1)
	ip, _ := p.IPv4()
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		ip.SetID(uint16(i))
		j.Add(p, t0)
	}
}
