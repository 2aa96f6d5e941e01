package flow_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/flow"
	"github.com/tunscript/tunscript/engine/internal/misuse"
	"github.com/tunscript/tunscript/engine/packet"
)

// A flow that is none, of another table, or over, and a table that is asked what makes no
// sense: errors and zeros.
func TestMisuse(t *testing.T) {
	p, err := packet.Build(packet.IPv4{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2")}, packet.UDP{Sport: 1, Dport: 7})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1e9, 0)
	other, ok := flow.New(flow.Config{}).Get(p, now)
	if !ok {
		t.Fatal("a datagram has a flow")
	}
	call := misuse.Caller{With: []any{p, now, other, flow.Rewrite{Src: netip.MustParseAddr("2001:db8::1")}, flow.Action(99)}}
	call.Methods(t, "a zero Flow", func() any { return flow.Flow{} })
	call.Methods(t, "a Flow", func() any { f, _ := flow.New(flow.Config{}).Get(p, now); return f })
	call.Methods(t, "a Flow that is over", func() any {
		table := flow.New(flow.Config{})
		f, _ := table.Get(p, now)
		table.Expire(now.Add(24*time.Hour), 1<<20)
		return f
	})
	for name, c := range map[string]flow.Config{
		"a Table": {}, "a Table of one": {Limit: 1}, "a Table of less": {Limit: -1}, "a Table of more": {Limit: 1 << 62},
		"a shared Table": {Directory: flow.NewDirectory(nil)}, "a Table with an odd number": {Directory: flow.NewDirectory(nil), Number: -1},
		"a Table with a large number": {Directory: flow.NewDirectory(nil), Number: 1 << 20},
	} {
		call.Methods(t, name, func() any { return flow.New(c) })
		call.Methods(t, name+" with a flow", func() any { table := flow.New(c); table.Get(p, now); return table })
	}
	call.Methods(t, "a Directory", func() any { return flow.NewDirectory(nil) })
	call.Methods(t, "a zero Directory", func() any { return new(flow.Directory) })
	for _, v := range []any{flow.Action(99), flow.Dir(99), new(flow.RewriteError)} {
		call.Methods(t, "a value", func() any { return v })
	}
	if f := (flow.Flow{}); f.SetValue(1, 1) == nil || f.Bypass(1, flow.Pass) == nil || f.Rewrite(1, flow.Rewrite{}) == nil || f.Live() {
		t.Error("no flow takes a value or a rule")
	}
}
