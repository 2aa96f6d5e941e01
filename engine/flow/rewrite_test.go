package flow_test

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"net/netip"
	"strings"
	"testing"

	"github.com/tunscript/tunscript/engine/flow"
	"github.com/tunscript/tunscript/engine/packet"
)

// ends is how a packet looks from outside: "192.0.2.1.4000 > 198.51.100.80.80".
func ends(p *packet.Packet) string {
	s := strings.TrimPrefix(strings.TrimPrefix(p.String(), "IP6 "), "IP ")
	head, rest, _ := strings.Cut(s, ": ")
	if _, id, ok := strings.Cut(rest, "id "); ok && strings.HasPrefix(rest, "ICMP") {
		id, _, _ = strings.Cut(id, ",")
		head += " id " + id
	}
	return head
}

func TestRewriteBothWays(t *testing.T) {
	for _, tt := range []struct {
		name        string
		to          flow.Rewrite
		there, back *packet.Packet // as they come in
		out, home   string         // as they leave
	}{
		{"another port", flow.Rewrite{Dport: 80},
			tcp(t, host, 4000, server, 8080, "S", ""), tcp(t, server, 80, host, 4000, "SA", ""),
			"192.0.2.1.4000 > 198.51.100.80.80", "198.51.100.80.8080 > 192.0.2.1.4000"},
		{"another host", flow.Rewrite{Dst: other},
			udp(t, host, 4000, server, 53, "?"), udp(t, other, 53, host, 4000, "an odd answer"),
			"192.0.2.1.4000 > 192.0.2.7.53", "198.51.100.80.53 > 192.0.2.1.4000"},
		{"masquerade", flow.Rewrite{Src: public, FreeSport: true},
			tcp(t, host, 4000, server, 80, "S", "odd"), tcp(t, server, 80, public, 4000, "SA", ""),
			"203.0.113.1.4000 > 198.51.100.80.80", "198.51.100.80.80 > 192.0.2.1.4000"},
		{"all of it", flow.Rewrite{Src: public, Dst: other, Sport: 5, Dport: 6},
			udp(t, host, 4000, server, 53, "?"), udp(t, other, 6, public, 5, ""),
			"203.0.113.1.5 > 192.0.2.7.6", "198.51.100.80.53 > 192.0.2.1.4000"},
		{"tcp6", flow.Rewrite{Src: public6, Sport: 9},
			tcp(t, host6, 4000, server6, 80, "S", "odd"), tcp(t, server6, 80, public6, 9, "SA", "even"),
			"2001:db8:2::1.9 > 2001:db8:1::80.80", "2001:db8:1::80.80 > 2001:db8::1.4000"},
		{"udp6", flow.Rewrite{Dst: public6, Dport: 5353},
			udp(t, host6, 4000, server6, 53, "?"), udp(t, public6, 5353, host6, 4000, "!"),
			"2001:db8::1.4000 > 2001:db8:2::1.5353", "2001:db8:1::80.53 > 2001:db8::1.4000"},
		{"echo", flow.Rewrite{Src: public, Sport: 77},
			echo(t, host, server, 9, false), echo(t, server, public, 77, true),
			"203.0.113.1 > 198.51.100.80 id 77", "198.51.100.80 > 192.0.2.1 id 9"},
		{"echo6", flow.Rewrite{Src: public6, Sport: 77},
			echo(t, host6, server6, 9, false), echo(t, server6, public6, 77, true),
			"2001:db8:2::1 > 2001:db8:1::80", "2001:db8:1::80 > 2001:db8::1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, 0)
			f := w.get(tt.there)
			if err := f.Rewrite(gate, tt.to); err != nil {
				t.Fatal(err)
			}
			w.Settle(f, true, 1, 2)
			f.Apply(tt.there)
			w.right(tt.there)
			if got := ends(tt.there); !strings.HasPrefix(got, tt.out) {
				t.Errorf("there it leaves as %s, want %s", got, tt.out)
			}
			w.pass(tt.back)
			if got := ends(tt.back); !strings.HasPrefix(got, tt.home) {
				t.Errorf("back it leaves as %s, want %s", got, tt.home)
			}
			if !f.Passed(gate) || !f.Rewritten() || w.Len() != 1 || w.Stats().Rewritten != 1 {
				t.Errorf("passed %v, rewritten %v, %d flows", f.Passed(gate), f.Rewritten(), w.Len())
			}
		})
	}
}

// A rewrite of an answer changes where it seems to come from, and questions to
// there find their way.
func TestRewriteOfTheWayBack(t *testing.T) {
	w := newWorld(t, 0)
	w.get(udp(t, host, 4000, server, 53, "?"))
	answer := udp(t, server, 53, host, 4000, "!")
	f := w.find(answer)
	if err := f.Rewrite(gate, flow.Rewrite{Src: public, Sport: 5353}); err != nil {
		t.Fatal(err)
	}
	w.Settle(f, true, 1, 2)
	if got := ends(w.pass(answer)); got != "203.0.113.1.5353 > 192.0.2.1.4000" {
		t.Error(got)
	}
	next := udp(t, host, 4000, public, 5353, "?")
	if g := w.find(next); g.Dir() != flow.Forward || !g.Same(f) {
		t.Errorf("the next question goes %v", g.Dir())
	}
	if got := ends(w.pass(next)); got != "192.0.2.1.4000 > 198.51.100.80.53" {
		t.Error(got)
	}
}

func TestAWrongChecksumStaysWrong(t *testing.T) {
	w := newWorld(t, 0)
	p := tcp(t, host, 4000, server, 8080, "S", "payload")
	view, _ := p.TCP()
	view.SetChecksum(view.Checksum() ^ 0x1234)
	bad, _ := packet.Parse(p.Bytes(), packet.IP)
	f := w.get(bad)
	f.Rewrite(gate, flow.Rewrite{Src: public, Dport: 80})
	f.Apply(bad)
	if layer, ok := bad.Valid(); ok || layer != "tcp" {
		t.Errorf("%s, valid %v", layer, ok)
	}
}

func TestAnAbsentUDPChecksumStaysAbsent(t *testing.T) {
	w := newWorld(t, 0)
	p := udp(t, host, 4000, server, 53, "?")
	view, _ := p.UDP()
	view.SetChecksum(0)
	bare, _ := packet.Parse(p.Bytes(), packet.IP)
	f := w.get(bare)
	f.Rewrite(gate, flow.Rewrite{Src: public, Sport: 99})
	f.Apply(bare)
	view, _ = bare.UDP()
	if view.Checksum() != 0 || view.Sport() != 99 {
		t.Errorf("checksum %#x, port %d", view.Checksum(), view.Sport())
	}
}

func TestSCTPPortsAndChecksum(t *testing.T) {
	sum := func(b []byte) uint32 {
		c := append([]byte{}, b...)
		copy(c[8:12], []byte{0, 0, 0, 0})
		return crc32.Checksum(c, crc32.MakeTable(crc32.Castagnoli))
	}
	for _, wrong := range []uint32{0, 0xdeadbeef} {
		body := []byte("\x13\x88\x0b\x59tag!....some chunk")
		binary.LittleEndian.PutUint32(body[8:], sum(body)^wrong)
		w := newWorld(t, 0)
		p := build(t, packet.IPv4{Src: host, Dst: server, Proto: packet.ProtoSCTP, ID: 7}, packet.Payload(body))
		f := w.get(p)
		if err := f.Rewrite(gate, flow.Rewrite{Src: public, Dport: 99}); err != nil {
			t.Fatal(err)
		}
		f.Apply(p)
		got := p.Bytes()[20:]
		if port := binary.BigEndian.Uint16(got[2:]); port != 99 {
			t.Errorf("port %d", port)
		}
		if is := binary.LittleEndian.Uint32(got[8:]) ^ sum(got); is != wrong {
			t.Errorf("the checksum is wrong by %#x, want %#x", is, wrong)
		}
	}
}

func TestARewriteThatDoesNotCountIsUndone(t *testing.T) {
	w := newWorld(t, 0)
	p := tcp(t, host, 4000, server, 8080, "S", "")
	f := w.get(p)
	if err := f.Rewrite(gate, flow.Rewrite{Dport: 80}); err != nil {
		t.Fatal(err)
	}
	if err := f.Rewrite(watch, flow.Rewrite{Src: public}); err != nil {
		t.Fatal(err)
	}
	w.Settle(f, false, 1, flow.NoWay)
	if f.Rewritten() || f.Ruled() || w.Stats().Rewritten != 0 {
		t.Error("it is still rewritten")
	}
	w.unknown(tcp(t, server, 80, public, 4000, "SA", ""))
	if got := ends(w.pass(tcp(t, server, 8080, host, 4000, "SA", ""))); got != "198.51.100.80.8080 > 192.0.2.1.4000" {
		t.Error(got)
	}
}

func TestTwoProgramsRewriteTogether(t *testing.T) {
	w := newWorld(t, 0)
	p := tcp(t, host, 4000, server, 8080, "S", "")
	f := w.get(p)
	if err := f.Rewrite(gate, flow.Rewrite{Dport: 80}); err != nil {
		t.Fatal(err)
	}
	if err := f.Rewrite(watch, flow.Rewrite{Dport: 81}); !errors.Is(err, flow.ErrConflict) {
		t.Errorf("%v, want ErrConflict", err)
	}
	if err := f.Rewrite(watch, flow.Rewrite{Src: public, Dport: 80}); err != nil {
		t.Error(err)
	}
	if err := f.Rewrite(watch, flow.Rewrite{Dport: 82}); !errors.Is(err, flow.ErrConflict) {
		t.Errorf("%v, want ErrConflict", err)
	}
	w.Settle(f, true, 1, 2)
	f.Apply(p)
	if got := ends(p); got != "203.0.113.1.4000 > 198.51.100.80.80" {
		t.Error(got)
	}
	back := w.pass(tcp(t, server, 80, public, 4000, "SA", ""))
	if got := ends(back); got != "198.51.100.80.8080 > 192.0.2.1.4000" {
		t.Error(got)
	}
}

func TestWhatCannotBeRewritten(t *testing.T) {
	w := newWorld(t, 0)
	u, e := w.get(udp(t, host, 4000, server, 53, "?")), w.get(echo(t, host, server, 1, false))
	g := w.get(build(t, packet.IPv4{Src: host, Dst: server, Proto: 47}, packet.Payload("x")))
	for _, tt := range []struct {
		f     flow.Flow
		to    flow.Rewrite
		field string
	}{
		{u, flow.Rewrite{}, ""},
		{u, flow.Rewrite{Src: host6}, "src"},
		{u, flow.Rewrite{Dst: server6}, "dst"},
		{u, flow.Rewrite{Dst: netip.MustParseAddr("::ffff:192.0.2.1")}, "dst"},
		{e, flow.Rewrite{Dport: 1}, "dport"},
		{g, flow.Rewrite{Sport: 1}, "sport"},
		{g, flow.Rewrite{Dport: 1}, "dport"},
	} {
		var re *flow.RewriteError
		if err := tt.f.Rewrite(gate, tt.to); !errors.As(err, &re) || re.Field != tt.field {
			t.Errorf("%+v: %v, want it to be about %q", tt.to, err, tt.field)
		}
	}
	if w.Pending() || w.Stats().Rewritten != 0 {
		t.Error("something was rewritten")
	}
	if err := g.Rewrite(gate, flow.Rewrite{Src: public, FreeSport: true}); err != nil {
		t.Errorf("without ports there is none to be free: %v", err)
	}
}

// A checksum that the kernel has left unfinished stays so, and is right when somebody
// finishes it: a wrong seed would show one hop further only.
func TestAnUnfinishedChecksumIsFollowed(t *testing.T) {
	for _, layers := range [][]packet.Layer{
		{ipHeader(host, server), packet.TCP{Sport: 4000, Dport: 80, Flags: packet.ACK}, packet.Payload("odd")},
		{ipHeader(host, server), packet.UDP{Sport: 4000, Dport: 53}, packet.Payload("even")},
		{ipHeader(host6, server6), packet.TCP{Sport: 4000, Dport: 80, Flags: packet.ACK}, packet.Payload("odd")},
		{ipHeader(host6, server6), packet.UDP{Sport: 4000, Dport: 53}, packet.Payload("even")},
	} {
		p, err := packet.Build(layers...)
		if err != nil {
			t.Fatal(err)
		}
		if !p.Unfinish() {
			t.Fatal("nothing to leave to the kernel")
		}
		w := newWorld(t, 0)
		f := w.get(p)
		to := flow.Rewrite{Src: public, Sport: 9, Dport: 10}
		if p.Layout().Version == 6 {
			to.Src = public6
		}
		if err := f.Rewrite(gate, to); err != nil {
			t.Fatal(err)
		}
		f.Apply(p)
		at, unfinished := p.Partial()
		if !unfinished {
			t.Error("it was finished")
		}
		fresh := p.Clone()
		fresh.Finish()
		w.right(fresh)
		// The seed is what would be left to the kernel of the packet as it is now.
		again, _ := packet.Parse(fresh.Bytes(), packet.IP)
		if tcp, ok := again.TCP(); ok {
			tcp.ResetChecksum()
		} else if udp, ok := again.UDP(); ok {
			udp.ResetChecksum()
		}
		again.Unfinish()
		seed, want := p.Frame()[at.Start+at.Offset:][:2], again.Frame()[at.Start+at.Offset:][:2]
		if string(seed) != string(want) {
			t.Errorf("%v: the seed is %x, want %x", p, seed, want)
		}
	}
}
