package impair_test

import (
	"bytes"
	"math/bits"
	"net/netip"
	"slices"
	"testing"

	"github.com/tunscript/tunscript/engine/impair"
	"github.com/tunscript/tunscript/engine/packet"
)

func syn(t testing.TB) *packet.Packet {
	t.Helper()
	p, err := packet.Build(
		packet.IPv6{Src: netip.MustParseAddr("2001:db8::1"), Dst: netip.MustParseAddr("2001:db8::2")},
		packet.TCP{Sport: 4000, Dport: 80, Flags: packet.SYN}, packet.Payload("hello"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// frame is the SYN behind Ethernet, with padding.
func frame(t testing.TB) *packet.Packet {
	t.Helper()
	p := syn(t)
	p.PushEthernet(packet.MAC{2, 0, 0, 0, 0, 1}, packet.MAC{2, 0, 0, 0, 0, 2})
	p, err := packet.Parse(append(slices.Clone(p.Bytes()), "padding"...), packet.Ethernet)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Exactly one bit, or one byte, of the part that was asked for is another one, every
// bit of it gets its turn, and the checksums tell, unless they are mended.
func TestCorrupt(t *testing.T) {
	whole := frame(t)
	at := *whole.Layout()
	for _, tt := range []struct {
		name   string
		o      impair.Options
		lo, hi int
	}{
		{"a bit", impair.Options{}, at.L3, at.End},
		{"a byte", impair.Options{CorruptUnit: impair.Byte}, at.L3, at.End},
		{"a bit of a header", impair.Options{CorruptPart: impair.Header}, at.L3, at.Data},
		{"a byte of the payload", impair.Options{CorruptUnit: impair.Byte, CorruptPart: impair.Payload}, at.Data, at.End},
		{"mended", impair.Options{Mend: true}, at.Data, at.End},
		{"a byte, mended", impair.Options{CorruptUnit: impair.Byte, Mend: true}, at.Data, at.End},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.Corrupt = 1
			l, c := rule(t, tt.o).Link(), chance(1)
			hit := make([]byte, whole.Len())
			sum := at.L4 + 16
			for range 20_000 {
				p := whole.Clone()
				d := l.Decide(p, start, c)
				if !d.Corrupted() || !bytes.Equal(p.Bytes(), whole.Bytes()) {
					t.Fatal("a decision changes nothing by itself")
				}
				d.Apply(p)
				got := slices.Clone(p.Bytes())
				if tt.o.Mend {
					if layer, ok := p.Valid(); !ok {
						t.Fatalf("the checksum of %s was to be mended", layer)
					}
					copy(got[sum:sum+2], whole.Bytes()[sum:])
				}
				changed := 0
				for i, b := range got {
					mask := b ^ whole.Bytes()[i]
					if mask == 0 {
						continue
					}
					changed++
					hit[i] |= mask
					if tt.o.CorruptUnit != impair.Byte && bits.OnesCount8(mask) != 1 {
						t.Fatalf("byte %d: %d bits are others", i, bits.OnesCount8(mask))
					}
				}
				if changed != 1 {
					t.Fatalf("%d bytes are others, want 1", changed)
				}
			}
			for i, mask := range hit {
				if inside := i >= tt.lo && i < tt.hi; inside && mask != 0xff || !inside && mask != 0 {
					t.Errorf("byte %d: bits %08b were hit, want all of %d to %d and no other", i, mask, tt.lo, tt.hi)
				}
			}
		})
	}
}

// The receiver of a packet whose payload is damaged finds its checksum wrong.
func TestCorruptIsFound(t *testing.T) {
	l, c := rule(t, impair.Options{Corrupt: 1, CorruptPart: impair.Payload}).Link(), chance(1)
	for range 100 {
		p := datagram(t, 20)
		d := l.Decide(p, start, c)
		d.Apply(p)
		q, err := packet.Parse(p.Bytes(), packet.IP)
		if err != nil {
			t.Fatal(err)
		}
		if layer, ok := q.Valid(); ok || layer != "udp" {
			t.Fatalf("wrong at %q, want udp: %v", layer, q)
		}
	}
}

// A packet without a payload has none to be hit.
func TestNothingToCorrupt(t *testing.T) {
	l, c, p := rule(t, impair.Options{Corrupt: 1, Mend: true}).Link(), chance(1), datagram(t, 0)
	if d := l.Decide(p, start, c); d.Corrupted() {
		t.Errorf("%+v", d)
	}
}

func TestTruncate(t *testing.T) {
	whole := frame(t)
	at := *whole.Layout()
	for _, to := range []int{0, 1, 30, at.End - at.L3 - 1, at.End - at.L3, 2000} {
		l, c := rule(t, impair.Options{Truncate: 1, TruncateTo: to}).Link(), chance(1)
		lengths := map[int]bool{}
		for range 5000 {
			p := whole.Clone()
			d := l.Decide(p, start, c)
			d.Apply(p)
			if !bytes.HasPrefix(whole.Bytes(), p.Bytes()) || d.Truncated() != (p.Len() < whole.Len()) {
				t.Fatalf("% x is not the beginning of\n% x", p.Bytes(), whole.Bytes())
			}
			lengths[p.Len()-at.L3] = true
		}
		switch all := at.End - at.L3; {
		case to == 0:
			if len(lengths) != all-1 || lengths[0] || lengths[all] {
				t.Errorf("%d lengths, want every one of 1 to %d", len(lengths), all-1)
			}
		case to >= all:
			if len(lengths) != 1 || !lengths[whole.Len()-at.L3] {
				t.Errorf("to %d: lengths %v, want it untouched", to, lengths)
			}
		default:
			if len(lengths) != 1 || !lengths[to] {
				t.Errorf("to %d: lengths %v", to, lengths)
			}
		}
	}
}

// Probabilities of damage are what they say.
func TestDamageIsAsOftenAsItShouldBe(t *testing.T) {
	const n = 100_000
	l, c, p := rule(t, impair.Options{Corrupt: 0.1, Truncate: 0.05}).Link(), chance(1), datagram(t, 100)
	corrupted, truncated := 0.0, 0.0
	for range n {
		d := l.Decide(p, start, c)
		if d.Corrupted() {
			corrupted++
		}
		if d.Truncated() {
			truncated++
		}
	}
	within(t, "part corrupted", corrupted/n, 0.1, 0.005)
	within(t, "part truncated", truncated/n, 0.05, 0.004)
}
