package frag_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/frag"
	"github.com/tunscript/tunscript/engine/packet"
)

var (
	host4 = netip.MustParseAddr("192.0.2.1")
	peer4 = netip.MustParseAddr("192.0.2.2")
	host6 = netip.MustParseAddr("2001:db8::1")
	peer6 = netip.MustParseAddr("2001:db8::2")

	t0 = time.Unix(1000, 0)
)

func ip4(more ...packet.Layer) []packet.Layer {
	return append([]packet.Layer{packet.IPv4{Src: host4, Dst: peer4, ID: 7}}, more...)
}

func ip6(more ...packet.Layer) []packet.Layer {
	return append([]packet.Layer{packet.IPv6{Src: host6, Dst: peer6}}, more...)
}

func build(t testing.TB, layers ...packet.Layer) *packet.Packet {
	t.Helper()
	p, err := packet.Build(layers...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// counted is n bytes that tell where they stand.
func counted(n int) packet.Payload {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i) ^ byte(i>>8)
	}
	return b
}

// cut is what p leaves as by mtu; none if it may not be cut.
func cut(t testing.TB, p *packet.Packet, mtu int) []*packet.Packet {
	t.Helper()
	if frag.Fits(p, mtu) {
		t.Fatalf("%v fits in %d bytes", p, mtu)
	}
	ps, ok := frag.Cut(nil, p, mtu, nil)
	if ok != (len(ps) > 0) {
		t.Fatalf("%d pieces, and %v", len(ps), ok)
	}
	for _, q := range ps {
		if n := q.Len() - q.Layout().L3; mtu > 0 && n > mtu {
			t.Errorf("a piece of %d bytes, and %d fit", n, mtu)
		}
		// A fragment may end inside the transport's header, which is then called wrong.
		if layer, ok := q.Valid(); !ok && (layer == "ip" || !q.Layout().Fragment()) {
			t.Errorf("%v: its %s is wrong", q, layer)
		}
		if q.Came() != p.Came() {
			t.Errorf("a piece came as %d, its packet as %d", q.Came(), p.Came())
		}
	}
	return ps
}

// joiner is a Joiner, and what it abandoned.
type joiner struct {
	*frag.Joiner
	t    testing.TB
	lost map[frag.Fate]int // fragments
	pool packet.Pool
}

func newJoiner(t testing.TB, limits frag.Limits) *joiner {
	j := &joiner{t: t, lost: map[frag.Fate]int{}}
	j.Joiner = frag.New(limits, &j.pool, func(a frag.Abandoned) { j.lost[a.Why] += a.Fragments })
	return j
}

// add gives fragments and returns what was joined, at most one.
func (j *joiner) add(at time.Time, ps ...*packet.Packet) (whole *packet.Packet, fates []frag.Fate) {
	j.t.Helper()
	for _, p := range ps {
		q, fate := j.Add(p, at)
		fates = append(fates, fate)
		if (q != nil) != (fate == frag.Joined) {
			j.t.Fatalf("a packet %v, and its fate is %v", q, fate)
		}
		if q != nil && whole != nil {
			j.t.Fatal("two datagrams were joined")
		}
		if q != nil {
			whole = q
		}
	}
	return whole, fates
}

// empty fails the test if anything is held.
func (j *joiner) empty() {
	j.t.Helper()
	if n, bytes := j.Held(); n != 0 || bytes != 0 {
		j.t.Errorf("%d datagrams of %d bytes are held, want none", n, bytes)
	}
	if at, ok := j.Next(); ok {
		j.t.Errorf("something is due at %v, and nothing is held", at)
	}
}

// Whatever is cut, in whatever order and how often its pieces come, is joined to
// what it was, with what stands before it.
func TestRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	eth := packet.Eth{Dst: packet.MAC{2, 0, 0, 0, 0, 1}, Src: packet.MAC{2, 0, 0, 0, 0, 2}}
	for _, tt := range []struct {
		name string
		head []packet.Layer
		most int // payload
	}{
		{"IPv4", ip4(packet.UDP{Sport: 1, Dport: 2}), 65507},
		{"IPv6", ip6(packet.UDP{Sport: 1, Dport: 2}), 65527},
		{"IPv4 on Ethernet", append([]packet.Layer{eth}, ip4(packet.UDP{Sport: 1, Dport: 2})...), 65507},
		{"IPv6 behind two tags", append([]packet.Layer{eth, packet.VLAN{ID: 5}, packet.VLAN{ID: 9}}, ip6(packet.ICMPv6{Type: 128})...), 65519},
		{"IPv4 with options", []packet.Layer{packet.IPv4{Src: host4, Dst: peer4, ID: 9, Options: []byte{7, 7, 4, 0, 0, 0, 0, 0x94, 4, 0, 0}}, packet.UDP{Sport: 1, Dport: 2}}, 65000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := newJoiner(t, frag.Limits{Fragments: 8192})
			for range 60 {
				n := 100 + r.IntN(3000)
				if r.IntN(10) == 0 {
					n = tt.most - r.IntN(2)*r.IntN(5000)
				}
				p := build(t, append(tt.head, counted(n))...)
				mtu := 80 + r.IntN(min(n, 3000)-60)
				if mtu >= p.Len()-p.Layout().L3 {
					continue
				}
				ps := cut(t, p, mtu)
				if len(ps) < 2 {
					t.Fatalf("%d bytes are cut into %d pieces for %d", p.Len(), len(ps), mtu)
				}
				order := r.Perm(len(ps))
				if r.IntN(2) == 0 { // the last to come completes it: what comes again comes before
					order = append([]int{order[0]}, order...)
				}
				var shuffled []*packet.Packet
				for _, i := range order {
					shuffled = append(shuffled, ps[i])
				}
				whole, fates := j.add(t0, shuffled...)
				if whole == nil {
					t.Fatalf("%d pieces are not joined: %v", len(ps), fates)
				}
				if !bytes.Equal(whole.Bytes(), p.Bytes()) {
					t.Fatalf("%d bytes, cut at %d, are not what they were:\n% x\n% x", p.Len(), mtu, head(p), head(whole))
				}
				if want := packet.Came(largest(ps)); whole.Came() != want {
					t.Errorf("the largest fragment was %d, want %d", whole.Came(), want)
				}
				j.empty()
				j.pool.Put(whole)
			}
		})
	}
}

func head(p *packet.Packet) []byte { return p.Bytes()[:min(p.Len(), 100)] }

func largest(ps []*packet.Packet) (n int) {
	for _, p := range ps {
		n = max(n, p.Len()-p.Layout().L3)
	}
	return n
}

// offset is where a fragment belongs and whether more follow.
func offset(p *packet.Packet) (off int, more bool) { return p.Layout().FragOff, p.Layout().MoreFrags }

// piece is the fragment of a UDP datagram that holds bytes off to off+n.
func piece(t testing.TB, version, off, n int, more bool, fill byte) *packet.Packet {
	t.Helper()
	data := packet.Payload(bytes.Repeat([]byte{fill}, n))
	if version == 4 {
		return build(t, packet.IPv4{Src: host4, Dst: peer4, ID: 7, Proto: packet.ProtoUDP, Frag: off, MF: more}, data)
	}
	h := binary.BigEndian.AppendUint16([]byte{packet.ProtoUDP, 0}, uint16(off))
	if more {
		h[3] |= 1
	}
	h = binary.BigEndian.AppendUint32(h, 7)
	return build(t, packet.IPv6{Src: host6, Dst: peer6, Proto: packet.ProtoFragment}, packet.Payload(h), data)
}
