package packet_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"os"
	"testing"

	"github.com/tunscript/tunscript/engine/packet"
)

// arrive is a packet as a device reads it, twice the same by chance, too: unfinished is
// one that the kernel sends with the checksum left to do.
func arrive(b []byte, link packet.LinkType, unfinished bool) *packet.Packet {
	pool := &packet.Pool{Rand: rand.New(rand.NewPCG(1, 2))}
	p := pool.Get(len(b))
	frame := p.Room(len(b))
	copy(frame, b)
	if p.Fill(0, len(b), link) != nil {
		return nil
	}
	p.In, p.Out = tap0, tap0
	if unfinished {
		p.SetPartial()
		if at, ok := p.Partial(); ok {
			binary.BigEndian.PutUint16(frame[at.Start+at.Offset:], pseudo(p))
		}
	}
	return p
}

// pseudo is the sum that the kernel leaves in the checksum field (RFC 768, RFC 8200
// section 8.1).
func pseudo(p *packet.Packet) uint16 {
	ip, _ := p.IP()
	l := p.Layout()
	b := append(ip.Src().AsSlice(), ip.Dst().AsSlice()...)
	b = binary.BigEndian.AppendUint32(b, uint32(l.End-l.L4))
	return ^packet.Checksum(append(b, 0, 0, 0, l.Proto))
}

// checkTurn compares a packet that was turned round with its reply, byte for byte, as a
// plain device and one that finishes checksums get it. It reports whether it was turned.
func checkTurn(t *testing.T, b []byte, link packet.LinkType) bool {
	t.Helper()
	turned := false
	for _, unfinished := range []bool{false, true} {
		for _, finishes := range []bool{false, true} {
			p, q := arrive(b, link, unfinished), arrive(b, link, unfinished)
			if p == nil {
				return false
			}
			was := p.Hex(false)
			want := q.Reply()
			if turned = p.Turn(); !turned {
				if got := p.Hex(false); got != was {
					t.Errorf("not turned, and changed\n%sto\n%s", was, got)
				}
				continue
			}
			if want.Len() == 0 {
				t.Errorf("%v: turned, and has no reply: %s", q, want.Why())
				continue
			}
			if finishes {
				a, b := p.Unfinish(), want.Unfinish()
				at, _ := p.Partial()
				wantAt, _ := want.Partial()
				if a != b || at != wantAt || !bytes.Equal(p.Frame(), want.Frame()) {
					t.Fatalf("%v, turned, is % x to be finished at %+v, its reply % x at %+v", q, p.Frame(), at, want.Frame(), wantAt)
				}
			}
			if !bytes.Equal(p.Bytes(), want.Bytes()) || p.Out != want.Out || p.Came() != want.Came() {
				t.Fatalf("%v, turned, is\n%s, its reply\n%s", q, p.Hex(false), want.Hex(false))
			}
			again := arrive(p.Bytes(), link, false)
			if a, b := p.Layout(), again.Layout(); a.L3 != b.L3 || a.L4 != b.L4 || a.Data != b.Data || a.End != b.End {
				t.Errorf("turned, %v has the layout %+v, read anew %+v", again, a, b)
			}
		}
	}
	return turned
}

// What is turned round is the reply, and what is no plain question is not turned.
func TestTurn(t *testing.T) {
	udp, echo := packet.UDP{Sport: 1000, Dport: 7}, packet.ICMP{Type: packet.EchoRequest, ID: 1, Seq: 2}
	dns := packet.Payload("question")
	for _, tt := range []struct {
		name string
		is   []packet.Layer
		want bool
	}{
		{"udp", from("192.0.2.1", "192.0.2.2", udp, dns), true},
		{"udp, nothing in it", from("192.0.2.1", "192.0.2.2", udp), true},
		{"udp over ipv6", ip6(udp, dns), true},
		{"echo request", from("192.0.2.1", "192.0.2.2", echo, dns), true},
		{"echo request over ipv6", ip6(packet.ICMPv6{Type: packet.EchoRequest6, ID: 1, Seq: 2}, dns), true},
		{"with ip options", ip4(udp, dns), false},
		{"echo reply", from("192.0.2.1", "192.0.2.2", packet.ICMP{Type: packet.EchoReply}), false},
		{"tcp", from("192.0.2.1", "192.0.2.2", packet.TCP{Sport: 1, Dport: 2, Flags: packet.SYN}), false},
		{"another protocol", from("192.0.2.1", "192.0.2.2", dns), false},
		{"to the net's broadcast", from("192.0.2.1", "192.0.2.255", udp, dns), false},
		{"to a group", from("192.0.2.1", "224.0.0.251", udp, dns), false},
		{"from no address yet", from("0.0.0.0", "255.255.255.255", udp, dns), false},
	} {
		p, err := packet.Build(tt.is...)
		if err != nil {
			t.Fatal(err)
		}
		if got := checkTurn(t, p.Bytes(), packet.IP); got != tt.want {
			t.Errorf("%s: turned %v, want %v", tt.name, got, tt.want)
		}
		b := append([]byte{2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 1, 0x81, 0, 0, 5, p.Bytes()[0] & 0xc0 << 1, 0}, p.Bytes()...)
		if b[16] = 0x08; p.Bytes()[0]>>4 == 6 {
			b[16], b[17] = 0x86, 0xdd
		}
		b = append(b, 0, 0, 0) // padding
		if got := checkTurn(t, b, packet.Ethernet); got != tt.want {
			t.Errorf("%s, with Ethernet, a tag and padding: turned %v, want %v", tt.name, got, tt.want)
		}
	}
}

// A super-packet and one whose length was set by hand have answers of their own.
func TestTurnLeavesOut(t *testing.T) {
	b := build(t, from("192.0.2.1", "192.0.2.2", packet.UDP{Sport: 1, Dport: 2}, make(packet.Payload, 3000))...).Bytes()
	super := arrive(b, packet.IP, true)
	super.SetGSO(packet.GSO{Type: 5, Size: 1000})
	byHand := arrive(b, packet.IP, false)
	ip, _ := byHand.IPv4()
	ip.SetLen(200)
	for _, p := range []*packet.Packet{super, byHand} {
		if p.Turn() {
			t.Errorf("%v is turned", p)
		}
	}
}

// Of the captures, damaged packets among them.
func TestTurnCorpus(t *testing.T) {
	turned, all := 0, 0
	for _, path := range corpusFiles(t) {
		b, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		readCapture(b, func(b []byte, link packet.LinkType) {
			all++
			if checkTurn(t, b, link) {
				turned++
			}
		})
	}
	t.Logf("%d of %d packets are turned", turned, all)
	if turned < 100 {
		t.Errorf("only %d packets are turned", turned)
	}
}

func BenchmarkTurn(b *testing.B) {
	for _, way := range []struct {
		name string
		do   func(*packet.Packet, *packet.Pool) *packet.Packet
	}{
		{"reply", func(p *packet.Packet, _ *packet.Pool) *packet.Packet { return p.Reply() }},
		{"turn", func(p *packet.Packet, _ *packet.Pool) *packet.Packet { p.Turn(); return p }},
	} {
		b.Run(way.name, func(b *testing.B) {
			p, err := packet.Build(packet.IPv4{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2")},
				packet.UDP{Sport: 1, Dport: 2}, make(packet.Payload, 32))
			if err != nil {
				b.Fatal(err)
			}
			question := p.Bytes()
			pool := &packet.Pool{Rand: rand.New(rand.NewPCG(1, 2))}
			for b.Loop() {
				p := pool.Get(len(question))
				copy(p.Room(len(question)), question)
				if p.Fill(0, len(question), packet.IP) != nil {
					b.Fatal("refused")
				}
				p.In = tap0
				q := way.do(p, pool)
				q.Unfinish()
				if q != p {
					pool.Put(q)
				}
				pool.Put(p)
			}
		})
	}
}
