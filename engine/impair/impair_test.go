package impair_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/filter"
	"github.com/tunscript/tunscript/engine/impair"
	"github.com/tunscript/tunscript/engine/packet"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func rule(t testing.TB, o impair.Options) *impair.Rule {
	t.Helper()
	r, err := impair.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func chance(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// datagram is a UDP packet over IPv4 with a payload of n bytes.
func datagram(t testing.TB, n int) *packet.Packet {
	t.Helper()
	p, err := packet.Build(
		packet.IPv4{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2")},
		packet.UDP{Sport: 4000, Dport: 7}, packet.Payload(make([]byte, n)))
	if err != nil {
		t.Fatal(err)
	}
	p.Bytes()
	return p
}

// within fails if got is not want, give or take.
func within(t *testing.T, what string, got, want, give float64) {
	t.Helper()
	if !(math.Abs(got-want) <= give) {
		t.Errorf("%s is %v, want %v, give or take %v", what, got, want, give)
	}
}

// The same seed decides the same, another one otherwise.
func TestChanceDecides(t *testing.T) {
	flaky, _ := impair.Profile("flaky")
	fate := func(seed uint64) (all []impair.Decision) {
		l, c, p := rule(t, flaky).Link(), chance(seed), datagram(t, 100)
		for i := range 1000 {
			all = append(all, l.Decide(p, start.Add(time.Duration(i)*time.Millisecond), c))
		}
		return all
	}
	a, b, other := fate(1), fate(1), fate(2)
	same := 0
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("packet %d: %+v the first time, then %+v", i, a[i], b[i])
		}
		if a[i] == other[i] {
			same++
		}
	}
	if same == len(a) {
		t.Error("another seed decides the same")
	}
}

// What is not asked for draws no numbers: a delay does not change who is lost.
func TestOptionsDoNotDisturbOneAnother(t *testing.T) {
	p := datagram(t, 100)
	plain, delayed := rule(t, impair.Options{Loss: 0.1}).Link(), rule(t, impair.Options{Loss: 0.1, Delay: time.Second}).Link()
	a, b := chance(7), chance(7)
	for i := range 1000 {
		x, y := plain.Decide(p, start, a), delayed.Decide(p, start, b)
		if x.Drop != y.Drop {
			t.Fatalf("packet %d: %q without and %q with a delay", i, x.Drop, y.Drop)
		}
	}
}

// A rule wants what its filter says, while its window is open.
func TestWants(t *testing.T) {
	udp, tcp := datagram(t, 1), syn(t)
	for _, tt := range []struct {
		name string
		o    impair.Options
		p    *packet.Packet
		at   string // seconds at which the window is open, of 0 to 9
	}{
		{"always", impair.Options{}, udp, "0123456789"},
		{"its filter's", impair.Options{Filter: "udp port 7"}, udp, "0123456789"},
		{"not its filter's", impair.Options{Filter: "udp port 7"}, tcp, ""},
		{"a filter that is compiled", impair.Options{Match: filter.Port(filter.UDP, 7)}, udp, "0123456789"},
		{"from then on", impair.Options{At: 5 * time.Second}, udp, "56789"},
		{"for a while", impair.Options{At: 5 * time.Second, For: 2 * time.Second}, udp, "56"},
		{"at once, for a while", impair.Options{For: 2 * time.Second}, udp, "01"},
		{"again and again", impair.Options{At: time.Second, For: 2 * time.Second, Every: 4 * time.Second}, udp, "12569"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.Blackhole = true
			r, open := rule(t, tt.o), ""
			for s := range 10 {
				if r.Wants(tt.p, time.Duration(s)*time.Second) {
					open += string(rune('0' + s))
				}
			}
			if open != tt.at {
				t.Errorf("open at %q, want %q", open, tt.at)
			}
		})
	}
	r := rule(t, impair.Options{Blackhole: true, At: 5 * time.Second, For: 2 * time.Second})
	if r.Active(5*time.Second-1) || !r.Active(5*time.Second) || !r.Active(7*time.Second-1) || r.Active(7*time.Second) {
		t.Error("a window is from its first instant to just before its last")
	}
}

func TestFilterWithAMistake(t *testing.T) {
	_, err := impair.New(impair.Options{Filter: "udp prot 7", Loss: 0.1})
	var syntax *filter.SyntaxError
	if !errors.As(err, &syntax) {
		t.Errorf("got %v, want a SyntaxError", err)
	}
}
