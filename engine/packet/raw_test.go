package packet_test

import (
	"testing"

	"github.com/tunscript/tunscript/engine/packet"
)

func TestRawReadsSeeWhatLeaves(t *testing.T) {
	p := build(t, packet.IPv4{Src: host4, Dst: peer4}, packet.TCP{Sport: 1, Dport: 2}, packet.Payload("x"))
	q := p.Clone()
	want := q.Bytes()
	for off := range want {
		if v, ok := p.Uint8(off); !ok || v != want[off] {
			t.Errorf("byte %d is %#x, leaves as %#x", off, v, want[off])
		}
	}
	if b, ok := p.AppendRange(nil, 9, 20); !ok || string(b) != string(want[9:29]) {
		t.Errorf("% x, want % x", b, want[9:29])
	}
	if v, ok := p.Bits(8*36, 16); !ok || uint16(v) != uint16(want[36])<<8|uint16(want[37]) {
		t.Errorf("the checksum as bits is %#x", v)
	}
	if v, ok := p.Bits(3, 7); !ok || v != uint64(want[0]&0x1f)<<2|uint64(want[1]>>6) {
		t.Errorf("seven bits from the fourth on are %#x", v)
	}
	var first uint64
	for _, c := range want[:8] {
		first = first<<8 | uint64(c)
	}
	if v, ok := p.Bits(5, 64); !ok || v != first<<5|uint64(want[8]>>3) {
		t.Errorf("64 bits from the sixth on are %#x", v)
	}
}

func TestRawOutsideIsRefused(t *testing.T) {
	p := build(t, packet.IPv4{Src: host4, Dst: peer4})
	n := p.Len()
	for _, off := range []int{-1, n - 3, n, n + 1, 1 << 40, -1 << 40} {
		if _, ok := p.Uint32(off); ok {
			t.Errorf("four bytes at %d of %d", off, n)
		}
		if err := p.SetUint32(off, 1); err == nil {
			t.Errorf("four bytes written at %d of %d", off, n)
		}
		if _, ok := p.Bits(off*8, 64); ok {
			t.Errorf("64 bits at byte %d of %d", off, n)
		}
		if _, ok := p.AppendRange(nil, off, 4); ok {
			t.Errorf("a range at %d of %d", off, n)
		}
	}
}

func TestRawWritesMoveHeaders(t *testing.T) {
	p := parse(t, build(t, packet.IPv4{Src: host4, Dst: peer4}, packet.UDP{Sport: 1, Dport: 2}, packet.Payload(make([]byte, 24))).Bytes(), packet.IP)
	if err := p.SetUint8(9, packet.ProtoTCP); err != nil {
		t.Fatal(err)
	}
	if _, ok := p.TCP(); !ok {
		t.Error("protocol 6 is TCP")
	}
	ip, _ := p.IPv4()
	want := ip.Checksum()
	ip.ResetChecksum()
	if ip.Checksum() != want {
		t.Errorf("the header checksum is %#x, want %#x", want, ip.Checksum())
	}
	p.SetUint16(6, 0x2000)
	if mf, _ := (func() (bool, bool) { v, _ := p.IP(); return v.MF() })(); !mf {
		t.Error("the flag is set")
	}
}

func TestRawWritesOfChecksumsAndLengthsStay(t *testing.T) {
	p := build(t, packet.IPv4{Src: host4, Dst: peer4}, packet.UDP{Sport: 1, Dport: 2}, packet.Payload("x"))
	p.SetUint16(2, 100)
	p.SetUint16(10, 0x1111)
	p.SetUint16(24, 90)
	p.SetUint16(26, 0x2222)
	ip, _ := p.IPv4()
	ip.SetTTL(3)
	p.SetPayload([]byte("longer"))
	b := p.Bytes()
	for off, want := range map[int]uint16{2: 100, 10: 0x1111, 24: 90, 26: 0x2222} {
		if got := uint16(b[off])<<8 | uint16(b[off+1]); got != want {
			t.Errorf("at %d %#x left, want %#x", off, got, want)
		}
	}
}

// A byte of a finished checksum is written, not of the sum that was still due.
func TestRawWriteOfHalfAChecksum(t *testing.T) {
	p := build(t, packet.IPv4{Src: host4, Dst: peer4, ID: 1}, packet.UDP{Sport: 1, Dport: 2}, packet.Payload("x"))
	u, _ := p.UDP()
	want := u.Checksum()&0xff00 | 0x77
	p.SetUint8(27, 0x77)
	if u.Checksum() != want {
		t.Errorf("%#04x, want %#04x", u.Checksum(), want)
	}
}

func TestViewOfAHeaderThatWentDoesNothing(t *testing.T) {
	p := build(t, packet.IPv4{Src: host4, Dst: peer4}, packet.TCP{Sport: 1, Dport: 2}, packet.Payload("x"))
	tcp, _ := p.TCP()
	if err := p.Set([]byte{0x45}, packet.IP); err != nil {
		t.Fatal(err)
	}
	tcp.SetSeq(5)
	tcp.SetChecksum(5)
	tcp.Options().SetMSS(5)
	if tcp.Seq() != 0 || tcp.Checksum() != 0 || tcp.HeaderLen() != 0 || string(p.Bytes()) != "\x45" {
		t.Errorf("seq %d, % x", tcp.Seq(), p.Bytes())
	}
}
