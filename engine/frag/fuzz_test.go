package frag_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/frag"
	"github.com/tunscript/tunscript/engine/packet"
)

// FuzzJoin gives a joiner any fragments: packets behind each other, each behind its
// length in two bytes. Nothing panics, what is held keeps to its limits, and what was
// joined is a datagram that is cut and joined to itself.
func FuzzJoin(f *testing.F) {
	seed := func(link packet.LinkType, ps ...*packet.Packet) {
		var b []byte
		for _, p := range ps {
			b = append(b, byte(p.Len()>>8), byte(p.Len()))
			b = append(b, p.Bytes()...)
		}
		f.Add(b, link == packet.Ethernet, uint16(100))
	}
	for _, version := range []int{4, 6} {
		seed(packet.IP, piece(f, version, 0, 16, true, 1), piece(f, version, 16, 8, false, 1))
		seed(packet.IP, piece(f, version, 16, 8, false, 1), piece(f, version, 0, 16, true, 1))
		seed(packet.IP, piece(f, version, 0, 16, true, 1), piece(f, version, 8, 16, true, 1))
		seed(packet.IP, piece(f, version, 65528, 100, false, 1), piece(f, version, 0, 3, true, 1))
	}
	tagged := piece(f, 4, 0, 16, true, 1)
	tagged.PushEthernet(packet.MAC{}, packet.MAC{})
	seed(packet.Ethernet, tagged)
	f.Fuzz(func(t *testing.T, b []byte, ethernet bool, mtu uint16) {
		link := packet.IP
		if ethernet {
			link = packet.Ethernet
		}
		limits := frag.Limits{Datagrams: 4, Bytes: 8192, Fragments: 8}
		j, at := newJoiner(t, limits), t0
		for len(b) > 2 {
			n := min(int(b[0])<<8|int(b[1]), len(b)-2)
			p, err := packet.Parse(b[2:2+n], link)
			b = b[2+n:]
			if err != nil || !p.Layout().Fragment() {
				continue
			}
			at = at.Add(time.Second)
			whole, fate := j.Add(p, at)
			if datagrams, bytes := j.Held(); datagrams > limits.Datagrams || bytes > limits.Bytes {
				t.Fatalf("%d datagrams of %d bytes are held", datagrams, bytes)
			}
			if (whole != nil) != (fate == frag.Joined) {
				t.Fatalf("a packet %v, and its fate is %v", whole, fate)
			}
			if whole != nil {
				again(t, whole, int(mtu))
			}
		}
		j.Close()
		j.empty()
	})
}

// again cuts what was joined and joins it.
func again(t *testing.T, p *packet.Packet, mtu int) {
	want := bytes.Clone(p.Bytes())
	if frag.Fits(p, mtu) {
		return
	}
	ps, ok := frag.Cut(nil, p, mtu, nil)
	if !ok {
		return
	}
	j := newJoiner(t, frag.Limits{Fragments: 8192})
	var whole *packet.Packet
	for _, q := range ps {
		if n := q.Len() - q.Layout().L3; mtu > 0 && n > mtu {
			t.Fatalf("a piece of %d bytes, and %d fit", n, mtu)
		}
		if w, _ := j.Add(q, t0); w != nil {
			whole = w
		}
	}
	// Options that are broken are not copied, and congestion is said by all or none: the
	// data is the same whatever the header was.
	if len(ps) > 1 && (whole == nil || !bytes.Equal(whole.Bytes()[whole.Layout().L3+20:], want[p.Layout().L3+20:])) {
		t.Fatalf("%d bytes cut into %d pieces are not joined to what they were:\n% x\n%v", len(want), len(ps), want, whole)
	}
}

// FuzzCut cuts anything by any MTU: nothing panics, every piece fits, and what is
// cut into fragments is joined again.
func FuzzCut(f *testing.F) {
	f.Add(build(f, ip4(packet.UDP{}, counted(600))...).Bytes(), uint16(100), int32(0))
	f.Add(build(f, ip6(packet.UDP{}, counted(600))...).Bytes(), uint16(100), int32(0))
	f.Add(build(f, ip4(packet.TCP{Flags: packet.SYN}, counted(600))...).Bytes(), uint16(100), int32(-1))
	f.Add(build(f, packet.IPv4{Src: host4, Dst: peer4, Options: []byte{0x94, 4, 0, 0}}, packet.UDP{}, counted(600)).Bytes(), uint16(100), int32(80))
	f.Add(piece(f, 6, 0, 600, false, 1).Bytes(), uint16(100), int32(0))
	f.Add(piece(f, 4, 80, 600, true, 1).Bytes(), uint16(100), int32(0))
	f.Fuzz(func(t *testing.T, b []byte, mtu uint16, came int32) {
		p, err := packet.Parse(b, packet.IP)
		if err != nil {
			return
		}
		p.SetCame(packet.Came(max(came, -1)))
		if frag.Fits(p, int(mtu)) {
			return
		}
		ps, ok := frag.Cut(nil, p, int(mtu), nil)
		if ok != (len(ps) > 0) {
			t.Fatalf("%d pieces, and %v", len(ps), ok)
		}
		for _, q := range ps {
			if mtu > 0 && q.Len() > int(mtu) {
				t.Fatalf("a piece of %d bytes, and %d fit", q.Len(), mtu)
			}
		}
	})
}
