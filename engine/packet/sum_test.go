package packet

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"
)

// add takes eight bytes at a time; this is RFC 1071 as it reads.
func plain(b []byte) uint16 {
	var sum uint32
	for i, c := range b {
		sum += uint32(c) << (8 * (1 - i%2))
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

func TestChecksumIsThePlainOne(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 300 {
		b := make([]byte, n)
		for range 20 {
			for i := range b {
				b[i] = byte(r.Uint32())
				if r.IntN(3) == 0 {
					b[i] = 0xff
				}
			}
			if got, want := Checksum(b), plain(b); got != want {
				t.Fatalf("%d bytes: %#04x, want %#04x", n, got, want)
			}
		}
	}
}

func BenchmarkChecksum1500(b *testing.B) {
	data := make([]byte, 1500)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		Checksum(data)
	}
}

// Of the two ways to write 0 in ones' complement a checksum keeps the one it came with,
// right or wrong, where an edit leaves the sum alone.
func TestASumOfZeroStaysAsItCame(t *testing.T) {
	for _, sum := range []uint16{0, 0xffff} {
		p, err := Build(
			IPv6{Src: netip.MustParseAddr("2001:db8::1"), Dst: netip.MustParseAddr("2001:db8::2")},
			TCP{Sport: 1, Dport: 2, Flags: ACK}, Payload("hello"))
		if err != nil {
			t.Fatal(err)
		}
		b := bytes.Clone(p.Bytes())
		// A port that makes the right sum 0, so that either way of writing it is right.
		tcp, _ := p.TCP()
		binary.BigEndian.PutUint16(b[40:], uint16(1+uint32(tcp.Checksum())))
		binary.BigEndian.PutUint16(b[40+16:], sum)
		q, err := Parse(b, IP)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := q.TCP(); !ok || got.Checksum() != sum {
			t.Fatalf("it came as %#x and is %#x", sum, got.Checksum())
		}
		tcp, _ = q.TCP()
		tcp.SetDport(tcp.Dport())
		ip, _ := q.IPv6()
		ip.SetProto(ip.Proto()) // what decides where headers are goes another way
		if got := q.Bytes(); !bytes.Equal(got, b) {
			t.Errorf("%#x has become %#x", sum, binary.BigEndian.Uint16(got[56:]))
		}
		tcp, _ = q.TCP()
		tcp.SetDport(7)
		tcp.SetDport(2)
		if got := binary.BigEndian.Uint16(q.Bytes()[56:]); got != 0 && got != 0xffff {
			t.Errorf("%#x has become %#x, there and back", sum, got)
		}
	}
}
