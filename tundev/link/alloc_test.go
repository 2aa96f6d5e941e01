package link_test

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev/link"
)

// The steady state allocates nothing, on neither side nor in the goroutines between.
func TestNoAllocations(t *testing.T) {
	for _, kind := range []link.Kind{link.TCP, link.UDP} {
		far := open(t, link.Config{Kind: kind, Local: anyPort}, func(p *packet.Packet) *packet.Packet { return p })
		dev, err := link.Open(link.Config{Kind: kind, Remote: far.dev.Addr()})
		if err != nil {
			t.Fatal(err)
		}
		woken := make(chan struct{}, 1)
		qs, err := dev.Attach(engine.Env{Now: time.Now, Wake: func(int) {
			select {
			case woken <- struct{}{}:
			default:
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		q := qs[0]
		defer q.Close()
		for dev.Stats().Peer == "" {
			time.Sleep(time.Millisecond)
		}
		var pool packet.Pool
		var ps [64]*packet.Packet
		out := slices.Repeat(packets(t, udp(1500, 1)), 8)
		lose := func(*packet.Packet, engine.Reason) { t.Error("a packet was lost") }
		roundTrip := func() {
			if err := q.Write(out, lose); err != nil {
				t.Fatal(err)
			}
			for got := 0; got < len(out); {
				n, err := q.Read(ps[:], &pool)
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range ps[:n] {
					pool.Put(p)
				}
				if got += n; n == 0 {
					<-woken
				}
			}
		}
		for range 1000 { // buffers grow to what they need
			roundTrip()
		}
		runtime.GC()
		if n := testing.AllocsPerRun(2000, roundTrip); n >= 1 { // AllocsPerRun sees all goroutines
			t.Errorf("%s: %v allocations for a round trip of eight packets, want none", kind, n)
		}
	}
}
