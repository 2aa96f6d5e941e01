package pcapfile_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev/pcapfile"
)

// many is a capture of n packets of 64 bytes, in either format.
func many(f pcapfile.Format, n int) []byte {
	one := append(ping4(), make([]byte, 36)...)
	if f == pcapfile.Classic {
		list := make([][]byte, n)
		for i := range list {
			list[i] = one
		}
		return classic(binary.LittleEndian, 101, list...)
	}
	g := &ng{AppendByteOrder: binary.LittleEndian}
	g.section()
	g.iface(101, 0, 9)
	for i := range n {
		g.enhanced(0, uint64(i), one)
	}
	return g.b
}

// Read and written again, packet by packet: 0 allocations but for the file's buffers.
func TestPlayingAllocatesNothing(t *testing.T) {
	for _, f := range []pcapfile.Format{pcapfile.Classic, pcapfile.NG} {
		d, err := pcapfile.Play(bytes.NewReader(many(f, 64*200)), io.Discard, pcapfile.Config{})
		if err != nil {
			t.Fatal(err)
		}
		q := attach(t, d, engine.Env{})
		var pool packet.Pool
		ps := make([]*packet.Packet, 64)
		got := testing.AllocsPerRun(100, func() {
			n, err := q.Read(ps, &pool)
			if n != 64 || err != nil {
				t.Fatal(n, err)
			}
			q.Write(ps, nil)
			for _, p := range ps {
				pool.Put(p)
			}
		})
		if got > 0 {
			t.Errorf("format %d: %v allocations for 64 packets, want 0", f, got)
		}
		q.Close()
	}
}

func benchmarkPlay(b *testing.B, f pcapfile.Format) {
	const n = 64 * 1000
	file := many(f, n)
	var pool packet.Pool
	ps := make([]*packet.Packet, 64)
	b.ReportAllocs()
	for b.Loop() {
		d, err := pcapfile.Play(bytes.NewReader(file), io.Discard, pcapfile.Config{})
		if err != nil {
			b.Fatal(err)
		}
		q := attach(b, d, engine.Env{})
		for {
			k, err := q.Read(ps, &pool)
			if err != nil {
				break
			}
			q.Write(ps[:k], nil)
			for _, p := range ps[:k] {
				pool.Put(p)
			}
		}
		q.Close()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/packet")
}

func BenchmarkPlayClassic(b *testing.B) { benchmarkPlay(b, pcapfile.Classic) }
func BenchmarkPlayNG(b *testing.B)      { benchmarkPlay(b, pcapfile.NG) }
