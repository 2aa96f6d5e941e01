package offload_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/tunscript/tunscript/engine/offload"
	"github.com/tunscript/tunscript/engine/packet"
)

var (
	host4 = netip.MustParseAddr("192.0.2.1")
	peer4 = netip.MustParseAddr("198.51.100.2")
	host6 = netip.MustParseAddr("2001:db8::1")
	peer6 = netip.MustParseAddr("2001:db8:9::2")
)

func build(t testing.TB, layers ...packet.Layer) *packet.Packet {
	t.Helper()
	p, err := packet.Build(layers...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// super makes a super-packet of these layers, as a device would read it.
func super(t testing.TB, size int, layers ...packet.Layer) *packet.Packet {
	t.Helper()
	p := build(t, layers...)
	l := p.Layout()
	g := packet.GSO{Type: offload.UDP, Size: uint16(size)}
	if l.Proto == packet.ProtoTCP {
		g.Type = offload.TCPv4
		if l.Version == 6 {
			g.Type = offload.TCPv6
		}
	}
	p.SetGSO(g)
	if !p.Unfinish() {
		t.Fatal("it has no checksum")
	}
	return p
}

// random makes any super-packet that a kernel might.
func random(t testing.TB, r *rand.Rand) *packet.Packet {
	pick := func(n ...int) int { return n[r.IntN(len(n))] }
	size := pick(1448, 1400, 1300, 536, 100, 40, 13, 1)
	n := size*(1+r.IntN(44)) + pick(0, 0, 1, size-1, r.IntN(size))
	n = min(n, 60000, 100*size)
	data := make(packet.Payload, max(n, 1))
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	var layers []packet.Layer
	if r.IntN(4) == 0 {
		layers = append(layers, packet.Eth{Src: packet.MAC{2, 0, 0, 0, 0, 1}, Dst: packet.MAC{2, 0, 0, 0, 0, 2}})
		if r.IntN(2) == 0 {
			layers = append(layers, packet.VLAN{ID: 7})
		}
	}
	if r.IntN(2) == 0 {
		layers = append(layers, packet.IPv4{Src: host4, Dst: peer4, ID: uint16(pick(1, 0xfffe, r.IntN(65536))), DF: r.IntN(2) == 0,
			TTL: 64, Options: make([]byte, pick(0, 0, 4))})
	} else {
		layers = append(layers, packet.IPv6{Src: host6, Dst: peer6, TTL: 64})
	}
	if r.IntN(3) > 0 {
		flags := packet.ACK
		for _, f := range []packet.Flags{packet.PSH, packet.FIN, packet.ECE, packet.CWR, packet.URG} {
			if r.IntN(4) == 0 {
				flags |= f
			}
		}
		layers = append(layers, packet.TCP{Sport: 4000, Dport: 80, Seq: uint32(pick(1, 0xfffffff0, int(r.Uint32()))), Ack: 9,
			Flags: flags, Window: 77, Options: bytes.Repeat([]byte{1}, pick(0, 12, 40))})
	} else {
		layers = append(layers, packet.UDP{Sport: 4000, Dport: 443})
	}
	p := super(t, size, append(layers, data)...)
	if r.IntN(2) == 0 && p.Layout().Proto == packet.ProtoTCP {
		g := p.GSO()
		g.Type |= offload.ECN
		p.SetGSO(g)
	}
	return p
}

// plainCut is what package offload does, as one would say it: each segment is built by
// the methods of packet, checksums included.
func plainCut(t testing.TB, p *packet.Packet) (out []*packet.Packet) {
	t.Helper()
	b, l, size := p.Append(nil), p.Layout(), int(p.GSO().Size)
	if size == 0 {
		q := p.Clone()
		q.Bytes()
		return []*packet.Packet{q}
	}
	head, data := b[:l.Data], b[l.Data:l.End]
	for i := 0; len(data) > 0; i++ {
		n := min(size, len(data))
		seg := append(bytes.Clone(head), data[:n]...)
		data = data[n:]
		if l.Version == 4 {
			binary.BigEndian.PutUint16(seg[l.L3+2:], uint16(len(seg)-l.L3))
		} else {
			binary.BigEndian.PutUint16(seg[l.L3+4:], uint16(len(seg)-l.L3-40))
		}
		if l.Proto == packet.ProtoUDP {
			binary.BigEndian.PutUint16(seg[l.L4+4:], uint16(len(seg)-l.L4))
		}
		q, err := packet.Parse(seg, p.Link())
		if err != nil {
			t.Fatal(err)
		}
		if ip, ok := q.IPv4(); ok {
			ip.SetID(ip.ID() + uint16(i))
			ip.ResetChecksum()
		}
		if tcp, ok := q.TCP(); ok {
			f := tcp.Flags()
			if i > 0 {
				f &^= packet.CWR
			}
			if len(data) > 0 {
				f &^= packet.FIN | packet.PSH
			}
			tcp.SetSeq(tcp.Seq() + uint32(i*size))
			tcp.SetFlags(f)
			tcp.ResetChecksum()
		} else if udp, ok := q.UDP(); ok {
			udp.ResetChecksum()
		}
		q.Bytes()
		q.In, q.Out = p.In, p.Out
		out = append(out, q)
	}
	return out
}

// seeded fails if the checksum of p is not the kernel's partial sum, which finishing
// would not show.
func seeded(t testing.TB, p *packet.Packet) {
	t.Helper()
	at, ok := p.Partial()
	if !ok {
		t.Fatalf("%v: no unfinished checksum", p)
	}
	b, l := p.Frame(), p.Layout()
	addrs := b[l.L3+12 : l.L3+20]
	if l.Version == 6 {
		addrs = b[l.L3+8 : l.L3+40]
	}
	pseudo := binary.BigEndian.AppendUint16(bytes.Clone(addrs), uint16(l.Proto))
	pseudo = binary.BigEndian.AppendUint16(pseudo, uint16(l.End-l.L4))
	want, got := ^packet.Checksum(pseudo), binary.BigEndian.Uint16(b[at.Start+at.Offset:])
	if got != want {
		t.Fatalf("%v: the seed is %04x, want %04x", p, got, want)
	}
}

// equal fails unless got, cut where it is to be, is want.
func equal(t testing.TB, what string, got, want []*packet.Packet) {
	t.Helper()
	var all []*packet.Packet
	for _, p := range got {
		all = append(all, plainCut(t, p)...)
	}
	for i := range min(len(all), len(want)) {
		if a, b := all[i].Bytes(), want[i].Bytes(); !bytes.Equal(a, b) {
			t.Fatalf("%s: packet %d is\n%s, want\n%s", what, i, dump(a), dump(b))
		}
	}
	if len(all) != len(want) {
		t.Fatalf("%s: %d packets, want %d", what, len(all), len(want))
	}
}

func dump(b []byte) string { return fmt.Sprintf("%d bytes, % x", len(b), b[:min(len(b), 90)]) }
