package packet_test

import (
	"errors"
	"testing"

	"github.com/tunscript/tunscript/engine/packet"
)

func TestPayloadOfAnotherLengthMovesLengths(t *testing.T) {
	for _, s := range editable() {
		for _, n := range []int{0, 1, 5, 1400, 3000, 60000} {
			p := parse(t, build(t, s.layers...).Bytes(), s.link)
			want := make([]byte, n)
			for i := range want {
				want[i] = byte(i)
			}
			if err := p.SetPayload(want); err != nil {
				t.Fatalf("%s, %d bytes: %v", s.name, n, err)
			}
			ip, _ := p.IP()
			if string(p.Payload()) != string(want) || ip.Len() != p.Len()-p.Layout().L3 {
				t.Errorf("%s: %d bytes of payload read as %d, ip.len %d of %d", s.name, n, len(p.Payload()), ip.Len(), p.Len())
			}
			if u, ok := p.UDP(); ok && u.Len() != 8+n {
				t.Errorf("%s: udp.len %d, want %d", s.name, u.Len(), 8+n)
			}
			q := parse(t, p.Bytes(), s.link)
			if layer, ok := q.Valid(); !ok {
				t.Errorf("%s, %d bytes: %s is not valid", s.name, n, layer)
			}
		}
	}
}

func TestPayloadMayBeAPartOfThePacket(t *testing.T) {
	p := build(t, packet.IPv4{Src: host4, Dst: peer4}, packet.UDP{Sport: 1, Dport: 2}, packet.Payload("0123456789"))
	p.SetPayload(p.Payload()[4:])
	if string(p.Payload()) != "456789" {
		t.Errorf("got %q", p.Payload())
	}
	p.SetPayload(p.Bytes()) // a packet in itself
	if q := parse(t, p.Payload(), packet.IP); string(q.Payload()) != "456789" {
		t.Errorf("got %q", q.Payload())
	}
}

func TestPayloadTooLongIsRefused(t *testing.T) {
	for _, s := range editable() {
		p := build(t, s.layers...)
		before := p.String()
		var field *packet.FieldError
		if err := p.SetPayload(make([]byte, 65536)); !errors.As(err, &field) {
			t.Errorf("%s: %v, want a FieldError", s.name, err)
		}
		if p.String() != before {
			t.Errorf("%s was changed to %v", s.name, p)
		}
	}
}

func TestPaddingGoesWhenThePayloadGrows(t *testing.T) {
	s := build(t, packet.Eth{}, packet.IPv4{Src: host4, Dst: peer4}, packet.UDP{Sport: 1, Dport: 2}, packet.Payload("ab"))
	p := parse(t, append(s.Bytes(), "padding padding"...), packet.Ethernet)
	if string(p.Payload()) != "ab" {
		t.Fatalf("padding is no payload: %q", p.Payload())
	}
	p.SetPayload([]byte("abc"))
	if p.Len() != 14+20+8+3 {
		t.Errorf("%d bytes", p.Len())
	}
	if layer, ok := p.Valid(); !ok {
		t.Errorf("%s is not valid", layer)
	}
}

func TestLengthSetByHandStays(t *testing.T) {
	for _, s := range editable() {
		p := parse(t, build(t, s.layers...).Bytes(), s.link)
		want, n := string(p.Bytes()), len(p.Payload())
		ip, _ := p.IP()
		was := ip.Len()
		if err := ip.SetLen(46); err != nil {
			t.Fatal(err)
		}
		if u, ok := p.UDP(); ok {
			u.SetLen(9)
		}
		if len(p.Payload()) != n {
			t.Errorf("%s: a lie about the length took payload away", s.name)
		}
		if layer, ok := p.Valid(); ok || layer != "ip" {
			t.Errorf("%s: with a length that lies, %q is not valid", s.name, layer)
		}
		p.SetPayload(append(p.Payload(), "more"...))
		if u, ok := p.UDP(); ip.Len() != 46 || ok && u.Len() != 9 {
			t.Errorf("%s: a length set by hand did not stay", s.name)
		}
		p.SetPayload(p.Payload()[:n])
		ip.ResetLen()
		if u, ok := p.UDP(); ok {
			u.ResetLen()
		}
		if ip.Len() != was || string(p.Bytes()) != want {
			t.Errorf("%s: undone, ip.len is %d, want %d\n%s", s.name, ip.Len(), was, p.Hex(false))
		}
	}
}

func TestChecksumSetByHandStays(t *testing.T) {
	p := build(t, packet.IPv4{Src: host4, Dst: peer4, ID: 1}, packet.TCP{Sport: 1, Dport: 2}, packet.Payload("x"))
	ip, _ := p.IPv4()
	tcp, _ := p.TCP()
	ip.SetChecksum(0xdead)
	tcp.SetChecksum(0xbeef)
	ip.SetTTL(1)
	tcp.SetSeq(9)
	p.SetPayload([]byte("another"))
	q := parse(t, p.Bytes(), packet.IP)
	qip, _ := q.IPv4()
	qtcp, _ := q.TCP()
	if qip.Checksum() != 0xdead || qtcp.Checksum() != 0xbeef {
		t.Errorf("%#x and %#x left", qip.Checksum(), qtcp.Checksum())
	}
	ip.ResetChecksum()
	tcp.ResetChecksum()
	want, wantTCP := ip.Checksum(), tcp.Checksum()
	q = parse(t, p.Bytes(), packet.IP)
	if layer, ok := q.Valid(); !ok {
		t.Errorf("undone, %s is not valid", layer)
	}
	if ip.Checksum() != want || tcp.Checksum() != wantTCP {
		t.Error("a checksum reads as it leaves")
	}
}

func TestAbsentUDPChecksumStaysAbsent(t *testing.T) {
	p := build(t, packet.IPv4{Src: host4, Dst: peer4}, packet.UDP{Sport: 1, Dport: 2}, packet.Payload("x"))
	u, _ := p.UDP()
	u.SetChecksum(0)
	q := parse(t, p.Bytes(), packet.IP)
	u, _ = q.UDP()
	u.SetDport(53)
	q.SetPayload([]byte("longer"))
	if u.Checksum() != 0 {
		t.Errorf("%#x, want none", u.Checksum())
	}
	if layer, ok := q.Valid(); !ok {
		t.Errorf("%s is not valid", layer)
	}
}

func TestSuperPacketStaysOne(t *testing.T) {
	p := build(t, packet.IPv4{Src: host4, Dst: peer4}, packet.TCP{Sport: 1, Dport: 2, Flags: packet.ACK}, packet.Payload(make([]byte, 5000)))
	p.SetGSO(packet.GSO{Type: 1, Size: 1000})
	p.Unfinish()
	if p.Segments() != 5 {
		t.Fatalf("%d segments", p.Segments())
	}
	p.Bytes() // somebody looks at it whole
	if !p.Unfinish() {
		t.Error("a device gets the seed again")
	}
	p.SetPayload(make([]byte, 3001))
	if _, ok := p.Partial(); !ok || p.Segments() != 4 || p.GSO().Size != 1000 {
		t.Errorf("%d segments, unfinished %v", p.Segments(), ok)
	}
	p.SetPayload(make([]byte, 1000))
	if p.GSO() != (packet.GSO{}) {
		t.Error("one segment is an ordinary packet")
	}
}

func TestFragmentChecksumOnlyFollows(t *testing.T) {
	whole := build(t, packet.IPv4{Src: host4, Dst: peer4, ID: 5}, packet.UDP{Sport: 1, Dport: 2}, packet.Payload("0123456789abcdef"))
	sum := func(p *packet.Packet) uint16 { u, _ := p.UDP(); return u.Checksum() }
	want := sum(whole)
	first := whole.Clone()
	ip, _ := first.IPv4()
	ip.SetMF(true) // finishes the whole datagram's checksum
	if sum(first) != want {
		t.Fatalf("%#x, want the datagram's %#x", sum(first), want)
	}
	first.SetPayload([]byte("01234567"))
	u, _ := first.UDP()
	if u.Len() != 24 || sum(first) != want {
		t.Errorf("cut off: udp.len %d, checksum %#x, want the datagram's 24 and %#x", u.Len(), sum(first), want)
	}
	first.SetPayload([]byte("76543210"))
	changed := build(t, packet.IPv4{Src: host4, Dst: peer4, ID: 5}, packet.UDP{Sport: 1, Dport: 2}, packet.Payload("7654321089abcdef"))
	if sum(first) != sum(changed) {
		t.Errorf("changed in its first fragment: %#x, want %#x", sum(first), sum(changed))
	}
}

// The payload is new, and so is the sum over it; nobody said that the header's
// was to be mended.
func TestPayloadHealsItsOwnChecksumOnly(t *testing.T) {
	b := build(t, packet.IPv4{Src: host4, Dst: peer4, ID: 1}, packet.UDP{Sport: 1, Dport: 2}, packet.Payload("x")).Bytes()
	spoil(b[10:], 0x1234)
	spoil(b[26:], 0x1234)
	p := parse(t, b, packet.IP)
	p.SetPayload([]byte("longer"))
	ip, udp, _, _ := rightSums(p)
	if off := less(p.Bytes()[10:], ip); off != 0x1234 {
		t.Errorf("the header checksum is off by %#x, want 0x1234 as before", off)
	}
	if off := less(p.Bytes()[26:], udp); off != 0 {
		t.Errorf("the UDP checksum is off by %#x", off)
	}
}

func TestUnfinishLeavesOnlyThePartialSum(t *testing.T) {
	for _, l := range [][]packet.Layer{ip4(packet.UDP{}, packet.Payload("x")), ip4(packet.ICMP{Type: 8}, packet.Payload("x"))} {
		p := build(t, l...)
		_, icmp := p.ICMP()
		if p.Unfinish() == icmp {
			t.Errorf("%v: unfinished is %v", p, !icmp)
		}
		q := parse(t, p.Frame(), packet.IP)
		layer, ok := q.Valid()
		if want := map[bool]string{false: "udp", true: ""}[icmp]; layer != want || ok != icmp {
			t.Errorf("%v: written as it stands, %q is not valid, want %q", p, layer, want)
		}
	}
}
