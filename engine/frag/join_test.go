package frag_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/frag"
	"github.com/tunscript/tunscript/engine/packet"
)

const (
	held = frag.Held
	join = frag.Joined
	dup  = frag.Duplicate
	over = frag.Overlap
	bad  = frag.Malformed
)

// A bit is a fragment in a story: bytes off to off+n, all of them fill.
type bit struct {
	off, n int
	more   bool
	fill   byte
}

// What comes of fragments, one after the other, in IPv4 and IPv6 alike.
func TestFates(t *testing.T) {
	for _, tt := range []struct {
		name string
		bits []bit
		want []frag.Fate
		lost int // fragments given up with their datagram
	}{
		{"in order", []bit{{0, 16, true, 1}, {16, 8, true, 2}, {24, 3, false, 3}}, []frag.Fate{held, held, join}, 0},
		{"backwards", []bit{{24, 3, false, 3}, {16, 8, true, 2}, {0, 16, true, 1}}, []frag.Fate{held, held, join}, 0},
		{"a duplicate is nothing", []bit{{0, 16, true, 1}, {0, 16, true, 1}, {16, 8, false, 2}}, []frag.Fate{held, dup, join}, 0},
		{"the last one twice", []bit{{16, 8, false, 2}, {16, 8, false, 2}, {0, 16, true, 1}}, []frag.Fate{held, dup, join}, 0},
		{"other bytes at the same place", []bit{{0, 16, true, 1}, {0, 16, true, 2}, {16, 8, false, 2}}, []frag.Fate{held, over, over}, 1},
		{"the same bytes, but the end", []bit{{8, 16, true, 1}, {8, 16, false, 1}}, []frag.Fate{held, over}, 1},
		// Teardrop: the second lies inside the first; bonk and boink: it begins there.
		{"inside another", []bit{{0, 32, true, 1}, {8, 8, false, 1}}, []frag.Fate{held, over}, 1},
		{"into the one before", []bit{{0, 32, true, 1}, {24, 16, false, 1}}, []frag.Fate{held, over}, 1},
		{"into the one behind", []bit{{24, 16, false, 1}, {0, 32, true, 1}}, []frag.Fate{held, over}, 1},
		{"around another", []bit{{8, 8, true, 1}, {0, 32, true, 1}}, []frag.Fate{held, over}, 1},
		{"what follows an overlap goes with it", []bit{{0, 16, true, 1}, {8, 16, true, 1}, {0, 16, true, 1}, {16, 8, false, 1}}, []frag.Fate{held, over, over, over}, 1},
		{"behind the end", []bit{{8, 8, false, 1}, {16, 8, true, 1}}, []frag.Fate{held, bad}, 1},
		{"two ends", []bit{{8, 8, false, 1}, {16, 8, false, 1}}, []frag.Fate{held, bad}, 1},
		{"an end before what is there", []bit{{16, 8, true, 1}, {8, 8, false, 1}}, []frag.Fate{held, bad}, 1},
		{"a middle of no whole eights", []bit{{0, 15, true, 1}}, []frag.Fate{bad}, 0},
		{"a fragment of nothing", []bit{{8, 0, true, 1}, {8, 0, false, 1}}, []frag.Fate{bad, bad}, 0},
		{"longer than any packet (ping of death)", []bit{{65528, 100, false, 1}}, []frag.Fate{bad}, 0},
	} {
		for _, version := range []int{4, 6} {
			t.Run(tt.name, func(t *testing.T) {
				j := newJoiner(t, frag.Limits{})
				var ps []*packet.Packet
				for _, b := range tt.bits {
					ps = append(ps, piece(t, version, b.off, b.n, b.more, b.fill))
				}
				whole, fates := j.add(t0, ps...)
				if !slices.Equal(fates, tt.want) {
					t.Errorf("IPv%d: %v, want %v", version, fates, tt.want)
				}
				if whole != nil {
					if _, ok := whole.UDP(); !ok || whole.Layout().Fragment() {
						t.Errorf("IPv%d: %v is no datagram", version, whole)
					}
					j.empty()
				}
				lost := 0
				for _, n := range j.lost {
					lost += n
				}
				if lost != tt.lost {
					t.Errorf("IPv%d: %d fragments were given up, want %d", version, lost, tt.lost)
				}
			})
		}
	}
}

// Every prefix of a fragment is refused or held, never joined, and nothing panics.
func TestAFragmentCutShortIsRefused(t *testing.T) {
	for _, version := range []int{4, 6} {
		b := piece(t, version, 0, 32, true, 1).Bytes()
		for n := 1; n < len(b); n++ {
			j := newJoiner(t, frag.Limits{})
			p, err := packet.Parse(b[:n], packet.IP)
			if err != nil || !p.Layout().Fragment() {
				continue
			}
			if _, fate := j.Add(p, t0); fate != frag.Malformed {
				t.Errorf("IPv%d: the first %d bytes of %d are %v", version, n, len(b), fate)
			}
		}
	}
}

// A fragment of a fragment is none that a source makes.
func TestTwoFragmentHeaders(t *testing.T) {
	inner := piece(t, 6, 0, 16, true, 1).Bytes()[40:]
	p := build(t, packet.IPv6{Src: host6, Dst: peer6, Proto: packet.ProtoFragment},
		packet.Payload{packet.ProtoFragment, 0, 0, 1, 0, 0, 0, 7}, packet.Payload(inner))
	if _, fate := newJoiner(t, frag.Limits{}).Add(p, t0); fate != bad {
		t.Errorf("it is %v", fate)
	}
}

func TestAHeaderThatIsWrongIsNotBelieved(t *testing.T) {
	p := piece(t, 4, 0, 32, true, 1)
	ip, _ := p.IPv4()
	ip.SetChecksum(ip.Checksum() ^ 1)
	if _, fate := newJoiner(t, frag.Limits{}).Add(p, t0); fate != frag.Malformed {
		t.Errorf("with a wrong header checksum it is %v", fate)
	}
}

// Datagrams that differ in one thing of their key are held apart.
func TestWhatBelongsTogether(t *testing.T) {
	port := &packet.Port{Name: "tun1", Index: 1}
	second := func(change func(*packet.Packet)) *packet.Packet {
		p := piece(t, 4, 16, 8, false, 2)
		change(p)
		return p
	}
	edit := func(f func(packet.IPView)) func(*packet.Packet) {
		return func(p *packet.Packet) { ip, _ := p.IP(); f(ip) }
	}
	for name, change := range map[string]func(*packet.Packet){
		"source":      edit(func(ip packet.IPView) { ip.SetSrc(peer4) }),
		"destination": edit(func(ip packet.IPView) { ip.SetDst(host4) }),
		"id":          edit(func(ip packet.IPView) { ip.SetID(8) }),
		"protocol":    edit(func(ip packet.IPView) { ip.SetProto(packet.ProtoTCP) }),
		"device":      func(p *packet.Packet) { p.In = port },
		"link":        func(p *packet.Packet) { p.PushEthernet(packet.MAC{}, packet.MAC{}); p.PushVLAN(5, 0) },
	} {
		j := newJoiner(t, frag.Limits{})
		if _, fates := j.add(t0, piece(t, 4, 0, 16, true, 1), second(change)); fates[1] != held {
			t.Errorf("another %s: %v", name, fates)
		}
	}
	// RFC 8200 section 4.5: of IPv6's next headers only the first fragment's counts.
	j := newJoiner(t, frag.Limits{})
	p := piece(t, 6, 16, 8, false, 2)
	if err := p.SetUint8(40, packet.ProtoTCP); err != nil {
		t.Fatal(err)
	}
	if whole, _ := j.add(t0, piece(t, 6, 0, 16, true, 1), p); whole == nil || whole.Layout().Proto != packet.ProtoUDP {
		t.Errorf("IPv6 with another next header: %v", whole)
	}
}

func TestTheWholeHasPortsAndTimeOfTheLast(t *testing.T) {
	in, out := &packet.Port{Name: "tun0"}, &packet.Port{Name: "tun1"}
	j := newJoiner(t, frag.Limits{})
	a, b := piece(t, 4, 0, 16, true, 1), piece(t, 4, 16, 8, false, 2)
	a.In, b.In, b.Out, b.Time = in, in, out, t0.Add(time.Second)
	if whole, _ := j.add(t0, a, b); whole == nil || whole.In != in || whole.Out != out || !whole.Time.Equal(b.Time) {
		t.Errorf("%+v", whole)
	}
}

// RFC 3168 section 5.3: congestion that one fragment met, the datagram met.
func TestCongestionIsNotLost(t *testing.T) {
	for _, version := range []int{4, 6} {
		j := newJoiner(t, frag.Limits{})
		ps := []*packet.Packet{piece(t, version, 0, 16, true, 1), piece(t, version, 16, 8, true, 2), piece(t, version, 24, 8, false, 3)}
		for i, ecn := range []uint8{2, 3, 2} {
			ip, _ := ps[i].IP()
			ip.SetECN(ecn)
		}
		whole, _ := j.add(t0, ps...)
		if ip, ok := whole.IP(); !ok || ip.ECN() != 3 {
			t.Errorf("IPv%d: ECN is %d", version, ip.ECN())
		}
		if _, ok := whole.Valid(); version == 4 && !ok && whole.Layout().Proto != packet.ProtoUDP {
			t.Error("the header checksum is wrong")
		}
	}
}

// The largest that there is has 65535 bytes, and with the first one's options no more.
func TestLongerThanAnyPacket(t *testing.T) {
	if _, fate := newJoiner(t, frag.Limits{}).Add(piece(t, 4, 65480, 40, false, 1), t0); fate != bad {
		t.Errorf("an IPv4 packet of 65540 bytes is %v", fate)
	}
	j := newJoiner(t, frag.Limits{})
	data := counted(65480)
	first := build(t, packet.IPv4{Src: host4, Dst: peer4, ID: 7, Proto: packet.ProtoUDP, MF: true, Options: make([]byte, 40)}, data[:65440])
	last := build(t, packet.IPv4{Src: host4, Dst: peer4, ID: 7, Proto: packet.ProtoUDP, Frag: 65440}, data[65440:])
	if _, fates := j.add(t0, first, last); !slices.Equal(fates, []frag.Fate{held, bad}) || j.lost[bad] != 1 {
		t.Errorf("one of 65540 bytes with its options is %v, and %v are given up", fates, j.lost)
	}
}

// DF stays: some senders set it on fragments.
func TestDFStays(t *testing.T) {
	p := build(t, packet.IPv4{Src: host4, Dst: peer4, DF: true}, packet.UDP{}, counted(2000))
	p.SetCame(1500)
	ps := cut(t, p, 1500)
	for _, q := range append(ps, joined(t, ps)) {
		if ip, _ := q.IP(); !ip.DF() {
			t.Errorf("%v has no DF", q)
		}
	}
}

func joined(t *testing.T, ps []*packet.Packet) *packet.Packet {
	t.Helper()
	whole, fates := newJoiner(t, frag.Limits{}).add(t0, ps...)
	if whole == nil {
		t.Fatalf("they are not joined: %v", fates)
	}
	return whole
}

// What is not whole in time is given up: 30 s for IPv4, 60 s for IPv6, from the
// first fragment on.
func TestExpiry(t *testing.T) {
	j := newJoiner(t, frag.Limits{})
	j.add(t0, piece(t, 6, 0, 16, true, 1))
	j.add(t0.Add(time.Second), piece(t, 4, 0, 16, true, 1))
	j.add(t0.Add(2*time.Second), piece(t, 4, 16, 16, true, 1))
	for _, want := range []struct {
		due  time.Duration
		lost int
	}{{31 * time.Second, 2}, {60 * time.Second, 3}} {
		at, ok := j.Next()
		if !ok || !at.Equal(t0.Add(want.due)) {
			t.Fatalf("due at %v %v, want %v later than the first", at, ok, want.due)
		}
		j.Expire(at.Add(-1))
		if j.lost[frag.Expired] == want.lost {
			t.Errorf("given up a moment before %v", want.due)
		}
		j.Expire(at)
		if j.lost[frag.Expired] != want.lost {
			t.Errorf("%v fragments are given up, want %d expired", j.lost, want.lost)
		}
	}
	j.empty()
	// A fragment that comes too late finds nothing, also where nobody called Expire.
	j.add(t0, piece(t, 4, 0, 16, true, 1))
	if _, fates := j.add(t0.Add(frag.Timeout4), piece(t, 4, 16, 8, false, 1)); fates[0] != held {
		t.Errorf("after its time it is %v", fates)
	}
}

// Who watches is shown one fragment of what was given up, as it came.
func TestAbandonedShowsAFragment(t *testing.T) {
	for _, version := range []int{4, 6} {
		a, b := piece(t, version, 16, 8, true, 2), piece(t, version, 0, 16, true, 1)
		var got []byte
		j := frag.New(frag.Limits{}, nil, func(a frag.Abandoned) { got = a.Packet().Bytes() })
		j.Add(a, t0)
		j.Close()
		if !bytes.Equal(got, a.Bytes()) {
			t.Errorf("IPv%d: shown % x, want % x", version, got, a.Bytes())
		}
		j.Add(a, t0)
		j.Add(b, t0)
		j.Close()
		if !bytes.Equal(got, b.Bytes()) {
			t.Errorf("IPv%d: shown % x, want the first % x", version, got, b.Bytes())
		}
	}
}
