package packet_test

import (
	"bytes"
	"math/bits"
	"testing"

	"github.com/tunscript/tunscript/engine/packet"
)

// Every bit of every sample, one by one: exactly that bit is another one on the
// wire, whatever state the checksums were in, and nothing that reads the packet
// stumbles.
func TestDamage(t *testing.T) {
	for _, s := range samples() {
		whole := build(t, s.layers...).Bytes()
		for bit := range 8 * len(whole) {
			p := build(t, s.layers...) // its checksums are due
			if bit%2 == 1 {
				p.SetPartial()
			}
			if err := p.Damage(bit/8, 0x80>>(bit%8)); err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
			got := p.Bytes()
			if i := bit / 8; got[i]^whole[i] != 0x80>>(bit%8) || !bytes.Equal(got[:i], whole[:i]) || !bytes.Equal(got[i+1:], whole[i+1:]) {
				t.Fatalf("%s, bit %d:\n% x, want one bit of\n% x", s.name, bit, got, whole)
			}
			touchAll(p)
		}
	}
}

func TestDamageOutside(t *testing.T) {
	p := build(t, ip4(packet.UDP{}, packet.Payload("hello"))...)
	for _, off := range []int{-1, p.Len()} {
		if err := p.Damage(off, 1); err == nil {
			t.Errorf("a bit at %d of %d bytes was flipped", off, p.Len())
		}
	}
	if _, ok := p.Valid(); !ok {
		t.Error("what could not be done has damaged it")
	}
}

// A receiver that looks at lengths or checksums can tell.
func TestDamageIsFound(t *testing.T) {
	for _, layers := range [][]packet.Layer{
		ip4(packet.UDP{Sport: 1, Dport: 2}, packet.Payload("hello")),
		ip6(packet.TCP{Sport: 1, Dport: 2}, packet.Payload("hello")),
	} {
		p := build(t, layers...)
		if err := p.Damage(p.Layout().Data, 0x10); err != nil {
			t.Fatal(err)
		}
		if _, ok := p.Valid(); ok {
			t.Errorf("a flipped bit of the payload is not seen: %v", p)
		}
		if n := bits.OnesCount8('h' ^ p.Payload()[0]); n != 1 {
			t.Errorf("%d bits of the payload are others, want 1", n)
		}
	}
}

// A packet that is cut says of itself what it said before, checksum included.
func TestCut(t *testing.T) {
	for _, s := range samples() {
		whole := build(t, s.layers...).Bytes()
		for n := range len(whole) + 2 {
			p := build(t, s.layers...)
			p.Cut(n)
			if got, want := p.Bytes(), whole[:min(max(n, 1), len(whole))]; !bytes.Equal(got, want) {
				t.Fatalf("%s cut to %d:\n% x, want\n% x", s.name, n, got, want)
			}
			touchAll(p)
		}
	}
	p := build(t, ip4(packet.UDP{Sport: 1, Dport: 2}, packet.Payload("hello"))...)
	p.Cut(p.Len() - 1)
	if ip, _ := p.IPv4(); ip.Len() != p.Len()+1 || string(p.Payload()) != "hell" {
		t.Errorf("cut by a byte: %v, its header says %d of %d bytes", p, ip.Len(), p.Len())
	}
	if layer, ok := p.Valid(); ok || layer != "ip" {
		t.Errorf("a cut packet is valid: %q", layer)
	}
}

// A length set by hand says nothing about the bytes that are there, before a cut
// and behind it.
func TestCutBehindALengthByHand(t *testing.T) {
	p := build(t, ip4(packet.UDP{Sport: 1, Dport: 2}, packet.Payload("hello, world"))...)
	ip, _ := p.IPv4()
	if err := ip.SetLen(30); err != nil {
		t.Fatal(err)
	}
	p.Cut(p.Len() - 7)
	if string(p.Payload()) != "hello" || ip.Len() != 30 {
		t.Errorf("payload %q, length %d; want hello and 30", p.Payload(), ip.Len())
	}
}
