package packet_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/tunscript/tunscript/engine/packet"
)

// checkAnswers fails for an answer that is not a right packet by itself.
func checkAnswers(t *testing.T, p *packet.Packet, answers []*packet.Packet) {
	for _, q := range answers {
		if q.Len() == 0 {
			if q.Why() == "" {
				t.Fatalf("an empty answer without a reason to %v", p)
			}
			continue
		}
		r := parse(t, q.Bytes(), q.Link())
		if layer, ok := r.Valid(); !ok {
			t.Fatalf("the answer %v is not valid at %s, to\n%s", r, layer, p.Hex(true))
		}
	}
}

// FuzzParse reads everything of any bytes and makes every answer: nothing panics,
// reading changes nothing, and what is answered is right.
func FuzzParse(f *testing.F) {
	for _, s := range samples() {
		f.Add(build(f, s.layers...).Bytes(), s.link == packet.Ethernet)
	}
	f.Fuzz(func(t *testing.T, b []byte, ethernet bool) {
		link := packet.IP
		if ethernet {
			link = packet.Ethernet
		}
		p, err := packet.Parse(b, link)
		if err != nil {
			return
		}
		p.In = tap0
		checkAnswers(t, p, touchAll(p))
		if !bytes.Equal(p.Bytes(), b) {
			t.Fatal("reading has changed the packet")
		}
		// The same with the checksum as a device hands it over.
		p.SetPartial()
		checkAnswers(t, p, touchAll(p))
		checkTurn(t, b, link)
	})
}

// FuzzSetters edits any bytes: nothing panics, and a packet that was right stays
// right unless something was set by hand.
func FuzzSetters(f *testing.F) {
	for i, s := range editable() {
		f.Add(build(f, s.layers...).Bytes(), s.link == packet.Ethernet, uint64(i))
	}
	all := edits()
	f.Fuzz(func(t *testing.T, b []byte, ethernet bool, seed uint64) {
		link := packet.IP
		if ethernet {
			link = packet.Ethernet
		}
		p, err := packet.Parse(b, link)
		if err != nil {
			return
		}
		r := rand.New(rand.NewPCG(seed, 0))
		if r.IntN(3) == 0 {
			p.SetPartial()
		}
		for range 8 {
			_, ok := p.Valid()
			e := all[r.IntN(len(all))]
			before, l := p.String(), *p.Layout()
			ok = ok && l.Version != 0 && l.L4 > 0 && !l.Fragment() // there are sums, and they are all here
			e.do(p, r)
			if layer, now := p.Valid(); ok && !now {
				t.Fatalf("%s made %s invalid at %s: %v", e.name, before, layer, p)
			}
			touchAll(p)
		}
		shape(p, r)
		touchAll(p)
		p.Bytes()
	})
}

// shape sets what moves headers, lengths and checksums by hand, and raw bytes.
func shape(p *packet.Packet, r *rand.Rand) {
	for range 8 {
		ip, _ := p.IP()
		switch r.IntN(16) {
		case 0:
			ip.SetProto([]uint8{0, 1, 6, 17, 43, 44, 51, 58, 60, 253}[r.IntN(10)])
		case 1:
			ip.SetMF(r.IntN(2) == 0)
		case 2:
			ip.SetFrag(r.IntN(100) * 8)
		case 3:
			ip.SetLen(r.IntN(70000))
		case 4:
			ip.ResetLen()
		case 5:
			ip.SetChecksum(uint16(r.Uint32()))
		case 6:
			tcp, _ := p.TCP()
			tcp.SetChecksum(uint16(r.Uint32()))
		case 7:
			udp, _ := p.UDP()
			udp.ResetChecksum()
			udp.SetLen(r.IntN(70000))
		case 8:
			p.SetBytes(r.IntN(p.Len()+1), []byte{uint8(r.Uint32()), uint8(r.Uint32())})
		case 9:
			p.PushEthernet(hostMAC, peerMAC)
		case 10:
			p.PopEthernet()
		case 11:
			p.PushVLAN(uint16(r.Uint32()), 7)
		case 12:
			p.PopVLAN()
		case 13:
			p.SetPayload(make([]byte, r.IntN(100)))
		case 14:
			v, _ := p.IPv6()
			v.SetExtensions(someExtensions(r)...)
		case 15:
			v, _ := p.IPv4()
			v.SetOptions(make([]byte, r.IntN(44)))
		}
	}
}

// someExtensions are whole headers, and now and then one that is not.
func someExtensions(r *rand.Rand) (list []packet.Extension) {
	for range r.IntN(4) {
		e := packet.Extension{Kind: []uint8{0, 43, 44, 51, 60, 61}[r.IntN(6)], Data: make([]byte, []int{0, 8, 8, 8, 24}[r.IntN(5)])}
		for i := range e.Data {
			e.Data[i] = uint8(r.Uint32())
		}
		if len(e.Data) > 1 {
			e.Data[1] = uint8(len(e.Data)/8 - 1)
		}
		list = append(list, e)
	}
	return list
}

// FuzzTCPOptions reads and writes any option bytes: nothing panics, what was
// written is read back, and the packet stays valid.
func FuzzTCPOptions(f *testing.F) {
	f.Add(linuxSYN, uint8(2), []byte{5, 0x50})
	f.Add([]byte{1, 1, 5, 10, 0, 0, 0, 5, 0, 0, 0, 9}, uint8(254), []byte{})
	f.Add([]byte{8, 99, 3, 0}, uint8(3), []byte{7})
	f.Fuzz(func(t *testing.T, raw []byte, kind uint8, data []byte) {
		p, err := packet.Build(packet.IPv4{Src: host4, Dst: peer4}, packet.TCP{Options: raw}, packet.Payload("data"))
		if err != nil {
			return
		}
		v, _ := p.TCP()
		o := v.Options()
		touchAll(p)
		kept := map[uint8]string{}
		for k, d := range o.All() {
			if _, twice := kept[k]; !twice {
				kept[k] = string(d)
			}
		}
		if o.Set(kind, data) == nil {
			kept[kind] = string(data)
		}
		for k, want := range kept {
			if got, ok := o.Get(k); k > packet.OptNop && (!ok || string(got) != want) {
				t.Fatalf("kind %d is % x, want % x, in % x", k, got, want, o.Bytes())
			}
		}
		if layer, ok := p.Valid(); !ok || string(p.Payload()) != "data" {
			t.Fatalf("%s is not valid, payload %q", layer, p.Payload())
		}
		o.SetMSS(1)
		o.SetSackPermitted(true)
		o.SetTimestamps(1, 2)
		for k := range kept {
			o.Remove(k)
			if _, ok := o.Get(k); ok && k > packet.OptNop {
				t.Fatalf("kind %d was removed and is there: % x", k, o.Bytes())
			}
		}
		o.Clear()
		if layer, ok := p.Valid(); !ok || v.HeaderLen() != 20 || string(p.Payload()) != "data" {
			t.Fatalf("%s is not valid, header %d, payload %q", layer, v.HeaderLen(), p.Payload())
		}
	})
}

// FuzzIPv6Chain walks any extension headers: nothing panics, and the walk, the
// layout and the iterator agree about where it ends.
func FuzzIPv6Chain(f *testing.F) {
	f.Add(uint8(0), []byte{17, 0, 1, 4, 0, 0, 0, 0, 0, 1, 0, 2, 0, 8, 0, 0})
	f.Add(uint8(43), append([]byte{6, 2, 4, 1, 0, 0, 0, 0}, make([]byte, 40)...))
	f.Add(uint8(44), []byte{58, 0, 0, 8, 0, 0, 0, 9, 128, 0, 0, 0})
	f.Add(uint8(44), []byte{44, 0, 0, 0, 0, 0, 0, 9, 17, 0, 0x30, 0x30, 0, 0, 0, 9}) // two fragment headers
	f.Add(uint8(51), []byte{60, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 59, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, first uint8, b []byte) {
		if len(b) > 60000 {
			return
		}
		p, err := packet.Build(packet.IPv6{Src: host6, Dst: peer6}, packet.Payload(b))
		if err != nil {
			return
		}
		ip, _ := p.IPv6()
		ip.SetProto(first)
		at, next := 40, first
		for n, ext := range ip.Extensions() {
			if n != next {
				t.Fatalf("header %d, want %d", n, next)
			}
			at, next = at+len(ext), ext[0]
		}
		l := p.Layout()
		if l.Proto != next || l.L4 > 0 && l.L4 != at {
			t.Fatalf("the walk ends at %d with %d, the layout says %d with %d", at, next, l.L4, l.Proto)
		}
		checkAnswers(t, p, touchAll(p))
		setExtensions(t, p)
		for _, do := range edits() {
			do.do(p, rand.New(rand.NewPCG(1, 1)))
		}
		touchAll(p)
	})
}

// setExtensions takes the extension headers off and puts them back: what follows them
// stays, and in the end nothing has changed but lengths that were wrong.
func setExtensions(t *testing.T, p *packet.Packet) {
	v, _ := p.IPv6()
	var list []packet.Extension
	for kind, data := range v.Extensions() {
		list = append(list, packet.Extension{Kind: kind, Data: bytes.Clone(data)})
	}
	_, valid := p.Valid()
	was, proto := bytes.Clone(p.Bytes()), v.Proto()
	q := p.Clone()
	v, _ = q.IPv6()
	if err := v.SetExtensions(); err != nil {
		t.Fatal(err)
	}
	if _, ok := q.Valid(); valid && !ok && q.Layout().Proto == proto && !p.Layout().Fragment() {
		t.Fatalf("without %v it is not valid", list)
	}
	for range v.Extensions() {
		return // what followed is another extension header now
	}
	if len(list) == 0 || q.Layout().Proto != proto {
		return
	}
	if err := v.SetExtensions(list...); err != nil {
		t.Fatal(err)
	}
	if now := q.Bytes(); valid && !bytes.Equal(now, was) && v.Len() > 40 {
		t.Fatalf("there and back it is\n% x, was\n% x", now, was)
	}
}
