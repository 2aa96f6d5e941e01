package filter_test

import (
	"net/netip"
	"testing"

	"github.com/tunscript/tunscript/engine/filter"
	"github.com/tunscript/tunscript/engine/internal/misuse"
	"github.com/tunscript/tunscript/engine/packet"
)

// Whatever a filter is made of, it can be asked, also of no packet: it matches or not.
func TestMisuse(t *testing.T) {
	p, err := packet.Build(packet.IPv4{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2")}, packet.UDP{Dport: 7})
	if err != nil {
		t.Fatal(err)
	}
	udp, err := filter.Compile("udp")
	if err != nil {
		t.Fatal(err)
	}
	call := misuse.Caller{With: []any{p, udp, []*filter.Filter{udp, nil, {}}, netip.MustParsePrefix("192.0.2.0/24"), filter.TCP}}
	for name, f := range map[string]*filter.Filter{
		"a zero Filter": new(filter.Filter), "a nil Filter": nil,
		"and of nothing": filter.And(), "and of nil": filter.And(nil, nil), "or of nothing": filter.Or(), "or of nil": filter.Or(nil, udp),
		"not nil": filter.Not(nil), "not zero": filter.Not(new(filter.Filter)),
		"no function": filter.Func("", nil), "no prefix": filter.Src(netip.Prefix{}), "no prefix either": filter.Dst(netip.Prefix{}),
		"no layer": filter.Has(200), "no layer's port": filter.Port(200, 7), "no field": filter.Field(200, -1, -1, 0, 0),
		"a field of no size": filter.Field(filter.TCP, 0, 0, 1, 1), "a field far away": filter.Field(filter.TCP, 1<<62, 4, 1, 1),
		"a field of 8 bytes": filter.Field(filter.TCP, 0, 8, 1, 1),
	} {
		call.Methods(t, name, func() any { return f })
		call.Methods(t, "an index of "+name, func() any { return filter.NewIndex([]*filter.Filter{f, udp}) })
		misuse.Never(t, "a set with "+name, func() {
			var s filter.Set[int]
			e := s.Add(f, 1)
			for _, p := range []*packet.Packet{nil, {}, p} {
				s.Next(p, 0, s.Last())
			}
			s.Remove(e)
			s.Remove(e)
			if s.Len() != 0 {
				t.Errorf("%s: %d are left of one that was removed twice", name, s.Len())
			}
		})
	}
	call.Methods(t, "a zero Index", func() any { return new(filter.Index) })
	call.Methods(t, "a zero Set", func() any { return new(filter.Set[int]) })
	call.Methods(t, "a Layer", func() any { return filter.Layer(200) })
	call.Methods(t, "a SyntaxError", func() any { return new(filter.SyntaxError) })
	for name, fn := range map[string]any{
		"And": filter.And, "Or": filter.Or, "Not": filter.Not, "Compile": filter.Compile, "Func": filter.Func, "Field": filter.Field,
		"Has": filter.Has, "Port": filter.Port, "Src": filter.Src, "Dst": filter.Dst, "NewIndex": filter.NewIndex,
	} {
		call.Func(t, name, fn)
	}
}
