package frag_test

import (
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/frag"
	"github.com/tunscript/tunscript/engine/internal/misuse"
	"github.com/tunscript/tunscript/engine/packet"
)

// No packet, no room, a joiner that is closed or may hold nothing: nothing is joined or
// cut, and nothing held.
func TestMisuse(t *testing.T) {
	h := packet.IPv4{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2")}
	whole, err := packet.Build(h, packet.UDP{Dport: 7}, packet.Payload(make([]byte, 3000)))
	if err != nil {
		t.Fatal(err)
	}
	pieces, ok := frag.Cut(nil, whole.Clone(), 1500, nil)
	if !ok || len(pieces) != 3 {
		t.Fatalf("%d fragments, %t", len(pieces), ok)
	}
	call := misuse.Caller{With: []any{whole, pieces[0], pieces[1], time.Unix(1e9, 0)}}
	call.Func(t, "Cut", frag.Cut)
	call.Func(t, "Fits", frag.Fits)
	for _, mtu := range []int{math.MinInt, -1, 0, 1, 20, 27, 28, 67, 68, math.MaxInt} {
		misuse.Never(t, "Cut", func() { frag.Cut(nil, whole.Clone(), mtu, nil) })
	}
	for name, l := range map[string]frag.Limits{
		"a Joiner": {}, "a Joiner of one": {1, 1, 1}, "a Joiner of less": {-1, -1, -1}, "a Joiner of all": {math.MaxInt, math.MaxInt, math.MaxInt},
	} {
		call.Methods(t, name, func() any { return frag.New(l, nil, nil) })
		call.Methods(t, name+", closed", func() any { j := frag.New(l, nil, nil); j.Close(); j.Close(); return j })
	}
	j := frag.New(frag.Limits{}, nil, nil)
	j.Add(pieces[0].Clone(), time.Unix(1e9, 0))
	j.Close()
	if n, b := j.Held(); n != 0 || b != 0 {
		t.Errorf("a closed one holds %d datagrams, %d bytes", n, b)
	}
	call.Methods(t, "Abandoned", func() any { return frag.Abandoned{} })
	call.Methods(t, "a Fate", func() any { return frag.Fate(99) })
	call.Func(t, "New", frag.New)
}
