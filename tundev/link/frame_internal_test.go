package link

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"testing"
	"testing/iotest"
)

// plain is what frames does, written to be read.
func plain(b []byte, longest int) (got [][]byte, begun bool) {
	for len(b) >= headLen {
		n := int(binary.BigEndian.Uint16(b))
		b = b[headLen:]
		if len(b) < n {
			return got, true
		}
		if n > 0 && n <= longest {
			got = append(got, b[:n])
		}
		b = b[n:]
	}
	return got, len(b) > 0
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte{0, 3, 1, 2, 3, 0, 0, 0, 1, 9}, uint16(100))
	f.Add([]byte{0, 5, 1, 2, 3, 4, 5, 0, 1, 9}, uint16(4))
	f.Add([]byte{0xff, 0xff, 1}, uint16(65535))
	f.Add(bytes.Repeat([]byte{0, 1, 7}, 1000), uint16(1))
	f.Fuzz(func(t *testing.T, b []byte, longest uint16) {
		want, wantBegun := plain(b, int(longest))
		for name, r := range map[string]io.Reader{
			"whole": bytes.NewReader(b), "by one": iotest.OneByteReader(bytes.NewReader(b)), "by half": iotest.HalfReader(bytes.NewReader(b)),
		} {
			var got [][]byte
			fr := newFrames(r, int(longest))
			for {
				for p, ok := fr.next(); ok; p, ok = fr.next() {
					got = append(got, slices.Clone(p))
				}
				if err := fr.fill(); err != nil {
					break
				}
			}
			if !slices.EqualFunc(got, want, bytes.Equal) || fr.begun() != wantBegun {
				t.Errorf("%s: %d packets, begun %t; want %d, %t", name, len(got), fr.begun(), len(want), wantBegun)
			}
		}
	})
}

// Records are followed however they come: after each piece it is known whether one has
// begun, and whether one came to its end in it.
func FuzzRecords(f *testing.F) {
	f.Add([]byte{0, 1, 5, 255}, uint8(3))
	f.Add(bytes.Repeat([]byte{0}, 20), uint8(1))
	f.Fuzz(func(t *testing.T, sizes []byte, piece uint8) {
		var stream []byte
		ends := map[int]bool{0: true}
		for _, n := range sizes {
			stream = append(append(stream, 23, 3, 3, 0, n), make([]byte, n)...)
			ends[len(stream)] = true
		}
		var r records
		for at := 0; at < len(stream); {
			to := min(at+1+int(piece), len(stream))
			want := false
			for i := at + 1; i <= to; i++ {
				want = want || ends[i]
			}
			if ended := r.walk(stream[at:to]); ended != want || (r.have == 0) != ends[to] {
				t.Fatalf("%d to %d: ended %t, between records %t", at, to, ended, r.have == 0)
			}
			at = to
		}
	})
}

// What goes into a ring comes out as it stands on the wire.
func FuzzRing(f *testing.F) {
	f.Add([]byte{1, 2, 3}, []byte{4})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		a, b = a[:min(len(a), maxFrame)], b[:min(len(b), maxFrame)]
		r := newRing(maxFrame)
		r.start(true)
		r.put(a, false)
		r.put(b, false)
		x, rest := cutFrame(r.take(nil, false))
		y, rest := cutFrame(rest)
		if !bytes.Equal(a, x) || !bytes.Equal(b, y) || len(rest) > 0 {
			t.Errorf("%x %x became %x %x %x", a, b, x, y, rest)
		}
	})
}

// The ring is bounded in packets and in bytes.
func TestARingIsBounded(t *testing.T) {
	for _, tt := range []struct{ size, want int }{{28, ringFrames}, {1500, ringFrames}, {65535, ringBytes / (65535 + headLen)}} {
		r := newRing(tt.size)
		r.start(true)
		n := 0
		for r.put(make([]byte, tt.size), false) == kept {
			n++
		}
		if n != tt.want {
			t.Errorf("%d packets of %d bytes, want %d", n, tt.size, tt.want)
		}
		if n := r.stop(); n != tt.want {
			t.Errorf("%d were lost, want %d", n, tt.want)
		}
		if f := r.put(nil, true); f != down {
			t.Errorf("after stop: %v, want down", f)
		}
	}
}
