package impair_test

import (
	"math"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/impair"
	"github.com/tunscript/tunscript/engine/internal/misuse"
	"github.com/tunscript/tunscript/engine/packet"
)

// Options that make no sense are an error each, and what is made of none does nothing.
func TestMisuse(t *testing.T) {
	p, err := packet.Build(packet.IPv4{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2")}, packet.UDP{Dport: 7})
	if err != nil {
		t.Fatal(err)
	}
	call := misuse.Caller{With: []any{p, time.Unix(1e9, 0), rand.New(rand.NewPCG(1, 2)), "lossy"}}
	call.Func(t, "New", impair.New)
	call.Func(t, "Profile", impair.Profile)
	call.Methods(t, "zero Options", func() any { return new(impair.Options) })
	call.Methods(t, "a Gilbert", func() any { return impair.Gilbert{} })
	call.Methods(t, "an odd Gilbert", func() any { return impair.Gilbert{P: math.NaN(), R: -1, Bad: 2, Good: math.Inf(1)} })
	call.Methods(t, "a zero Rule", func() any { return new(impair.Rule) })
	call.Methods(t, "a zero Link", func() any { return new(impair.Link) })
	call.Methods(t, "a zero Decision", func() any { return new(impair.Decision) })
	call.Methods(t, "an OptionError", func() any { return &impair.OptionError{} })
	for _, name := range impair.Profiles() {
		o, _ := impair.Profile(name)
		r, err := impair.New(o)
		if err != nil {
			t.Fatal(err)
		}
		call.Methods(t, "a Rule "+name, func() any { return r })
		call.Methods(t, "a Link "+name, func() any { return r.Link() })
		call.Methods(t, "a Decision "+name, func() any {
			d := r.Link().Decide(p.Clone(), time.Unix(1e9, 0), rand.New(rand.NewPCG(1, 2)))
			return &d
		})
	}
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, 2, math.MaxFloat64} {
		if _, err := impair.New(impair.Options{Loss: x}); err == nil {
			t.Errorf("loss = %v: no error", x)
		}
	}
}
