package flow_test

import (
	"testing"
	"time"

	"github.com/tunscript/tunscript/engine/flow"
	"github.com/tunscript/tunscript/engine/packet"
)

// fragments cuts the IPv4 packet p into fragments of n payload bytes.
func fragments(tb testing.TB, p *packet.Packet, n int) []*packet.Packet {
	tb.Helper()
	b := p.Bytes()
	var out []*packet.Packet
	for at := 20; at < len(b); at += n {
		end := min(at+n, len(b))
		q, err := packet.Parse(append(append([]byte{}, b[:20]...), b[at:end]...), packet.IP)
		if err != nil {
			tb.Fatal(err)
		}
		ip, _ := q.IPv4()
		ip.SetLen(20 + end - at)
		ip.ResetLen()
		if err := ip.SetFrag(at - 20); err != nil {
			tb.Fatal(err)
		}
		ip.SetMF(end < len(b))
		ip.ResetChecksum()
		q.Finish()
		out = append(out, q)
	}
	return out
}

// joined is the datagram of which the fragments came out.
func joined(tb testing.TB, ps []*packet.Packet) *packet.Packet {
	tb.Helper()
	var whole []byte
	for i, p := range ps {
		b := p.Bytes()
		if i == 0 {
			whole = append(whole, b[:20]...)
		}
		whole = append(whole, b[20:]...)
	}
	whole[2], whole[3], whole[6], whole[7] = byte(len(whole)>>8), byte(len(whole)), 0, 0
	q, err := packet.Parse(whole, packet.IP)
	if err != nil {
		tb.Fatal(err)
	}
	ip, _ := q.IPv4()
	ip.ResetChecksum()
	q.Finish()
	return q
}

func TestFragmentsFollowTheirFirst(t *testing.T) {
	w := newWorld(t, 0)
	ps := fragments(t, udp(t, host, 4000, server, 53, string(make([]byte, 100))), 40)
	w.unknown(ps[1])
	if _, ok := w.Get(ps[1], w.now); ok {
		t.Error("a fragment that comes before its first has a flow")
	}
	f := w.get(ps[0])
	for _, p := range ps[1:] {
		if g := w.find(p); !g.Same(f) || g.Dir() != flow.Forward {
			t.Errorf("%v goes %v", p, g.Dir())
		}
	}
	if answer := w.find(udp(t, server, 53, host, 4000, "!")); !answer.Same(f) {
		t.Error("the answer is of another flow")
	}

	another := ps[1].Clone()
	ip, _ := another.IPv4()
	ip.SetID(8)
	w.unknown(another)
	w.now = w.now.Add(30 * time.Second)
	w.unknown(ps[1])
}

func TestIPv6FragmentsFollowTheirFirst(t *testing.T) {
	w := newWorld(t, 0)
	whole := udp(t, host6, 4000, server6, 53, "sixteen bytes in")
	b := whole.Bytes()
	part := func(off int, more byte, body []byte) *packet.Packet {
		header := []byte{packet.ProtoUDP, 0, byte(off >> 8), byte(off) | more, 0, 1, 0, 9}
		return build(t, packet.IPv6{Src: host6, Dst: server6, Proto: packet.ProtoFragment}, packet.Payload(append(header, body...)))
	}
	one, two := part(0, 1, b[40:56]), part(16, 0, b[56:])
	f := w.get(one)
	if g := w.find(two); !g.Same(f) {
		t.Error("the second fragment is of another flow")
	}
	if g := w.find(whole); !g.Same(f) {
		t.Error("what is whole is of another flow")
	}
}

func TestFragmentsOfAFlowThatEnded(t *testing.T) {
	w := newWorld(t, 1)
	ps := fragments(t, udp(t, host, 4000, server, 53, string(make([]byte, 100))), 40)
	w.get(ps[0])
	w.get(udp(t, other, 4000, server, 53, "it takes the only place"))
	w.unknown(ps[1])
}

func TestFragmentsThatAreRememberedAreFew(t *testing.T) {
	w := newWorld(t, 0)
	p := fragments(t, udp(t, host, 4000, server, 53, string(make([]byte, 100))), 80)
	known := 0
	for id := range 10_000 {
		for i, q := range p {
			q = q.Clone()
			ip, _ := q.IPv4()
			ip.SetID(uint16(id))
			if i == 0 {
				w.get(q)
			} else if _, ok := w.Find(q, w.now); ok {
				known++
			}
		}
	}
	if known != 10_000 {
		t.Errorf("%d of 10000 second fragments found their first", known)
	}
}
