package frag_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/frag"
	"github.com/tunscript/tunscript/engine/packet"
)

// Floods that never finish: what is held keeps to its limits, what the process takes
// keeps to what is counted, and an honest datagram still comes through.
func TestFloods(t *testing.T) {
	const n = 50_000
	limits := frag.Limits{Datagrams: 500, Bytes: 1 << 20, Fragments: 64}
	for _, tt := range []struct {
		name string
		next func(i int) *packet.Packet
	}{
		{"beginnings of datagrams", func(i int) *packet.Packet { return numbered(t, i, 0, 8, true, 1) }},
		{"large beginnings", func(i int) *packet.Packet { return numbered(t, i, 0, 1400, true, 1) }},
		{"ends that say 65535 bytes", func(i int) *packet.Packet { return numbered(t, i, 65504, 8, false, 1) }},
		{"one datagram without end", func(i int) *packet.Packet { return numbered(t, 0, i%8000*8, 8, true, 1) }},
		{"few datagrams, every second piece", func(i int) *packet.Packet { return numbered(t, i%16, i/16%4000*16, 8, true, 1) }},
		{"overlaps", func(i int) *packet.Packet { return numbered(t, i/2, i%2*8, 16, true, byte(i)) }},
		{"nothing but rubbish", func(i int) *packet.Packet { return numbered(t, i, 8, 0, true, 1) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := newJoiner(t, limits)
			heap := heapInUse()
			for i := range n {
				j.Add(tt.next(i), t0.Add(time.Duration(i)*time.Microsecond))
				if datagrams, bytes := j.Held(); datagrams > limits.Datagrams || bytes > limits.Bytes {
					t.Fatalf("%d datagrams of %d bytes are held", datagrams, bytes)
				}
			}
			if grown := int(heapInUse()) - int(heap); grown > limits.Bytes*3/2+1<<20 {
				t.Errorf("the heap has grown by %d bytes", grown)
			}
			honest := build(t, packet.IPv4{Src: peer4, Dst: host4, ID: 1}, packet.UDP{}, counted(5000))
			if whole, fates := j.add(t0.Add(time.Second), cut(t, honest, 1500)...); whole == nil {
				t.Errorf("an honest datagram is %v", fates)
			}
			j.Close()
			j.empty()
			runtime.KeepAlive(j)
		})
	}
}

func numbered(t testing.TB, id, off, n int, more bool, fill byte) *packet.Packet {
	p := piece(t, 6, off, n, more, fill)
	ip, _ := p.IP()
	if err := ip.SetID(uint32(id)); err != nil {
		t.Fatal(err)
	}
	return p
}

func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// The oldest goes first, of either version, and what it held is told.
func TestTheOldestGoesFirst(t *testing.T) {
	j := newJoiner(t, frag.Limits{Datagrams: 2})
	a, b, c := piece(t, 6, 0, 16, true, 1), piece(t, 4, 0, 16, true, 1), numbered(t, 9, 0, 16, true, 1)
	j.add(t0, a, b, c)
	if j.lost[frag.Limit] != 1 {
		t.Errorf("given up: %v, want one", j.lost)
	}
	if whole, _ := j.add(t0, piece(t, 4, 16, 8, false, 1)); whole == nil {
		t.Error("it was not the oldest")
	}
	if _, fates := j.add(t0, piece(t, 6, 16, 8, false, 1)); fates[0] != held {
		t.Errorf("the oldest is still there: %v", fates)
	}
}

// Memory that is used again does not count against a datagram that needs little.
func TestALargeOneLeavesRoomForSmallOnes(t *testing.T) {
	j := newJoiner(t, frag.Limits{Bytes: 100_000})
	p := build(t, ip4(packet.UDP{}, counted(60_000))...)
	if whole, fates := j.add(t0, cut(t, p, 1500)...); whole == nil {
		t.Fatalf("it is not joined: %v", fates)
	}
	for i := range 100 {
		if _, fate := j.Add(numbered(t, i, 0, 16, true, 1), t0); fate != held {
			t.Fatalf("datagram %d is %v", i, fate)
		}
	}
	if len(j.lost) > 0 {
		t.Errorf("%v were given up", j.lost)
	}
}

func TestTooManyFragments(t *testing.T) {
	j := newJoiner(t, frag.Limits{Fragments: 3})
	var fates []frag.Fate
	for i := range 5 {
		_, fate := j.Add(piece(t, 4, i*8, 8, true, 1), t0)
		fates = append(fates, fate)
	}
	if fates[2] != held || fates[3] != frag.Limit || fates[4] != frag.Limit || j.lost[frag.Limit] != 3 {
		t.Errorf("%v, and given up %v: want three held, then given up", fates, j.lost)
	}
	// One fragment larger than all that may be held.
	j = newJoiner(t, frag.Limits{Bytes: 1000})
	if _, fate := j.Add(piece(t, 4, 0, 1200, true, 1), t0); fate != frag.Limit || len(j.lost) != 0 {
		t.Errorf("it is %v, and %v were held", fate, j.lost)
	}
	j.empty()
}
