package pcapfile_test

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/packet"
	"github.com/tunscript/tunscript/tundev/pcapfile"
)

// ng builds pcapng by hand, in either order.
type ng struct {
	binary.AppendByteOrder
	b []byte
}

func (g *ng) put(kind uint32, body []byte) {
	n := uint32(12 + len(body))
	g.b = g.AppendUint32(g.b, kind)
	g.b = g.AppendUint32(g.b, n)
	g.b = append(g.b, body...)
	g.b = g.AppendUint32(g.b, n)
}

func (g *ng) words(vs ...uint32) (b []byte) {
	for _, v := range vs {
		b = g.AppendUint32(b, v)
	}
	return b
}

func (g *ng) section() {
	b := g.words(0x1a2b3c4d)
	b = g.AppendUint16(b, 1)
	b = g.AppendUint16(b, 0)
	g.put(0x0a0d0d0a, append(b, g.words(0xffffffff, 0xffffffff)...))
}

// iface has a resolution if it is not 0.
func (g *ng) iface(linkType uint16, snap uint32, resolution byte) {
	b := g.AppendUint16(nil, linkType)
	b = g.AppendUint16(b, 0)
	b = append(b, g.words(snap)...)
	if resolution != 0 {
		b = g.AppendUint16(b, 9)
		b = g.AppendUint16(b, 1)
		b = append(b, resolution, 0, 0, 0)
	}
	g.put(1, b)
}

func (g *ng) enhanced(id uint32, stamp uint64, p []byte) {
	b := g.words(id, uint32(stamp>>32), uint32(stamp), uint32(len(p)), uint32(len(p)))
	g.put(6, append(b, padded(p)...))
}

func padded(p []byte) []byte { return append(slices.Clone(p), make([]byte, (4-len(p)%4)%4)...) }

func TestPcapng(t *testing.T) {
	for _, o := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		g := &ng{AppendByteOrder: o}
		g.section()
		g.iface(101, 0, 0)    // microseconds
		g.iface(101, 0, 9)    // nanoseconds
		g.iface(101, 0, 0x8a) // 1/1024 s
		g.iface(105, 0, 0)    // 802.11
		g.iface(101, 28, 6)   // cut at 28
		g.put(5, make([]byte, 12))
		g.put(0xbad, padded(make([]byte, 1000)))
		g.enhanced(0, 5_000_001, ping4())
		g.enhanced(1, 6_000_000_001, ping4())
		g.enhanced(2, 7*1024+512, ping4())
		g.enhanced(3, 7_500_000, ping4())
		g.put(3, append(g.words(28), ping4()...))
		g.put(2, append(g.words(0, 0, 8_000_000, 28, 28), ping4()...))
		g.section() // another, of its own interfaces
		g.iface(1, 0, 0)
		g.enhanced(0, 9_000_000, make([]byte, 60))
		g.section()
		g.iface(101, 20, 0)
		g.put(3, append(g.words(1000), ping4()[:20]...)) // cut to the snaplen
		d, ps, err := play(t, g.b)
		if err != nil || d.Skipped() != 2 {
			t.Errorf("%v: %v, %d skipped, want the 802.11 and the Ethernet packet", o, err, d.Skipped())
		}
		var got []time.Duration
		for _, p := range ps {
			got = append(got, p.Time.Sub(time.Unix(0, 0)))
		}
		want := []time.Duration{5*time.Second + 1000, 6*time.Second + 1, 7500 * time.Millisecond, 7500 * time.Millisecond, 8 * time.Second, 9 * time.Second}
		if !slices.Equal(got, want) {
			t.Errorf("%v: packets at %v, want %v", o, got, want)
		}
		if last := ps[len(ps)-1]; last.Len() != 20 {
			t.Errorf("the last has %d bytes, want its snaplen", last.Len())
		}
	}
}

// What the file says of lengths is checked before it is believed.
func TestPcapngThatLies(t *testing.T) {
	for _, c := range []struct {
		name string
		lie  func(*ng)
	}{
		{"no interface", func(g *ng) { g.enhanced(0, 0, ping4()) }},
		{"a simple packet without interface", func(g *ng) { g.put(3, append(g.words(28), ping4()...)) }},
		{"interface 7", func(g *ng) { g.iface(101, 0, 0); g.enhanced(7, 0, ping4()) }},
		{"a packet of 4 GiB", func(g *ng) { g.iface(101, 0, 0); g.put(6, g.words(0, 0, 0, 0xffffffff, 28, 0)) }},
		{"a simple packet of 4 GiB", func(g *ng) { g.iface(101, 0xffffffff, 0); g.put(3, g.words(0xffffffff, 0)) }},
		{"a block of 4 GiB", func(g *ng) { g.b = append(g.b, g.words(1, 0xfffffffc)...) }},
		{"a block of 8 bytes", func(g *ng) { g.b = append(g.b, g.words(1, 8)...) }},
		{"a block of 13 bytes", func(g *ng) { g.b = append(g.b, g.words(1, 13)...) }},
		{"an unknown block that is cut", func(g *ng) { g.b = append(g.b, g.words(77, 0xfffffffc)...) }},
		{"an interface without fields", func(g *ng) { g.put(1, g.words(0)) }},
		{"lengths that differ", func(g *ng) { g.iface(101, 0, 0); g.b[len(g.b)-4]++ }},
		{"a resolution of 10^-20", func(g *ng) { g.iface(101, 0, 20) }},
		{"a resolution of 2^-64", func(g *ng) { g.iface(101, 0, 0xc0) }},
		{"an option longer than its block", func(g *ng) { g.put(1, append(g.words(101, 0), 9, 0, 0xff, 0xff)) }},
		{"version 2", func(g *ng) { g.section(); g.b[len(g.b)-16] = 2 }},
		{"no byte order", func(g *ng) { g.section(); g.b[len(g.b)-20] = 0 }},
	} {
		g := &ng{AppendByteOrder: binary.LittleEndian}
		g.section()
		g.iface(101, 0, 0)
		g.enhanced(0, 0, ping4())
		if c.name == "no interface" || c.name == "a simple packet without interface" {
			g.section()
		}
		c.lie(g)
		_, ps, err := play(t, g.b)
		if !errors.Is(err, pcapfile.ErrDamaged) || len(ps) != 1 {
			t.Errorf("%s: %d packets and %v, want the first and ErrDamaged", c.name, len(ps), err)
		}
	}
}

// Cut at every byte: whole packets, then an end or an error, never a panic.
func TestCutAnywhere(t *testing.T) {
	g := &ng{AppendByteOrder: binary.BigEndian}
	g.section()
	g.iface(101, 0, 9)
	g.enhanced(0, 1, ping4())
	g.enhanced(0, 2, ping4())
	for _, file := range [][]byte{g.b, classic(binary.BigEndian, 101, ping4(), ping4())} {
		for n := range file {
			_, ps, err := play(t, file[:n])
			for _, p := range ps {
				if p.Len() != 28 {
					t.Errorf("cut at %d, a packet of %d bytes came", n, p.Len())
				}
			}
			if len(ps) == 2 || n > 0 && err == nil && len(file)-n < 20 {
				t.Errorf("cut at %d: %d packets, %v", n, len(ps), err)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	g := &ng{AppendByteOrder: binary.LittleEndian}
	g.section()
	g.iface(101, 0, 9)
	g.enhanced(0, 1, ping4())
	f.Add(g.b)
	f.Add(classic(binary.LittleEndian, 101, ping4()))
	f.Add(classic(binary.BigEndian, 113, ping4()))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, ps, err := play(t, b)
		if _, ok := errors.AsType[*pcapfile.Error](err); err != nil && !ok {
			t.Errorf("an error of type %T: %v", err, err)
		}
		for _, p := range ps {
			if p.Len() == 0 || p.Len() > packet.MaxLen {
				t.Errorf("a packet of %d bytes", p.Len())
			}
		}
	})
}
