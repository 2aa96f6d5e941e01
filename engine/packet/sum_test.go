package packet

import (
	"math/rand/v2"
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
