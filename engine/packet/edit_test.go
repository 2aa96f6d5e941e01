package packet_test

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/tunscript/tunscript/engine/packet"
)

// plainSum is RFC 1071 as it is written: 16 bits at a time, carries added at the
// end, the odd byte as a high one.
func plainSum(parts ...[]byte) uint16 {
	var sum uint32
	for _, b := range parts {
		for i := 0; i < len(b); i += 2 {
			w := uint32(b[i]) << 8
			if i+1 < len(b) {
				w |= uint32(b[i+1])
			}
			if sum += w; sum > 0xffff {
				sum -= 0xffff
			}
		}
	}
	return ^uint16(sum)
}

// rightSums computes both checksums of a frame from nothing: the IPv4 header's
// (0 in IPv6) and the transport's, and says where they stand.
func rightSums(p *packet.Packet) (ip, transport uint16, ipAt, transportAt int) {
	b, l := p.Frame(), *p.Layout()
	at := map[uint8]int{packet.ProtoTCP: 16, packet.ProtoUDP: 6, packet.ProtoICMP: 2, packet.ProtoICMPv6: 2}[l.Proto]
	transportAt = l.L4 + at
	seg := append([]byte(nil), b[l.L4:l.End]...)
	seg[at], seg[at+1] = 0, 0
	var pseudo []byte
	if l.Version == 4 {
		ipAt = l.L3 + 10
		h := append([]byte(nil), b[l.L3:l.L3+int(b[l.L3]&15)*4]...)
		h[10], h[11] = 0, 0
		ip = plainSum(h)
		pseudo = append(pseudo, b[l.L3+12:l.L3+20]...)
	} else {
		pseudo = append(pseudo, b[l.L3+8:l.L3+40]...)
	}
	pseudo = append(pseudo, 0, l.Proto)
	pseudo = binary.BigEndian.AppendUint16(pseudo, uint16(len(seg)))
	if l.Proto == packet.ProtoICMP {
		pseudo = nil
	}
	transport = plainSum(pseudo, seg)
	if l.Proto == packet.ProtoUDP && transport == 0 {
		transport = 0xffff
	}
	return ip, transport, ipAt, transportAt
}

func editable() []sample {
	var list []sample
	for _, s := range samples() {
		if s.name != "arp" {
			list = append(list, s)
		}
	}
	return list
}

const rounds = 400 // of each of ten packets: 4,000 edits a test

func TestEditsKeepChecksumsRight(t *testing.T) {
	r, all := rand.New(rand.NewPCG(1, 1)), edits()
	for _, s := range editable() {
		p := parse(t, build(t, s.layers...).Bytes(), s.link)
		for range rounds {
			e := all[r.IntN(len(all))]
			e.do(p, r)
			b := p.Bytes()
			ip, transport, ipAt, at := rightSums(p)
			if ipAt > 0 && binary.BigEndian.Uint16(b[ipAt:]) != ip {
				t.Fatalf("%s: after %s the header checksum is %#04x, want %#04x", s.name, e.name, b[ipAt:ipAt+2], ip)
			}
			if binary.BigEndian.Uint16(b[at:]) != transport {
				t.Fatalf("%s: after %s the transport checksum is %#04x, want %#04x", s.name, e.name, b[at:at+2], transport)
			}
			if layer, ok := p.Valid(); !ok {
				t.Fatalf("%s: after %s %s is not valid", s.name, e.name, layer)
			}
		}
	}
}

func TestEditsKeepWrongChecksumsWrongByTheSame(t *testing.T) {
	r, all := rand.New(rand.NewPCG(2, 2)), edits()
	for _, s := range editable() {
		frame := build(t, s.layers...).Bytes()
		p := parse(t, frame, s.link)
		_, _, ipAt, at := rightSums(p)
		const off = 0x1234
		frame = append([]byte(nil), frame...)
		if ipAt > 0 {
			spoil(frame[ipAt:], off)
		}
		spoil(frame[at:], off)
		p = parse(t, frame, s.link)
		for range rounds {
			e := all[r.IntN(len(all))]
			if e.heals {
				continue
			}
			e.do(p, r)
			b := p.Bytes()
			ip, transport, ipAt, at := rightSums(p)
			if got := less(b[at:], transport); got != off {
				t.Fatalf("%s: after %s the transport checksum is off by %#04x, want %#04x", s.name, e.name, got, off)
			}
			if ipAt > 0 && less(b[ipAt:], ip) != off {
				t.Fatalf("%s: after %s the header checksum is off by %#04x, want %#04x", s.name, e.name, less(b[ipAt:], ip), off)
			}
		}
	}
}

// spoil adds off to the checksum at the start of b, in ones' complement.
func spoil(b []byte, off uint32) {
	v := uint32(binary.BigEndian.Uint16(b)) + off
	binary.BigEndian.PutUint16(b, uint16(v%0xffff))
}

// less is how far the checksum at the start of b is above right.
func less(b []byte, right uint16) uint32 {
	return (uint32(binary.BigEndian.Uint16(b)) + 0xffff - uint32(right)) % 0xffff
}

// TestEditsAdjustTheSeed takes the kernel's part: it finishes an unfinished
// checksum by summing from the transport header on, seed included, after every
// edit that a script may make in between.
func TestEditsAdjustTheSeed(t *testing.T) {
	r, all := rand.New(rand.NewPCG(3, 3)), edits()
	for _, s := range editable() {
		p := build(t, s.layers...)
		if _, ok := p.ICMP(); ok {
			continue // has no pseudo-header, and the kernel finishes it itself
		}
		if !p.Unfinish() {
			t.Fatalf("%s: Unfinish refuses a built packet", s.name)
		}
		q := parse(t, p.Frame(), s.link)
		q.SetPartial()
		for range rounds {
			e := all[r.IntN(len(all))]
			e.do(q, r)
			at, ok := q.Partial()
			if !ok {
				t.Fatalf("%s: after %s the checksum is no longer unfinished", s.name, e.name)
			}
			b := append([]byte(nil), q.Frame()...)
			l := q.Layout()
			sum := plainSum(b[at.Start:l.End])
			if sum == 0 && l.Proto == packet.ProtoUDP {
				sum = 0xffff
			}
			if _, want, _, _ := rightSums(q); sum != want {
				t.Fatalf("%s: after %s the kernel would write %#04x, want %#04x", s.name, e.name, sum, want)
			}
			if v, ok := q.Uint16(at.Start + at.Offset); !ok || v != sum {
				t.Fatalf("%s: after %s the checksum reads %#04x, leaves as %#04x", s.name, e.name, v, sum)
			}
		}
		_, want, _, at := rightSums(q)
		if got := binary.BigEndian.Uint16(q.Bytes()[at:]); got != want {
			t.Errorf("%s: finished %#04x, want %#04x", s.name, got, want)
		}
	}
}

// TestEditsAgreeWithGopacket lets gopacket decode what edits have made and write
// it again with checksums of its own.
func TestEditsAgreeWithGopacket(t *testing.T) {
	r, all, n := rand.New(rand.NewPCG(4, 4)), edits(), 0
	for _, s := range editable() {
		if s.link == packet.Ethernet {
			continue // the same behind the header, and gopacket pads
		}
		for range rounds {
			p := parse(t, build(t, s.layers...).Bytes(), s.link)
			e := all[r.IntN(len(all))]
			e.do(p, r)
			b := p.Bytes()
			want, ok := gopacketSums(t, b)
			if !ok {
				continue // ip options that gopacket does not write as they were
			}
			n++
			if got := goSums(b, s.link); !equalSums(got, want) {
				t.Fatalf("%s: after %s the checksums are %#04x, gopacket says %#04x", s.name, e.name, got, want)
			}
		}
	}
	if n < 1000 {
		t.Fatalf("only %d edits were compared", n)
	}
}

// gopacketSums are the checksums that gopacket computes for the packet in b, with
// its UDP checksum of 0 mended (RFC 768).
func gopacketSums(t *testing.T, b []byte) ([]uint16, bool) {
	first := layers.LayerTypeIPv4
	if b[0]>>4 == 6 {
		first = layers.LayerTypeIPv6
	}
	var ls []gopacket.SerializableLayer
	udp := false
	for _, l := range gopacket.NewPacket(b, first, gopacket.Default).Layers() {
		s, ok := l.(gopacket.SerializableLayer)
		if !ok {
			return nil, false
		}
		udp = udp || l.LayerType() == layers.LayerTypeUDP
		ls = append(ls, s)
		if l.LayerType() == layers.LayerTypeUDP || l.LayerType() == layers.LayerTypeTCP || l.LayerType() == layers.LayerTypeICMPv4 || l.LayerType() == layers.LayerTypeICMPv6 {
			ls = append(ls, gopacket.Payload(l.LayerPayload()))
			break
		}
	}
	out := serialize(t, ls...)
	if len(out) != len(b) {
		return nil, false
	}
	sums := goSums(out, packet.IP)
	if udp && sums[len(sums)-1] == 0 {
		sums[len(sums)-1] = 0xffff
	}
	return sums, true
}

func equalSums(a, b []uint16) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// One of all the ports makes the sum 0, which UDP writes as 0xffff (RFC 768), both
// where it is updated and where it is computed.
func TestUDPChecksumIsNeverZero(t *testing.T) {
	for _, l := range [][]packet.Layer{ip4(packet.UDP{Sport: 1}), ip6(packet.UDP{Sport: 1})} {
		p, found := parse(t, build(t, l...).Bytes(), packet.IP), false
		u, _ := p.UDP()
		for port := range 1 << 16 {
			u.SetDport(uint16(port))
			sum := u.Checksum()
			found = found || sum == 0xffff
			if _, want, _, _ := rightSums(p); sum != want || sum == 0 {
				t.Fatalf("port %d: %#04x, want %#04x", port, sum, want)
			}
			if sum == 0xffff {
				u.ResetChecksum()
				if u.Checksum() != 0xffff {
					t.Errorf("port %d: computed anew it is %#04x", port, u.Checksum())
				}
				p.Finish()
			}
		}
		if !found {
			t.Error("no port makes 0xffff")
		}
	}
}
