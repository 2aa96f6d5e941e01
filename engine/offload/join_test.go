package offload_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/tunscript/tunscript/engine/offload"
	"github.com/tunscript/tunscript/engine/packet"
)

// join lets ps leave one behind the other.
func join(j *offload.Joiner, pool *packet.Pool, ps []*packet.Packet) (out []*packet.Packet) {
	for _, p := range ps {
		if !j.Add(p, pool) {
			out = append(out, p)
		}
	}
	j.End()
	return out
}

// What was joined is, cut again, what it was: 10,000 super-packets cut, edited here and
// there and joined.
func TestJoiningLosesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	w := offload.Walker{Pool: &packet.Pool{}}
	cases := 10000
	if testing.Short() {
		cases = 500
	}
	before, after := 0, 0
	for k := range cases {
		p := random(t, r)
		segments, err := w.Split(nil, p)
		if err != nil {
			t.Fatal(err)
		}
		some, all := r.IntN(3), r.IntN(len(edits)+1)
		var in, want []*packet.Packet
		for _, s := range segments {
			if all < len(edits) {
				edits[all].do(s)
			}
			if r.IntN(10) < some {
				if r.IntN(3) == 0 {
					continue
				}
				edits[r.IntN(len(edits))].do(s)
			}
			if tcp, ok := s.TCP(); ok && r.IntN(20) == 0 {
				tcp.SetWindow(tcp.Window() + 1)
			}
			in = append(in, s)
			q := s.Clone()
			q.Bytes()
			want = append(want, q)
		}
		j := offload.Joiner{TCP: true, UDP: true}
		got := join(&j, w.Pool, in)
		what := fmt.Sprintf("case %d: %v by %d", k, p, p.GSO().Size)
		for _, q := range got {
			if q.GSO().Size > 0 {
				seeded(t, q)
			}
			if l := q.Layout(); q.Segments() > 64 || l.End-l.L3 > 65535 {
				t.Fatalf("%s: joined to %v", what, q)
			}
		}
		equal(t, what, got, want)
		before, after = before+len(in), after+len(got)
	}
	if after*3 > before*2 {
		t.Errorf("%d packets became %d: hardly any was joined", before, after)
	}
}

func TestWhatIsJoined(t *testing.T) {
	seg := func(seq uint32, f packet.Flags, n int) *packet.Packet {
		return build(t, packet.IPv4{Src: host4, Dst: peer4, ID: uint16(seq / 1000)},
			packet.TCP{Sport: 1, Dport: 2, Seq: seq, Ack: 5, Flags: packet.ACK | f, Window: 9}, make(packet.Payload, n))
	}
	dgram := func(id uint16, n int) *packet.Packet {
		return build(t, packet.IPv4{Src: host4, Dst: peer4, ID: id}, packet.UDP{Sport: 1, Dport: 2}, make(packet.Payload, n))
	}
	came := func(p *packet.Packet) *packet.Packet {
		q, err := packet.Parse(p.Bytes(), packet.IP)
		if err != nil {
			t.Fatal(err)
		}
		return q
	}
	wrong := seg(2000, 0, 1000)
	tcp, _ := wrong.TCP()
	tcp.SetChecksum(0xdead)
	header := seg(2000, 0, 1000)
	ip, _ := header.IPv4()
	ip.SetChecksum(ip.Checksum() + 1)
	for _, tt := range []struct {
		name string
		udp  bool
		in   []*packet.Packet
		want int
	}{
		{"two that continue each other", false, []*packet.Packet{seg(1000, 0, 1000), seg(2000, 0, 1000)}, 1},
		{"a gap", false, []*packet.Packet{seg(1000, 0, 1000), seg(3000, 0, 1000)}, 2},
		{"a shorter one is the last", false, []*packet.Packet{seg(1000, 0, 1000), seg(2000, 0, 999), seg(2999, 0, 1000)}, 2},
		{"a longer one begins", false, []*packet.Packet{seg(1000, 0, 1000), seg(2000, 0, 1001)}, 2},
		{"PSH ends", false, []*packet.Packet{seg(1000, 0, 1000), seg(2000, packet.PSH, 1000), seg(3000, 0, 1000)}, 2},
		{"FIN ends", false, []*packet.Packet{seg(1000, packet.FIN, 1000), seg(2000, 0, 1000)}, 2},
		{"CWR begins", false, []*packet.Packet{seg(1000, packet.CWR, 1000), seg(2000, 0, 1000), seg(3000, packet.CWR, 1000)}, 2},
		{"RST is alone", false, []*packet.Packet{seg(1000, 0, 1000), seg(2000, packet.RST, 1000)}, 2},
		{"a checksum that is wrong on purpose", false, []*packet.Packet{seg(1000, 0, 1000), wrong}, 2},
		{"a wrong one of IPv4", false, []*packet.Packet{seg(1000, 0, 1000), header}, 2},
		{"sums as they came, which nobody has verified", false, []*packet.Packet{came(seg(1000, 0, 1000)), came(seg(2000, 0, 1000))}, 2},
		{"no payload", false, []*packet.Packet{seg(1000, 0, 0), seg(1000, 0, 0)}, 2},
		{"datagrams stay what they are", false, []*packet.Packet{dgram(1, 100), dgram(2, 100)}, 2},
		{"unless they may not", true, []*packet.Packet{dgram(1, 100), dgram(2, 100), dgram(3, 60)}, 1},
	} {
		j := offload.Joiner{TCP: true, UDP: tt.udp}
		if got := join(&j, &packet.Pool{}, tt.in); len(got) != tt.want {
			t.Errorf("%s: %d packets leave, want %d", tt.name, len(got), tt.want)
		}
	}
}

// At most 64, and at most 65,535 bytes.
func TestLimitsOfJoining(t *testing.T) {
	for _, tt := range []struct{ n, size, want int }{{64, 100, 1}, {65, 100, 2}, {46, 1448, 2}, {45, 1448, 1}} {
		data := bytes.Repeat([]byte{1}, tt.size)
		var in []*packet.Packet
		for i := range tt.n {
			in = append(in, build(t, packet.IPv6{Src: host6, Dst: peer6},
				packet.TCP{Seq: uint32(i * tt.size), Flags: packet.ACK}, packet.Payload(data)))
		}
		j := offload.Joiner{TCP: true}
		if got := join(&j, nil, in); len(got) != tt.want {
			t.Errorf("%d of %d bytes: %d packets, want %d", tt.n, tt.size, len(got), tt.want)
		}
	}
}
