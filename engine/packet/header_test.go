package packet_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tunscript/tunscript/engine/packet"
)

func TestBuildMakesWhatGopacketMakes(t *testing.T) {
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			got, want := build(t, s.layers...), serialize(t, s.oracle...)
			if want = want[:got.Len()]; !bytes.Equal(got.Bytes(), want) { // gopacket pads Ethernet to 60
				t.Fatalf("got\n%swant\n%s", got.Hex(false), parse(t, want, s.link).Hex(false))
			}
			if layer, ok := got.Valid(); !ok {
				t.Fatalf("%s is not valid", layer)
			}
		})
	}
}

// fields is every field of every header that is there, by the names of the Lua API.
// The checksums are under "sums", outermost first.
func fields(p *packet.Packet) map[string]any {
	m, sums := map[string]any{}, []uint16{}
	if v, ok := p.Ethernet(); ok {
		m["eth"] = []any{v.Src(), v.Dst(), v.Type()}
	}
	if v, ok := p.VLAN(); ok {
		m["vlan"] = []any{v.ID(), v.Prio(), v.DEI(), v.Type()}
	}
	if v, ok := p.ARP(); ok {
		m["arp"] = []any{v.Op(), v.SHA(), v.SPA().String(), v.THA(), v.TPA().String()}
	}
	if v, ok := p.IP(); ok {
		id, hasID := v.ID()
		mf, _ := v.MF()
		frag, _ := v.Frag()
		m["ip"] = []any{v.Version(), v.Src().String(), v.Dst().String(), v.TTL(), v.Proto(), v.TOS(), v.DSCP(), v.ECN(), v.Len(), id, hasID, v.DF(), mf, frag}
	}
	if v, ok := p.IPv4(); ok {
		m["ip4"] = []any{v.Src().String(), v.Dst().String(), v.TTL(), v.Proto(), v.TOS(), v.DSCP(), v.ECN(), v.Len(), v.ID(), v.DF(), v.MF(), v.Frag(), v.HeaderLen(), v.Options()}
		sums = append(sums, v.Checksum())
	}
	if v, ok := p.IPv6(); ok {
		exts := 0
		for range v.Extensions() {
			exts++
		}
		m["ip6"] = []any{v.Src().String(), v.Dst().String(), v.TTL(), v.Proto(), v.TOS(), v.DSCP(), v.ECN(), v.Len(), v.FlowLabel(), v.NextHeader(), exts}
	}
	if v, ok := p.ICMP(); ok {
		m["icmp"] = []any{v.Type(), v.Code(), v.ID(), v.Seq(), v.MTU(), v.Gateway().String(), v.IsError()}
		sums = append(sums, v.Checksum())
	}
	if v, ok := p.ICMPv6(); ok {
		target, hasTarget := v.Target()
		mac, hasMAC := v.LLAddr()
		m["icmp6"] = []any{v.Type(), v.Code(), v.ID(), v.Seq(), v.MTU(), v.Flags(), v.IsError(), target.String(), hasTarget, mac, hasMAC}
		sums = append(sums, v.Checksum())
	}
	if v, ok := p.UDP(); ok {
		m["udp"] = []any{v.Sport(), v.Dport(), v.Len()}
		sums = append(sums, v.Checksum())
	}
	if v, ok := p.TCP(); ok {
		m["tcp"] = []any{v.Sport(), v.Dport(), v.Seq(), v.Ack(), v.Flags().String(), v.Window(), v.Urgent(), v.HeaderLen(), v.Span()}
		sums = append(sums, v.Checksum())
		o := v.Options()
		mss, _ := o.MSS()
		ws, _ := o.WScale()
		val, ecr, _ := o.Timestamps()
		_, blocks, _ := o.Sack()
		kinds := []uint8{}
		for k := range o.All() {
			kinds = append(kinds, k)
		}
		m["options"] = []any{mss, ws, val, ecr, blocks, o.SackPermitted(), kinds}
	}
	m["payload"] = string(p.Payload())
	m["sums"] = sums
	return m
}

func TestParseReadsEveryField(t *testing.T) {
	none := []any{uint16(0), uint8(0), uint32(0), uint32(0), 0, false, []uint8{}}
	for _, tt := range []struct {
		name string
		want map[string]any
	}{
		{"tcp4 syn", map[string]any{
			"ip":      []any{uint8(4), "192.0.2.1", "192.0.2.2", uint8(64), uint8(6), uint8(0), uint8(0), uint8(0), 44, uint32(7), true, false, false, 0},
			"ip4":     []any{"192.0.2.1", "192.0.2.2", uint8(64), uint8(6), uint8(0), uint8(0), uint8(0), 44, uint16(7), false, false, 0, 20, []byte{}},
			"tcp":     []any{uint16(4000), uint16(80), uint32(7), uint32(0), "S", uint16(65535), uint16(0), 24, uint32(1)},
			"options": []any{uint16(1460), uint8(0), uint32(0), uint32(0), 0, false, []uint8{2}},
			"payload": "",
		}},
		{"udp6", map[string]any{
			"ip":      []any{uint8(6), "2001:db8::1", "2001:db8::2", uint8(9), uint8(17), uint8(0x47), uint8(17), uint8(3), 53, uint32(0), false, true, false, 0},
			"ip6":     []any{"2001:db8::1", "2001:db8::2", uint8(9), uint8(17), uint8(0x47), uint8(17), uint8(3), 53, uint32(0x12345), uint8(17), 0},
			"udp":     []any{uint16(4000), uint16(7), 13},
			"payload": "hello",
		}},
		{"udp4", map[string]any{
			"ip":      []any{uint8(4), "192.0.2.1", "192.0.2.2", uint8(3), uint8(17), uint8(0xb9), uint8(46), uint8(1), 43, uint32(7), true, true, false, 0},
			"ip4":     []any{"192.0.2.1", "192.0.2.2", uint8(3), uint8(17), uint8(0xb9), uint8(46), uint8(1), 43, uint16(7), true, false, 0, 20, []byte{}},
			"udp":     []any{uint16(4000), uint16(7), 23},
			"payload": "an odd payload.",
		}},
		{"vlan tcp6", map[string]any{
			"eth":     []any{hostMAC, peerMAC, uint16(0x8100)},
			"vlan":    []any{uint16(5), uint8(3), false, uint16(0x86dd)},
			"ip":      []any{uint8(6), "2001:db8::1", "2001:db8::2", uint8(64), uint8(6), uint8(0), uint8(0), uint8(0), 60, uint32(0), false, true, false, 0},
			"ip6":     []any{"2001:db8::1", "2001:db8::2", uint8(64), uint8(6), uint8(0), uint8(0), uint8(0), 60, uint32(0), uint8(6), 0},
			"tcp":     []any{uint16(1), uint16(2), uint32(0), uint32(0), "R", uint16(65535), uint16(0), 20, uint32(0)},
			"options": none,
			"payload": "",
		}},
		{"arp", map[string]any{
			"eth":     []any{hostMAC, packet.Broadcast, uint16(0x806)},
			"arp":     []any{uint16(1), hostMAC, "192.0.2.1", packet.MAC{}, "192.0.2.2"},
			"payload": "",
		}},
		{"icmp echo", map[string]any{
			"ip":      []any{uint8(4), "192.0.2.1", "192.0.2.2", uint8(64), uint8(1), uint8(0), uint8(0), uint8(0), 33, uint32(7), true, false, false, 0},
			"ip4":     []any{"192.0.2.1", "192.0.2.2", uint8(64), uint8(1), uint8(0), uint8(0), uint8(0), 33, uint16(7), false, false, 0, 20, []byte{}},
			"icmp":    []any{uint8(8), uint8(0), uint16(1), uint16(2), uint16(2), "0.1.0.2", false},
			"payload": "hello",
		}},
		{"neighbor solicitation", map[string]any{
			"eth":     []any{hostMAC, peerMAC, uint16(0x86dd)},
			"ip":      []any{uint8(6), "2001:db8::1", "2001:db8::2", uint8(255), uint8(58), uint8(0), uint8(0), uint8(0), 72, uint32(0), false, true, false, 0},
			"ip6":     []any{"2001:db8::1", "2001:db8::2", uint8(255), uint8(58), uint8(0), uint8(0), uint8(0), 72, uint32(0), uint8(58), 0},
			"icmp6":   []any{uint8(135), uint8(0), uint16(0), uint16(0), uint32(0), uint8(0), false, "2001:db8::2", true, hostMAC, true},
			"payload": "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x01\x01\x02\x00\x00\x00\x00\x01",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, s := range samples() {
				if s.name != tt.name {
					continue
				}
				p := build(t, s.layers...)
				b := serialize(t, s.oracle...)
				q := parse(t, b, s.link)
				tt.want["sums"] = goSums(b, s.link)
				if diff := cmp.Diff(tt.want, fields(q), cmp.Comparer(bytes.Equal)); diff != "" {
					t.Fatalf("as gopacket writes it, -want +got:\n%s", diff)
				}
				if diff := cmp.Diff(fields(q), fields(p), cmp.Comparer(bytes.Equal)); diff != "" {
					t.Fatalf("as built, with its checksums due, -want +got:\n%s", diff)
				}
			}
		})
	}
}

func TestRoundTripKeepsEveryByte(t *testing.T) {
	for _, s := range samples() {
		want := build(t, s.layers...).Bytes()
		p := parse(t, want, s.link)
		touchAll(p)
		rewriteAll(p)
		if !bytes.Equal(p.Bytes(), want) {
			t.Errorf("%s: every field written with what it held: got\n%swant\n%s", s.name, p.Hex(false), parse(t, want, s.link).Hex(false))
		}
	}
}

// rewriteAll sets every field to what it holds.
func rewriteAll(p *packet.Packet) {
	if v, ok := p.Ethernet(); ok {
		v.SetDst(v.Dst())
		v.SetSrc(v.Src())
		v.SetType(v.Type())
	}
	if v, ok := p.VLAN(); ok {
		v.SetID(v.ID())
		v.SetPrio(v.Prio())
		v.SetDEI(v.DEI())
		v.SetType(v.Type())
	}
	if v, ok := p.ARP(); ok {
		v.SetOp(v.Op())
		v.SetSHA(v.SHA())
		v.SetTHA(v.THA())
		v.SetSPA(v.SPA())
		v.SetTPA(v.TPA())
	}
	if v, ok := p.IP(); ok {
		v.SetSrc(v.Src())
		v.SetDst(v.Dst())
		v.SetTTL(v.TTL())
		v.SetTOS(v.TOS())
		v.SetDSCP(v.DSCP())
		v.SetECN(v.ECN())
		if id, ok := v.ID(); ok {
			v.SetID(id)
		}
		v.SetDF(v.DF())
		if mf, ok := v.MF(); ok {
			v.SetMF(mf)
		}
		if off, ok := v.Frag(); ok {
			v.SetFrag(off)
		}
		v.SetProto(v.Proto())
	}
	if v, ok := p.IPv6(); ok {
		v.SetFlowLabel(v.FlowLabel())
	}
	if v, ok := p.IPv4(); ok {
		v.SetOptions(v.Options())
	}
	if v, ok := p.ICMP(); ok {
		v.SetType(v.Type())
		v.SetCode(v.Code())
		v.SetID(v.ID())
		v.SetSeq(v.Seq())
		v.SetMTU(v.MTU())
		v.SetGateway(v.Gateway())
	}
	if v, ok := p.ICMPv6(); ok {
		v.SetType(v.Type())
		v.SetCode(v.Code())
		v.SetID(v.ID())
		v.SetSeq(v.Seq())
		v.SetMTU(v.MTU())
		v.SetFlags(v.Flags())
		if a, ok := v.Target(); ok {
			v.SetTarget(a)
		}
		if m, ok := v.LLAddr(); ok {
			v.SetLLAddr(m)
		}
	}
	if v, ok := p.UDP(); ok {
		v.SetSport(v.Sport())
		v.SetDport(v.Dport())
	}
	if v, ok := p.TCP(); ok {
		v.SetSport(v.Sport())
		v.SetDport(v.Dport())
		v.SetSeq(v.Seq())
		v.SetAck(v.Ack())
		v.SetFlags(v.Flags())
		v.SetWindow(v.Window())
		v.SetUrgent(v.Urgent())
	}
}

func TestShortHeadersHaveNoView(t *testing.T) {
	for _, s := range samples() {
		whole := build(t, s.layers...).Bytes()
		for n := range len(whole) + 1 {
			p, err := packet.Parse(whole[:n], s.link)
			if n == 0 {
				if err == nil {
					t.Errorf("%s: no bytes are a packet", s.name)
				}
				continue
			}
			touchAll(p)
			_, tcp := p.TCP()
			_, udp := p.UDP()
			_, icmp := p.ICMP()
			_, icmp6 := p.ICMPv6()
			_, arp := p.ARP()
			innermost := tcp || udp || icmp || icmp6 || arp
			// A TCP header is there with its first 20 bytes, options or not.
			short := s.short
			if v, ok := p.TCP(); ok && v.HeaderLen() < 24 && s.name == "tcp4 syn" {
				short = 40
			}
			if innermost != (n >= short) {
				t.Errorf("%s cut to %d bytes: innermost header there: %v, want %v", s.name, n, innermost, n >= short)
			}
			if _, ok := p.Valid(); ok && n < len(whole) && s.name != "arp" && n > 14 && n >= s.short {
				t.Errorf("%s cut to %d bytes is valid", s.name, n)
			}
			for _, e := range edits() { // does not panic
				e.do(p, rand.New(rand.NewPCG(uint64(n), 0)))
			}
			touchAll(p)
		}
	}
}
