package filter

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/tunscript/tunscript/engine/packet"
)

// linear is the plain meaning of Next.
func linear(fs []*Filter, p *packet.Packet, from int) int {
	for i := max(from, 0); i < len(fs); i++ {
		if fs[i] == nil || fs[i].Match(p) {
			return i
		}
	}
	return -1
}

func parseAll(t testing.TB, link packet.LinkType, frames [][]byte) []*packet.Packet {
	t.Helper()
	var ps []*packet.Packet
	for _, f := range frames {
		p, err := packet.Parse(f, link)
		if err != nil {
			t.Fatal(err)
		}
		ps = append(ps, p)
	}
	return ps
}

// corpusPackets are n or more packets of each link type.
func corpusPackets(t testing.TB, r *rand.Rand, n int) []*packet.Packet {
	c := &corpus{t, r}
	return append(parseAll(t, packet.IP, c.raw(n)), parseAll(t, packet.Ethernet, c.ethernet(n))...)
}

func compile(t testing.TB, text string) *Filter {
	t.Helper()
	f, err := Compile(text)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// built makes a random filter without text.
func built(r *rand.Rand, depth int) *Filter {
	layer := Layer(r.IntN(int(ICMP6) + 2))
	if depth == 0 {
		switch r.IntN(6) {
		case 0:
			return Has(layer)
		case 1:
			return Port(pick(r, []Layer{TCP, UDP}), uint16(pick(r, ports)))
		case 2:
			return Src(netip.MustParsePrefix(pick(r, []string{"192.0.2.0/30", "2001:db8::/32", "198.51.100.1/32", "::/0", "2001:db8::1/128"})))
		case 3:
			return Dst(netip.MustParsePrefix(pick(r, []string{"192.0.2.2/32", "2001:db8::/126", "0.0.0.0/0"})))
		case 4:
			return Func("even", func(p *packet.Packet) bool { return p.Len()%2 == 0 })
		}
		return Field(layer, r.IntN(20), pick(r, []int{1, 2, 4}), pick(r, []uint32{0xff, 0xf, 1, 0xffffffff}), uint32(r.IntN(6)))
	}
	switch r.IntN(3) {
	case 0:
		return And(built(r, depth-1), built(r, depth-1))
	case 1:
		return Or(built(r, depth-1), built(r, depth-1))
	}
	return Not(built(r, depth-1))
}

// Whatever the filters, the index answers as if they were asked one by one, from
// any place on, and again after a packet has changed.
func TestIndexAsLinear(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	packets := corpusPackets(t, r, 400)
	picked := expressions(t)
	for round := range 40 {
		var fs []*Filter
		for range 1 + r.IntN(200) {
			switch n := r.IntN(40); {
			case n == 0 && round%2 == 0:
				fs = append(fs, nil)
			case n < 10:
				fs = append(fs, built(r, r.IntN(3)))
			case n < 20:
				fs = append(fs, compile(t, pick(r, picked)))
			default:
				text := grammar{r}.expr(2)
				if f, err := Compile(text); err == nil {
					fs = append(fs, f)
				}
			}
		}
		ix := NewIndex(fs)
		for _, p := range packets {
			if r.IntN(4) > 0 {
				continue
			}
			for from := -1; ; {
				want, got := linear(fs, p, from), ix.Next(p, from)
				if got != want {
					t.Fatalf("round %d, from %d: got %d, want %d (%v), for % x", round, from, got, want, fs[max(got, want)], p.Frame())
				}
				if got < 0 {
					break
				}
				from = got + 1
			}
			if p.Len() > 0 && r.IntN(8) == 0 {
				if err := p.SetUint8(r.IntN(min(p.Len(), 60)), uint8(r.Uint32())); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// A filter is hung up under what few others share, so that a packet meets few.
func TestIndexAsksFew(t *testing.T) {
	for _, tt := range []struct {
		name string
		text func(i int) string
	}{
		{"destination ports", func(i int) string { return fmt.Sprintf("udp dst port %d", i) }},
		{"ports", func(i int) string { return fmt.Sprintf("port %d", i) }},
		{"tcp flags and a port", func(i int) string {
			return fmt.Sprintf("tcp[tcpflags] & tcp-syn != 0 and tcp dst port %d", i)
		}},
		{"one port, many addresses", func(i int) string { return fmt.Sprintf("tcp port 80 and host 192.0.%d.%d", i/256, i%256) }},
		{"addresses", func(i int) string { return fmt.Sprintf("src 2001:db8::%x", i) }},
		{"networks", func(i int) string { return fmt.Sprintf("dst net 10.%d.%d.0/24", i/256, i%256) }},
		{"ranges", func(i int) string { return fmt.Sprintf("udp dst portrange %d-%d", i*10, i*10+9) }},
		{"bytes", func(i int) string { return fmt.Sprintf("icmp[4:2] = %d", i) }},
		{"VLANs", func(i int) string { return fmt.Sprintf("vlan %d", i) }},
		{"MAC addresses", func(i int) string { return fmt.Sprintf("ether src 02:00:00:00:%02x:%02x", i/256, i%256) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var fs []*Filter
			for i := range 1000 {
				fs = append(fs, compile(t, tt.text(i)))
			}
			ix := NewIndex(fs)
			tab := ix.by[packet.Ethernet]
			longest := 0
			for _, s := range tab.slots {
				longest = max(longest, int(s.end-s.start))
			}
			if len(tab.always) > 0 || longest > 2 {
				t.Errorf("%d filters are always asked, the longest list has %d", len(tab.always), longest)
			}
		})
	}
}

// udpTo is an IPv4 packet to a UDP port.
func udpTo(t testing.TB, port int) *packet.Packet {
	t.Helper()
	b := make([]byte, 60)
	copy(b, "\x45\x00\x00\x3c\x00\x01\x00\x00\x40\x11\x00\x00\xc0\x00\x02\x01\xc0\x00\x02\x02\x9c\x40\x00\x00\x00\x28\x00\x00")
	b[22], b[23] = byte(port>>8), byte(port)
	p, err := packet.Parse(b, packet.IP)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// disjoint are n filters on a port each.
func disjoint(t testing.TB, n int) []*Filter {
	var fs []*Filter
	for i := range n {
		fs = append(fs, compile(t, fmt.Sprintf("udp dst port %d", 10000+i)))
	}
	return fs
}

func TestNoAllocations(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	packets := corpusPackets(t, r, 30)
	var fs []*Filter
	for _, text := range expressions(t) {
		fs = append(fs, compile(t, text))
	}
	for range 30 {
		fs = append(fs, built(r, 2))
	}
	ix := NewIndex(fs)
	if n := testing.AllocsPerRun(2, func() {
		for _, p := range packets {
			for _, f := range fs {
				f.Match(p)
			}
			for i := ix.Next(p, 0); i >= 0; i = ix.Next(p, i+1) {
			}
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
