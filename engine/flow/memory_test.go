package flow_test

import (
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/flow"
	"github.com/tunscript/tunscript/engine/packet"
)

// fill makes n flows, rewritten ones of one program if ruled is set, and returns
// what each of them takes.
func fill(tb testing.TB, n int, ruled bool) (t *flow.Table, perFlow float64) {
	tb.Helper()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	t = flow.New(flow.Config{Limit: n})
	p := udp(tb, host, 1, server, 1, "")
	for i := range n {
		address(p, i)
		f, ok := t.Get(p, start)
		if !ok {
			tb.Fatal("no flow")
		}
		if ruled {
			if err := f.Rewrite(gate, flow.Rewrite{Src: public, Sport: uint16(i%60000 + 1), Dport: uint16(i/60000 + 1)}); err != nil {
				tb.Fatal(err)
			}
			t.Settle(f, true, 1, 2)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	return t, float64(after.HeapAlloc-before.HeapAlloc) / float64(n)
}

// address makes p a packet of flow i.
func address(p *packet.Packet, i int) {
	ip, _ := p.IPv4()
	ip.SetSrc(netip.AddrFrom4([4]byte{198, 51, 100, byte(i / 60000)}))
	view, _ := p.UDP()
	view.SetSport(uint16(1 + i%60000))
}

func TestAFlowTakesAtMost400Bytes(t *testing.T) {
	const n = 100_000
	table, bytes := fill(t, n, false)
	if table.Len() != n || bytes > 200 {
		t.Errorf("%d flows of %.0f bytes", table.Len(), bytes)
	}
	table, bytes = fill(t, n, true)
	if table.Len() != n || table.Stats().Rewritten != n || bytes > 400 {
		t.Errorf("%d flows, %d rewritten, of %.0f bytes", table.Len(), table.Stats().Rewritten, bytes)
	}
	runtime.KeepAlive(table)
}

// What comes and goes leaves nothing behind.
func TestMemoryIsUsedAgain(t *testing.T) {
	w := newWorld(t, 1000)
	p := udp(t, host, 1, server, 1, "")
	round := func() {
		for i := range 5000 {
			address(p, i)
			f := w.get(p)
			f.SetValue(gate, true)
			f.Rewrite(gate, flow.Rewrite{Src: public, FreeSport: true})
			w.Settle(f, true, 1, 2)
		}
		w.now = w.now.Add(time.Hour)
		for w.Expire(w.now, 100) > 0 {
		}
	}
	round()
	if n := testing.AllocsPerRun(5, round); n > 0 {
		t.Errorf("%v allocations for 5000 flows that came and went", n)
	}
	if w.Len() != 0 {
		t.Errorf("%d flows left", w.Len())
	}
}

func TestAPacketAllocatesNothing(t *testing.T) {
	w := newWorld(t, 0)
	p, back := tcp(t, host, 4000, server, 80, "A", "payload"), tcp(t, server, 80, public, 4000, "A", "payload")
	f := w.get(p)
	f.Rewrite(gate, flow.Rewrite{Src: public})
	w.Settle(f, true, 1, 2)
	for name, q := range map[string]*packet.Packet{
		"packet": back, "error": reported(t, router, back), "fragment": fragments(t, udp(t, host, 1, server, 2, "a payload to cut"), 8)[0],
	} {
		w.get(q)
		scratch := q.Clone()
		if n := testing.AllocsPerRun(100, func() {
			scratch.Set(q.Frame(), packet.IP)
			if f, ok := w.Find(scratch, w.now); ok {
				f.Apply(scratch)
			}
			w.Expire(w.now, 10)
		}); n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
