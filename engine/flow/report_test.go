package flow_test

import (
	"net/netip"
	"testing"

	"github.com/tunscript/tunscript/engine/flow"
	"github.com/tunscript/tunscript/engine/packet"
)

// A router far away reports that a rewritten packet's hops ran out: the sender
// sees its own packet quoted, as it sent it.
func TestAnErrorAboutARewrittenPacket(t *testing.T) {
	for _, tt := range []struct {
		name  string
		to    flow.Rewrite
		there *packet.Packet
		want  string // the error, and what it quotes, as the sender gets them
		quote string
	}{
		{"masqueraded tcp", flow.Rewrite{Src: public, Sport: 61000}, tcp(t, host, 4000, server, 80, "S", "odd"),
			"198.51.100.1 > 192.0.2.1", "192.0.2.1.4000 > 198.51.100.80.80"},
		{"masqueraded udp", flow.Rewrite{Src: public, Sport: 61000}, udp(t, host, 4000, server, 53, "odd"),
			"198.51.100.1 > 192.0.2.1", "192.0.2.1.4000 > 198.51.100.80.53"},
		{"masqueraded echo", flow.Rewrite{Src: public, Sport: 77}, echo(t, host, server, 9, false),
			"198.51.100.1 > 192.0.2.1", "192.0.2.1 > 198.51.100.80 id 9"},
		{"masqueraded gre", flow.Rewrite{Src: public}, build(t, packet.IPv4{Src: host, Dst: server, Proto: 47, ID: 7}, packet.Payload("tunnelled")),
			"198.51.100.1 > 192.0.2.1", "192.0.2.1 > 198.51.100.80"},
		{"forwarded port", flow.Rewrite{Dport: 80}, tcp(t, host, 4000, server, 8080, "S", ""),
			"198.51.100.1 > 192.0.2.1", "192.0.2.1.4000 > 198.51.100.80.8080"},
		// As Linux does it: who was led elsewhere is not told where.
		{"forwarded host", flow.Rewrite{Dst: other}, udp(t, host, 4000, server, 53, "?"),
			"198.51.100.80 > 192.0.2.1", "192.0.2.1.4000 > 198.51.100.80.53"},
		{"tcp6", flow.Rewrite{Src: public6, Sport: 61000}, tcp(t, host6, 4000, server6, 80, "S", "odd"),
			"2001:db8:1::1 > 2001:db8::1", "2001:db8::1.4000 > 2001:db8:1::80.80"},
		{"udp6", flow.Rewrite{Src: public6, Sport: 61000}, udp(t, host6, 4000, server6, 53, "odd"),
			"2001:db8:1::1 > 2001:db8::1", "2001:db8::1.4000 > 2001:db8:1::80.53"},
		{"echo6", flow.Rewrite{Src: public6, Sport: 77}, echo(t, host6, server6, 9, false),
			"2001:db8:1::1 > 2001:db8::1", "2001:db8::1 > 2001:db8:1::80"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, 0)
			before := tt.there.Clone()
			f := w.get(tt.there)
			if err := f.Rewrite(gate, tt.to); err != nil {
				t.Fatal(err)
			}
			w.Settle(f, true, 1, 2)
			f.Apply(tt.there)
			from := router
			if tt.there.Layout().Version == 6 {
				from = router6
			}
			e := w.pass(reported(t, from, tt.there))
			l := e.Layout()
			if got := (e.String()); len(got) == 0 || !hasEnds(e, tt.want) {
				t.Errorf("the error is %s, want %s", e, tt.want)
			}
			quoted, err := packet.Parse(e.Bytes()[l.Data:l.End], packet.IP)
			if err != nil {
				t.Fatal(err)
			}
			if !hasEnds(quoted, tt.quote) || string(quoted.Bytes()) != string(before.Bytes()) {
				t.Errorf("it quotes %s,\n%x, which was sent as\n%x", ends(quoted), quoted.Bytes(), before.Bytes())
			}
		})
	}
}

func hasEnds(p *packet.Packet, want string) bool {
	got := ends(p)
	return len(got) >= len(want) && got[:len(want)] == want
}

// The server itself reports: the error comes from who the sender asked.
func TestAnErrorFromTheServer(t *testing.T) {
	w := newWorld(t, 0)
	p := udp(t, host, 4000, server, 53, "?")
	f := w.get(p)
	if err := f.Rewrite(gate, flow.Rewrite{Dst: other, Dport: 5353}); err != nil {
		t.Fatal(err)
	}
	w.Settle(f, true, 1, 2)
	f.Apply(p)
	e := p.Unreachable(packet.UnreachablePort, 0)
	e.Finish()
	if got := ends(w.pass(e)); !hasEnds(e, "198.51.100.80 > 192.0.2.1") {
		t.Error(got)
	}
	l := e.Layout()
	quoted, _ := packet.Parse(e.Bytes()[l.Data:l.End], packet.IP)
	if got := ends(quoted); got != "192.0.2.1.4000 > 198.51.100.80.53" {
		t.Error(got)
	}
}

// A quote of 8 bytes behind the IP header has TCP's ports, but no checksum; what
// is behind it, padding or nothing, stays.
func TestAnErrorThatQuotesLittle(t *testing.T) {
	w := newWorld(t, 0)
	p := tcp(t, host, 4000, server, 80, "S", "a payload")
	f := w.get(p)
	if err := f.Rewrite(gate, flow.Rewrite{Src: public, Sport: 61000}); err != nil {
		t.Fatal(err)
	}
	w.Settle(f, true, 1, 2)
	f.Apply(p)
	for _, n := range []int{28, 30, 36, 38, 40, 45} {
		e := build(t, packet.IPv4{Src: router, Dst: public, ID: 7}, packet.ICMP{Type: packet.TimeExceeded}, packet.Payload(p.Bytes()[:n]))
		w.pass(e)
		l := e.Layout()
		quoted, _ := packet.Parse(e.Bytes()[l.Data:l.End], packet.IP)
		b := quoted.Bytes()
		if src, _ := netip.AddrFromSlice(b[12:16]); src != host || b[20] != 4000>>8 || b[21] != 4000&255 || len(b) != n {
			t.Errorf("%d bytes: %x", n, b)
		}
		if packet.Checksum(b[:20]) != 0 {
			t.Errorf("%d bytes: the quoted header's checksum is wrong", n)
		}
		sent := tcp(t, host, 4000, server, 80, "S", "a payload").Bytes()
		if n >= 40 && string(b) != string(sent[:n]) {
			t.Errorf("%d bytes:\n%x, sent\n%x", n, b, sent[:n])
		}
	}
}

// An error from the near side about an answer travels out: the far side sees what
// it knows.
func TestAnErrorAboutAnAnswer(t *testing.T) {
	w := newWorld(t, 0)
	f := w.get(udp(t, host, 4000, server, 53, "?"))
	if err := f.Rewrite(gate, flow.Rewrite{Src: public, Sport: 61000}); err != nil {
		t.Fatal(err)
	}
	w.Settle(f, true, 1, 2)
	answer := w.pass(udp(t, server, 53, public, 61000, "!"))
	e := answer.Unreachable(packet.UnreachablePort, 0)
	e.Finish()
	if g := w.find(e); g.Dir() != flow.Forward {
		t.Errorf("the error goes %v", g.Dir())
	}
	w.pass(e)
	l := e.Layout()
	quoted, _ := packet.Parse(e.Bytes()[l.Data:l.End], packet.IP)
	if !hasEnds(e, "203.0.113.1 > 198.51.100.80") || ends(quoted) != "198.51.100.80.53 > 203.0.113.1.61000" {
		t.Errorf("%s quotes %s", ends(e), ends(quoted))
	}
}

func TestFragmentsAreRewritten(t *testing.T) {
	payload := make([]byte, 101)
	for i := range payload {
		payload[i] = byte(i)
	}
	w := newWorld(t, 0)
	ps := fragments(t, udp(t, host, 4000, server, 53, string(payload)), 40)
	f := w.get(ps[0])
	if err := f.Rewrite(gate, flow.Rewrite{Src: public, Sport: 61000, Dst: other, Dport: 5353}); err != nil {
		t.Fatal(err)
	}
	w.Settle(f, true, 1, 2)
	f.Apply(ps[0])
	for _, p := range ps[1:] {
		w.pass(p)
	}
	p := joined(t, ps)
	if got := ends(p); got != "203.0.113.1.61000 > 192.0.2.7.5353" {
		t.Error(got)
	}
	w.right(p)

	back := fragments(t, udp(t, other, 5353, public, 61000, string(payload)), 48)
	for _, p := range back {
		w.pass(p)
	}
	p = joined(t, back)
	if got := ends(p); got != "198.51.100.80.53 > 192.0.2.1.4000" {
		t.Error(got)
	}
	w.right(p)
}
