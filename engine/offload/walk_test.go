package offload_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/tunscript/tunscript/engine/offload"
	"github.com/tunscript/tunscript/engine/packet"
)

// edits are what handlers do to a packet.
var edits = []struct {
	name string
	do   func(*packet.Packet)
}{
	{"ttl", func(p *packet.Packet) {
		if ip, ok := p.IP(); ok {
			ip.SetTTL(ip.TTL() - 1)
		}
	}},
	{"port", func(p *packet.Packet) {
		if tcp, ok := p.TCP(); ok {
			tcp.SetDport(8080)
		} else if udp, ok := p.UDP(); ok {
			udp.SetDport(8080)
		}
	}},
	{"address", func(p *packet.Packet) {
		if ip, ok := p.IP(); ok && ip.Src().Is4() {
			ip.SetSrc(peer4)
		}
	}},
	{"payload of the same length", func(p *packet.Packet) {
		b := bytes.Clone(p.Payload())
		for i := range b {
			b[i] ^= 0xff
		}
		p.SetPayload(b)
	}},
	{"longer payload", func(p *packet.Packet) { p.SetPayload(append(bytes.Clone(p.Payload()), "tencharact"...)) }},
	{"shorter payload", func(p *packet.Packet) { p.SetPayload(bytes.Clone(p.Payload())[:len(p.Payload())/2]) }},
	{"another link", func(p *packet.Packet) {
		if p.Link() == packet.Ethernet {
			p.PopEthernet()
		}
	}},
	{"finished sums", func(p *packet.Packet) { p.Bytes() }}, // no edit at all
}

// Whatever happens to which segment, what leaves is what would if they had come as
// ordinary packets. Super-packets are 10,000, and their seeds are looked at.
func TestWalkIsTheSameAsOneByOne(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pool := &packet.Pool{}
	cases := 10000
	if testing.Short() {
		cases = 500
	}
	for k := range cases {
		p := random(t, r)
		came := bytes.Clone(p.Frame())
		segments := plainCut(t, p)
		var got, want []*packet.Packet
		marker := build(t, packet.IPv4{Src: host4, Dst: peer4}, packet.ICMP{Type: packet.EchoRequest})
		w := offload.Walker{Pool: pool, Out: func(q *packet.Packet) { got = append(got, q.Clone()) }}
		some, changed := r.IntN(4), false
		what := fmt.Sprintf("case %d: %v by %d", k, p, p.GSO().Size)
		i := -1
		whole, err := w.Walk(p, func(s *packet.Packet) offload.Fate {
			i++
			if shown := s.Append(nil); !bytes.Equal(shown, segments[i].Bytes()) {
				t.Fatalf("%s: segment %d is shown as\n%s, want\n%s", what, i, dump(shown), dump(segments[i].Bytes()))
			}
			seeded(t, s)
			if r.IntN(4) >= some {
				want = append(want, segments[i])
				return offload.Pass
			}
			changed = true
			switch n := r.IntN(len(edits) + 3); {
			case n < len(edits):
				edits[n].do(s)
				edits[n].do(segments[i])
				want = append(want, segments[i])
				return offload.Pass
			case n == len(edits):
				return offload.Drop
			case n == len(edits)+1: // it is sent somewhere, and comes back
				s.Own()
				w.Flush()
				got = append(got, s)
				want = append(want, segments[i])
				return offload.Taken
			default: // something is sent, and then it passes
				w.Flush()
				got, want = append(got, marker), append(want, marker)
				want = append(want, segments[i])
				return offload.Pass
			}
		})
		if err != nil || i+1 != len(segments) {
			t.Fatalf("%s: %d of %d segments: %v", what, i+1, len(segments), err)
		}
		for _, q := range got {
			if q.GSO().Size > 0 {
				seeded(t, q)
				if q.Segments() < 2 {
					t.Fatalf("%s: a super-packet of one segment", what)
				}
			}
		}
		if equal(t, what, got, want); !changed && (!whole || len(got) != 1 || !bytes.Equal(p.Frame(), came)) {
			t.Fatalf("%s: nobody touched it, and it is %d packets, whole %v", what, len(got), whole)
		}
	}
}

func TestSplit(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	w := offload.Walker{Pool: &packet.Pool{}}
	for range 500 {
		p := random(t, r)
		got, err := w.Split(nil, p)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range got {
			seeded(t, q)
		}
		equal(t, p.String(), got, plainCut(t, p))
	}
}

// What a segment becomes when it outgrows its place is nobody else's affair.
func TestALongSegmentLeavesTheNextAlone(t *testing.T) {
	data := make(packet.Payload, 3000)
	p := super(t, 1000, packet.IPv4{Src: host4, Dst: peer4}, packet.TCP{Flags: packet.ACK}, data)
	var got []*packet.Packet
	w := offload.Walker{Pool: &packet.Pool{}, Out: func(q *packet.Packet) { got = append(got, q) }}
	_, err := w.Walk(p, func(s *packet.Packet) offload.Fate {
		if tcp, _ := s.TCP(); tcp.Seq() == 0 {
			s.SetPayload(bytes.Repeat([]byte{0xee}, 40000))
		} else if bytes.IndexByte(s.Payload(), 0xee) >= 0 {
			t.Error("what was written to the first segment is in a later one")
		}
		return offload.Pass
	})
	if err != nil || len(got) != 2 || got[0].Len() != 40040 || got[1].Segments() != 2 {
		t.Errorf("%v %v", got, err)
	}
}

func TestMalformed(t *testing.T) {
	tcp := func() *packet.Packet {
		return super(t, 100, packet.IPv4{Src: host4, Dst: peer4}, packet.TCP{Flags: packet.ACK}, make(packet.Payload, 1000))
	}
	for _, tt := range []struct {
		name  string
		spoil func(p *packet.Packet)
	}{
		{"no size", func(p *packet.Packet) { p.SetGSO(packet.GSO{Type: offload.TCPv4}) }},
		{"a size no packet has", func(p *packet.Packet) { p.SetGSO(packet.GSO{Type: offload.TCPv4, Size: 65535}) }},
		{"too many segments", func(p *packet.Packet) {
			p.SetPayload(make([]byte, 5000))
			p.SetGSO(packet.GSO{Type: offload.TCPv4, Size: 1})
		}},
		{"another version", func(p *packet.Packet) { p.SetGSO(packet.GSO{Type: offload.TCPv6, Size: 100}) }},
		{"another protocol", func(p *packet.Packet) { p.SetGSO(packet.GSO{Type: offload.UDP, Size: 100}) }},
		{"an unknown kind", func(p *packet.Packet) { p.SetGSO(packet.GSO{Type: 9, Size: 100}) }},
		{"a short TCP header", func(p *packet.Packet) { p.SetUint8(32, 0x40) }},
		{"a fragment", func(p *packet.Packet) { p.SetUint8(6, 0x20) }},
	} {
		p := tcp()
		tt.spoil(p)
		var w offload.Walker
		if _, err := w.Walk(p, nil); !errors.Is(err, offload.ErrMalformed) {
			t.Errorf("%s: walk says %v", tt.name, err)
		}
		if ps, err := w.Split(nil, p); !errors.Is(err, offload.ErrMalformed) || len(ps) > 0 {
			t.Errorf("%s: split says %v", tt.name, err)
		}
	}
}

func FuzzWalk(f *testing.F) {
	f.Add([]byte{0x45, 0, 0, 60, 0, 0, 0, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 16, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}, uint8(1), uint16(2), uint64(1))
	r := rand.New(rand.NewPCG(5, 6))
	for range 20 {
		p := random(f, r)
		f.Add(bytes.Clone(p.Frame()[:min(p.Len(), 500)]), p.GSO().Type, p.GSO().Size, r.Uint64())
	}
	f.Fuzz(func(t *testing.T, b []byte, kind uint8, size uint16, seed uint64) {
		for _, link := range []packet.LinkType{packet.IP, packet.Ethernet} {
			p, err := packet.Parse(b, link)
			if err != nil {
				continue
			}
			p.SetPartial()
			p.SetGSO(packet.GSO{Type: kind, Size: size})
			r := rand.New(rand.NewPCG(seed, 0))
			pool := &packet.Pool{}
			payload, data := 0, p.Layout().End-p.Layout().Data
			w := offload.Walker{Pool: pool, Out: func(q *packet.Packet) { payload += q.Layout().End - q.Layout().Data }}
			whole, err := w.Walk(p, func(s *packet.Packet) offload.Fate {
				switch r.IntN(8) {
				case 0:
					edits[0].do(s)
				case 1:
					w.Flush()
				}
				return offload.Pass
			})
			if err != nil && !errors.Is(err, offload.ErrMalformed) {
				t.Fatal(err)
			}
			if err == nil && !whole && payload != data {
				t.Fatalf("%d bytes of payload, want %d", payload, data)
			}
		}
	})
}
