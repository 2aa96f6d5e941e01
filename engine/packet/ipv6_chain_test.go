package packet_test

import (
	"testing"

	"github.com/tunscript/tunscript/engine/packet"
)

// chain puts raw extension headers before a UDP datagram of 5 bytes.
func chain(t testing.TB, first uint8, exts []byte) *packet.Packet {
	udp := []byte{0x0f, 0xa0, 0, 7, 0, 13, 0, 0, 'h', 'e', 'l', 'l', 'o'}
	q := build(t, packet.IPv6{Src: host6, Dst: peer6}, packet.Payload(exts), packet.Payload(udp))
	ip, _ := q.IPv6()
	ip.SetProto(first)
	p := parse(t, q.Bytes(), packet.IP)
	if v, ok := p.UDP(); ok {
		v.ResetChecksum()
	}
	return p
}

func TestExtensionHeadersAreWalked(t *testing.T) {
	hop := []byte{17, 0, 1, 4, 0, 0, 0, 0}
	for _, tt := range []struct {
		name  string
		first uint8
		exts  []byte
		want  []uint8 // numbers of the headers that are there
		proto uint8
		udp   bool
	}{
		{"none", 17, nil, nil, 17, true},
		{"hop by hop", 0, hop, []uint8{0}, 17, true},
		{"options and an atomic fragment", 0, append([]byte{44, 0, 1, 4, 0, 0, 0, 0}, 17, 0, 0, 0, 0, 0, 0, 9), []uint8{0, 44}, 17, true},
		{"first fragment", 44, []byte{17, 0, 0, 1, 0, 0, 0, 9}, []uint8{44}, 17, true},
		{"later fragment", 44, []byte{17, 0, 0, 8, 0, 0, 0, 9}, []uint8{44}, 17, false},
		{"authentication", 51, []byte{17, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2}, []uint8{51}, 17, true},
		{"cut short", 0, []byte{17, 9, 0, 0, 0, 0, 0, 0}, nil, 0, false},
	} {
		p := chain(t, tt.first, tt.exts)
		ip, _ := p.IPv6()
		var got []uint8
		for n := range ip.Extensions() {
			got = append(got, n)
		}
		_, udp := p.UDP()
		if string(got) != string(tt.want) || ip.Proto() != tt.proto || udp != tt.udp || ip.NextHeader() != tt.first {
			t.Errorf("%s: headers %v, proto %d, udp %v", tt.name, got, ip.Proto(), udp)
		}
	}
}

func TestFragmentFieldsOfIPv6(t *testing.T) {
	p := chain(t, 44, []byte{17, 0, 0, 9, 0, 0, 0, 9})
	ip, _ := p.IP()
	id, _ := ip.ID()
	mf, _ := ip.MF()
	off, ok := ip.Frag()
	if id != 9 || !mf || off != 8 || !ok {
		t.Fatalf("id %d, mf %v, frag %d", id, mf, off)
	}
	ip.SetID(1 << 31)
	ip.SetMF(false)
	if err := ip.SetFrag(0); err != nil {
		t.Fatal(err)
	}
	if id, _ := ip.ID(); id != 1<<31 {
		t.Errorf("id %d", id)
	}
	if u, ok := p.UDP(); !ok || u.Dport() != 7 {
		t.Error("what begins at 0 and ends is whole")
	}
}

func TestSetProtoBehindExtensionHeaders(t *testing.T) {
	p := chain(t, 0, []byte{17, 0, 1, 4, 0, 0, 0, 0})
	ip, _ := p.IPv6()
	ip.SetProto(253)
	if ip.Proto() != 253 || ip.NextHeader() != 0 || p.Frame()[40] != 253 {
		t.Errorf("proto %d, next header %d", ip.Proto(), ip.NextHeader())
	}
}

// The transport sums the address that the packet ends at, not the next stop.
func TestRoutingHeaderDecidesThePseudoHeader(t *testing.T) {
	plain := chain(t, 17, nil)
	u, _ := plain.UDP()
	want := u.Checksum()
	for _, typ := range []byte{0, 2, 4} {
		rh := append([]byte{17, 2, typ, 1, 0, 0, 0, 0}, peer6.AsSlice()...)
		p := chain(t, 43, rh)
		ip, _ := p.IPv6()
		ip.SetDst(host6) // the next stop
		u, _ := p.UDP()
		if u.Checksum() != want {
			t.Errorf("type %d: %#04x, want %#04x as for its end", typ, u.Checksum(), want)
		}
		p.Finish()
		ip.SetDst(peer6)
		p.SetUint8(40+3, 0) // arrived: no segments are left
		if layer, ok := p.Valid(); !ok || u.Checksum() != want {
			t.Errorf("type %d, arrived: %s not valid, %#04x", typ, layer, u.Checksum())
		}
	}
}
