package flow_test

import (
	"testing"

	"github.com/tunscript/tunscript/engine/flow"
	"github.com/tunscript/tunscript/engine/packet"
)

func TestBothDirectionsAreOneFlow(t *testing.T) {
	sctp := func(a, b uint16, back bool) *packet.Packet {
		ip := packet.IPv4{Src: host, Dst: server, Proto: packet.ProtoSCTP, ID: 7}
		if back {
			ip.Src, ip.Dst = server, host
		}
		return build(t, ip, packet.Payload([]byte{byte(a >> 8), byte(a), byte(b >> 8), byte(b), 0, 0, 0, 0, 0, 0, 0, 0}))
	}
	gre := func(back bool) *packet.Packet {
		ip := packet.IPv4{Src: host, Dst: server, Proto: 47, ID: 7}
		if back {
			ip.Src, ip.Dst = server, host
		}
		return build(t, ip, packet.Payload("tunnelled"))
	}
	for _, tt := range []struct {
		name        string
		there, back *packet.Packet
		stranger    *packet.Packet
	}{
		{"tcp", tcp(t, host, 4000, server, 80, "S", ""), tcp(t, server, 80, host, 4000, "SA", ""), tcp(t, host, 4001, server, 80, "S", "")},
		{"tcp6", tcp(t, host6, 4000, server6, 80, "S", ""), tcp(t, server6, 80, host6, 4000, "SA", ""), tcp(t, host6, 4000, server6, 81, "S", "")},
		{"udp", udp(t, host, 4000, server, 53, "?"), udp(t, server, 53, host, 4000, "!"), udp(t, host, 53, server, 4000, "?")},
		{"udp is not tcp", udp(t, host, 4000, server, 80, "?"), udp(t, server, 80, host, 4000, "!"), tcp(t, host, 4000, server, 80, "S", "")},
		{"echo", echo(t, host, server, 9, false), echo(t, server, host, 9, true), echo(t, host, server, 10, false)},
		{"echo6", echo(t, host6, server6, 9, false), echo(t, server6, host6, 9, true), echo(t, server6, host6, 10, true)},
		{"echo, the other asks with the same id", echo(t, host, server, 0, false), echo(t, server, host, 0, true), echo(t, server, host, 0, false)},
		{"sctp", sctp(5000, 2905, false), sctp(2905, 5000, true), sctp(5001, 2905, false)},
		{"gre", gre(false), gre(true), build(t, packet.IPv4{Src: host, Dst: server, Proto: 50, ID: 7}, packet.Payload("other protocol"))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, 0)
			w.unknown(tt.there)
			f := w.get(tt.there)
			if f.Dir() != flow.Forward {
				t.Errorf("the first packet goes %v", f.Dir())
			}
			b := w.find(tt.back)
			if b.Dir() != flow.Back || !b.Same(f) {
				t.Errorf("the answer goes %v, the same flow: %v", b.Dir(), b.Same(f))
			}
			if again := w.get(tt.there); again.Dir() != flow.Forward || !again.Same(f) {
				t.Errorf("the next goes %v, the same flow: %v", again.Dir(), again.Same(f))
			}
			w.unknown(tt.stranger)
			if s := w.get(tt.stranger); s.Same(f) {
				t.Error("a stranger is of the same flow")
			}
			if n := w.Len(); n != 2 {
				t.Errorf("%d flows, want 2", n)
			}
		})
	}
}

func TestAnswersThatComeFirstGoBack(t *testing.T) {
	for _, tt := range []struct{ answer, question *packet.Packet }{
		{tcp(t, server, 80, host, 4000, "SA", ""), tcp(t, host, 4000, server, 80, "A", "")},
		{echo(t, server, host, 9, true), echo(t, host, server, 9, false)},
		{reported(t, router, udp(t, host, 4000, server, 53, "?")), udp(t, host, 4000, server, 53, "?")},
	} {
		w := newWorld(t, 0)
		f := w.get(tt.answer)
		q := w.find(tt.question)
		if f.Dir() != flow.Back || q.Dir() != flow.Forward || !q.Same(f) {
			t.Errorf("%v goes %v, %v goes %v", tt.answer, f.Dir(), tt.question, q.Dir())
		}
	}
}

func TestAPacketToItselfIsOneFlow(t *testing.T) {
	w := newWorld(t, 0)
	p := udp(t, host, 7, host, 7, "loop")
	f := w.get(p)
	if g := w.find(p); g.Dir() != flow.Forward || !g.Same(f) || w.Len() != 1 {
		t.Errorf("%v, %d flows", g.Dir(), w.Len())
	}
}

func TestWhatHasNoFlow(t *testing.T) {
	w := newWorld(t, 0)
	arp := build(t, packet.Eth{Dst: packet.MAC{2}, Src: packet.MAC{4}}, packet.ARP{SPA: host, TPA: other})
	short, _ := packet.Parse(tcp(t, host, 4000, server, 80, "S", "").Bytes()[:30], packet.IP)
	fragment := build(t, packet.IPv4{Src: host, Dst: server, Proto: packet.ProtoUDP, ID: 9, Frag: 800}, packet.Payload("tail"))
	quoteless := build(t, packet.IPv4{Src: router, Dst: host, ID: 7}, packet.ICMP{Type: packet.TimeExceeded})
	for _, p := range []*packet.Packet{arp, short, fragment, quoteless} {
		if _, ok := w.Get(p, w.now); ok {
			t.Errorf("%v has a flow", p)
		}
	}
	if w.Len() != 0 {
		t.Errorf("%d flows", w.Len())
	}
}

func TestAnICMPErrorBelongsToWhatItQuotes(t *testing.T) {
	for _, tt := range []struct {
		name  string
		there *packet.Packet
		from  *packet.Packet // who reports
	}{
		{"tcp", tcp(t, host, 4000, server, 80, "S", ""), nil},
		{"udp", udp(t, host, 4000, server, 53, "?"), nil},
		{"echo", echo(t, host, server, 9, false), nil},
		{"tcp6", tcp(t, host6, 4000, server6, 80, "S", ""), nil},
		{"udp6", udp(t, host6, 4000, server6, 53, "?"), nil},
		{"echo6", echo(t, host6, server6, 9, false), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, 0)
			f := w.get(tt.there)
			from := router
			if tt.there.Layout().Version == 6 {
				from = router6
			}
			e := reported(t, from, tt.there)
			if g := w.find(e); g.Dir() != flow.Back || !g.Same(f) {
				t.Errorf("the error goes %v", g.Dir())
			}
			// Most routers of old quote 8 bytes behind the IP header: no TCP checksum.
			l := e.Layout()
			cut, _ := packet.Parse(e.Bytes()[:l.Data+tt.there.Layout().L4+8], packet.IP)
			if g := w.find(cut); g.Dir() != flow.Back || !g.Same(f) {
				t.Errorf("the short error goes %v", g.Dir())
			}
			if w.Len() != 1 {
				t.Errorf("%d flows", w.Len())
			}
		})
	}
}
