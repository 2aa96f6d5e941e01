package flow_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/tunscript/tunscript/engine/flow"
	"github.com/tunscript/tunscript/engine/packet"
)

// BenchmarkFind looks up packets of flows in turn, so that a large table does not
// fit in the processor's cache.
func BenchmarkFind(b *testing.B) {
	for _, n := range []int{1, 1000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			table, _ := fill(b, n, false)
			ps := make([]*packet.Packet, min(n, 4096))
			for i := range ps {
				ps[i] = udp(b, host, 1, server, 1, "")
				address(ps[i], i*(n/len(ps)))
				ps[i].Layout()
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, ok := table.Find(ps[i], start); !ok {
					b.Fatal("not found")
				}
				if i++; i == len(ps) {
					i = 0
				}
			}
		})
	}
}

// BenchmarkMiss looks for a flow that is not there, in a table that holds others.
func BenchmarkMiss(b *testing.B) {
	table, _ := fill(b, 1000, false)
	p := tcp(b, host, 4000, server, 80, "A", "")
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := table.Find(p, start); ok {
			b.Fatal("found")
		}
	}
}

// BenchmarkMake makes flows in a full table, each in the place of another: a scan.
func BenchmarkMake(b *testing.B) {
	table, _ := fill(b, 65536, false)
	p := udp(b, host, 1, server, 1, "")
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		address(p, i%(1<<20))
		table.Get(p, start)
	}
}

func BenchmarkRewrite(b *testing.B) {
	for _, tt := range []struct {
		name string
		p    *packet.Packet
		to   flow.Rewrite
	}{
		{"tcp", tcp(b, host, 4000, server, 80, "A", string(make([]byte, 1400))), flow.Rewrite{Src: public, Sport: 9}},
		{"tcp6", tcp(b, host6, 4000, server6, 80, "A", string(make([]byte, 1400))), flow.Rewrite{Src: public6, Sport: 9}},
	} {
		b.Run(tt.name, func(b *testing.B) {
			table := flow.New(flow.Config{})
			f, _ := table.Get(tt.p, start)
			f.Rewrite(1, tt.to)
			table.Settle(f, true, 1, 2)
			b.ReportAllocs()
			for b.Loop() {
				f.Apply(tt.p)
			}
		})
	}
}

// BenchmarkMemory prints what a flow takes: the figure that a limit is chosen by.
func BenchmarkMemory(b *testing.B) {
	for _, tt := range []struct {
		name  string
		ruled bool
	}{{"seen", false}, {"rewritten", true}} {
		b.Run(tt.name, func(b *testing.B) {
			var bytes float64
			for b.Loop() {
				var table *flow.Table
				table, bytes = fill(b, 1_000_000, tt.ruled)
				runtime.KeepAlive(table)
			}
			b.ReportMetric(bytes, "B/flow")
			b.ReportMetric(0, "ns/op")
		})
	}
}
