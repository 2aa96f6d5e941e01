package frag_test

import (
	"bytes"
	"testing"

	"github.com/tunscript/tunscript/engine/frag"
	"github.com/tunscript/tunscript/engine/packet"
)

// Who may be cut, and by whom.
func TestWhatMayBeCut(t *testing.T) {
	udp := packet.UDP{Sport: 1, Dport: 2}
	data := counted(3000)
	v4 := build(t, ip4(udp, data)...)
	df := build(t, packet.IPv4{Src: host4, Dst: peer4, DF: true}, udp, data)
	v6 := build(t, ip6(udp, data)...)
	lying := build(t, ip4(udp, data)...)
	ip, _ := lying.IP()
	ip.SetLen(1000)
	for _, tt := range []struct {
		name string
		p    *packet.Packet
		came packet.Came
		mtu  int
		want int // pieces
	}{
		{"IPv4 that was made", v4, packet.Made, 1500, 3},
		{"IPv4 that came whole", v4, packet.Whole, 1500, 3},
		{"IPv4 that came in smaller fragments", v4, 1000, 1500, 4},
		{"IPv4 that came in larger fragments", v4, 2000, 1500, 3},
		{"a joined one leaves in fragments though it fits", v4, 2000, 9000, 2},
		{"and where there is no MTU", v4, 2000, 0, 2},
		{"DF", df, packet.Whole, 1500, 0},
		{"DF that was made", df, packet.Made, 1500, 0},
		{"DF that came in fragments", df, 1500, 1500, 3},
		{"DF, and no smaller than it came", df, 1500, 1400, 0},
		{"IPv6 that was made", v6, packet.Made, 1500, 3},
		{"IPv6 that came whole", v6, packet.Whole, 1500, 0},
		{"IPv6 that came in smaller fragments", v6, 1300, 1500, 3},
		{"IPv6 that came in larger fragments", v6, 2000, 1500, 3},
		{"a length set by hand", lying, packet.Made, 1500, 0},
		{"an MTU for no more than the header", v4, packet.Made, 27, 0},
		{"an MTU for eight bytes of data", v4, packet.Made, 28, 376},
		{"ARP", build(t, packet.Eth{}, packet.ARP{}), packet.Made, 20, 0},
	} {
		tt.p.SetCame(tt.came)
		if got := len(cut(t, tt.p, tt.mtu)); got != tt.want {
			t.Errorf("%s: %d pieces by %d, want %d", tt.name, got, tt.mtu, tt.want)
		}
	}
}

func TestWhatFits(t *testing.T) {
	p := build(t, packet.Eth{}, packet.IPv4{Src: host4, Dst: peer4}, packet.UDP{}, counted(1472))
	if !frag.Fits(p, 1500) || !frag.Fits(p, 0) || frag.Fits(p, 1499) {
		t.Error("an IP packet of 1500 bytes behind Ethernet fits in 1500, and in no less")
	}
	p.SetGSO(packet.GSO{Type: 1, Size: 100})
	if !frag.Fits(p, 576) {
		t.Error("a super-packet does not fit")
	}
}

// A fragment that is too large is cut further, and all of it joined.
func TestAFragmentIsCutFurther(t *testing.T) {
	p := build(t, ip4(packet.UDP{Sport: 1, Dport: 2}, counted(5000))...)
	j := newJoiner(t, frag.Limits{})
	var whole *packet.Packet
	for _, q := range cut(t, p, 1500) {
		ps := []*packet.Packet{q}
		if !frag.Fits(q, 576) {
			ps = cut(t, q, 576)
		}
		if w, _ := j.add(t0, ps...); w != nil {
			whole = w
		}
	}
	if whole == nil || !bytes.Equal(whole.Bytes(), p.Bytes()) {
		t.Errorf("%v is not what it was", whole)
	}
}

// A later fragment's options are those of all that is cut from it, and it stays where
// offsets reach.
func TestALaterFragmentIsCutFurther(t *testing.T) {
	later := func(off, n int) *packet.Packet {
		return build(t, packet.IPv4{Src: host4, Dst: peer4, Proto: packet.ProtoUDP, Frag: off, MF: true, Options: []byte{7, 3, 4, 0}}, counted(n))
	}
	ps := cut(t, later(800, 1000), 576)
	for _, q := range ps {
		ip, _ := q.IPv4()
		if !bytes.Equal(ip.Options(), []byte{7, 3, 4, 0}) || !ip.MF() {
			t.Errorf("%v has options % x", q, ip.Options())
		}
	}
	if off, _ := offset(ps[1]); len(ps) != 2 || off != 800+552 {
		t.Errorf("%d pieces, the second at %d", len(ps), off)
	}
	if ps := cut(t, later(65000, 1000), 576); len(ps) > 0 {
		t.Errorf("a fragment that ends behind 65535 is cut into %d", len(ps))
	}
}

// RFC 791 section 3.1: options with the copied flag stand in every fragment, the
// others in the first.
func TestOptionsOfFragments(t *testing.T) {
	record := []byte{7, 7, 4, 0, 0, 0, 0} // record route: not copied
	alert := []byte{0x94, 4, 0, 0}        // router alert: copied
	source := []byte{0x83, 5, 1, 192, 0}  // loose source route, odd: copied
	broken := []byte{1, 0x94, 200, 0}     // its length leads nowhere
	for _, tt := range []struct {
		name        string
		opts, later []byte
	}{
		{"none is copied", record, nil},
		{"one is", append(bytes.Clone(record), alert...), alert},
		{"it is padded", source, append(bytes.Clone(source), 0, 0, 0)},
		{"behind the end of the list", append([]byte{0, 0, 0, 0}, alert...), nil},
		{"broken ones", broken, nil},
	} {
		p := build(t, packet.IPv4{Src: host4, Dst: peer4, Options: tt.opts}, packet.UDP{}, counted(2000))
		was, _ := p.IPv4()
		for i, q := range cut(t, p, 576) {
			ip, _ := q.IPv4()
			want := tt.later
			if i == 0 {
				want = was.Options()
			}
			if !bytes.Equal(ip.Options(), want) {
				t.Errorf("%s: fragment %d has % x, want % x", tt.name, i, ip.Options(), want)
			}
		}
	}
}

// RFC 8200 section 4.5: hop-by-hop options and routing headers stand before the
// fragment header, destination options only if a routing header follows.
func TestExtensionHeadersOfFragments(t *testing.T) {
	ext := func(next uint8) []byte { return []byte{next, 0, 1, 4, 0, 0, 0, 0} }
	for _, tt := range []struct {
		name   string
		kinds  []uint8
		before int // of them in front of the fragment header
	}{
		{"none", nil, 0},
		{"hop-by-hop", []uint8{packet.ProtoHopByHop}, 1},
		{"destination options", []uint8{packet.ProtoDestOpts}, 0},
		{"for the routers on the list, too", []uint8{packet.ProtoHopByHop, packet.ProtoDestOpts, packet.ProtoRouting, packet.ProtoDestOpts}, 3},
	} {
		kinds := append(tt.kinds, packet.ProtoUDP)
		var data packet.Payload
		for _, next := range kinds[1:] {
			data = append(data, ext(next)...)
		}
		data = append(data, 0, 1, 0, 2, 0x0b, 0xc0, 0x12, 0x34) // UDP, 3008 bytes
		p := build(t, packet.IPv6{Src: host6, Dst: peer6, Proto: 200}, append(data, counted(3000)...))
		if err := p.SetUint8(6, kinds[0]); err != nil {
			t.Fatal(err)
		}
		ps := cut(t, p, 1280)
		for _, q := range ps {
			if at := 40 + 8*tt.before; q.Layout().Frag != at {
				t.Errorf("%s: the fragment header is at %d, want %d", tt.name, q.Layout().Frag, at)
			}
		}
		whole, fates := newJoiner(t, frag.Limits{}).add(t0, ps...)
		if whole == nil || !bytes.Equal(whole.Bytes(), p.Bytes()) {
			t.Errorf("%s: %v", tt.name, fates)
		}
	}
}

// An atomic fragment (RFC 6946) is whole; too large, its fragments have its id.
func TestAtomicFragment(t *testing.T) {
	p := piece(t, 6, 0, 3000, false, 1)
	if p.Layout().Fragment() {
		t.Fatal("it is taken for a fragment")
	}
	for _, q := range cut(t, p, 1280) {
		ip, _ := q.IP()
		if id, ok := ip.ID(); !ok || id != 7 {
			t.Errorf("a fragment has id %d %v, want 7", id, ok)
		}
	}
}

// A checksum that is wrong on purpose does not become right by cutting.
func TestAWrongChecksumStaysWrong(t *testing.T) {
	p := build(t, ip4(packet.UDP{Sport: 1, Dport: 2}, counted(2000))...)
	u, _ := p.UDP()
	u.SetChecksum(0xdead)
	ip, _ := p.IPv4()
	ip.SetChecksum(ip.Checksum() + 3)
	ps, _ := frag.Cut(nil, p, 576, nil)
	for _, q := range ps {
		v, _ := q.IPv4()
		came := v.Checksum()
		v.ResetChecksum()
		if d := came - v.Checksum(); d != 3 && d != 2 { // the carry of ones' complement
			t.Errorf("the header checksum is wrong by %d, want 3", d)
		}
	}
	whole, _ := newJoiner(t, frag.Limits{}).add(t0, ps...)
	if u, ok := whole.UDP(); !ok || u.Checksum() != 0xdead {
		t.Errorf("%v: its checksum is not what it was", whole)
	}
}

// Ethernet's padding is no part of a packet.
func TestPaddingIsLeftBehind(t *testing.T) {
	p := build(t, packet.Eth{}, packet.IPv4{Src: host4, Dst: peer4}, packet.UDP{}, counted(10))
	q, err := packet.Parse(append(p.Bytes(), make([]byte, 100)...), packet.Ethernet)
	if err != nil {
		t.Fatal(err)
	}
	if ps := cut(t, q, 100); len(ps) != 1 || !bytes.Equal(ps[0].Bytes(), p.Bytes()) {
		t.Errorf("%v", ps)
	}
}
