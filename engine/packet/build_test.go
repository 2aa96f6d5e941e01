package packet_test

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/tunscript/tunscript/engine/packet"
)

func TestBuildErrorsNameLayerAndField(t *testing.T) {
	eth, udp := packet.Eth{}, packet.UDP{}
	v4, v6 := packet.IPv4{Src: host4, Dst: peer4}, packet.IPv6{Src: host6, Dst: peer6}
	for _, tt := range []struct {
		layers []packet.Layer
		at     string
	}{
		{nil, ""},
		{[]packet.Layer{nil}, ""},
		{[]packet.Layer{packet.Payload("\x00no IP")}, ""},
		{[]packet.Layer{packet.IPv4{Dst: peer4}}, "ip4.src"},
		{[]packet.Layer{packet.IPv4{Src: host4}}, "ip4.dst"},
		{[]packet.Layer{packet.IPv4{Src: host4, Dst: peer6}}, "ip4.dst"},
		{[]packet.Layer{packet.IPv6{Src: host4, Dst: peer6}}, "ip6.src"},
		{[]packet.Layer{packet.IPv4{Src: host4, Dst: peer4, Frag: 7}}, "ip4.frag"},
		{[]packet.Layer{packet.IPv4{Src: host4, Dst: peer4, Options: make([]byte, 41)}}, "ip4.options"},
		{[]packet.Layer{packet.IPv6{Src: host6, Dst: peer6, FlowLabel: 1 << 20}}, "ip6.flowlabel"},
		{[]packet.Layer{v4, eth}, "eth"},
		{[]packet.Layer{v4, v4}, "ip4"},
		{[]packet.Layer{v4, udp, v6}, "ip6"},
		{[]packet.Layer{udp}, "udp"},
		{[]packet.Layer{v4, udp, udp}, "udp"},
		{[]packet.Layer{packet.TCP{}}, "tcp"},
		{[]packet.Layer{v4, packet.TCP{Options: make([]byte, 41)}}, "tcp.options"},
		{[]packet.Layer{v6, packet.ICMP{}}, "icmp"},
		{[]packet.Layer{v4, packet.ICMPv6{}}, "icmp6"},
		{[]packet.Layer{v4, packet.ICMP{Gateway: host6}}, "icmp.gateway"},
		{[]packet.Layer{v6, packet.ICMPv6{Type: packet.NeighborSolicit, Target: host4}}, "icmp6.target"},
		{[]packet.Layer{v6, packet.ICMPv6{Target: host6}}, "icmp6.target"},
		{[]packet.Layer{v6, packet.ICMPv6{LLAddr: hostMAC}}, "icmp6.lladdr"},
		{[]packet.Layer{packet.VLAN{}}, "vlan"},
		{[]packet.Layer{eth, packet.VLAN{ID: 4096}}, "vlan.id"},
		{[]packet.Layer{eth, packet.VLAN{Prio: 8}}, "vlan.prio"},
		{[]packet.Layer{eth, packet.VLAN{}, packet.VLAN{}, packet.VLAN{}}, "vlan"},
		{[]packet.Layer{packet.ARP{}}, "arp"},
		{[]packet.Layer{eth, packet.ARP{SPA: host6}}, "arp.spa"},
		{[]packet.Layer{v4, packet.Payload(make([]byte, 65516))}, "ip4"},
		{[]packet.Layer{v6, packet.Payload(make([]byte, 65536))}, "ip6"},
		{[]packet.Layer{v6, packet.Payload(make([]byte, 1<<20))}, ""},
	} {
		_, err := packet.Build(tt.layers...)
		var e *packet.BuildError
		if !errors.As(err, &e) {
			t.Errorf("%T: %v, want a BuildError at %q", tt.layers, err, tt.at)
			continue
		}
		at := e.Layer
		if e.Field != "" {
			at += "." + e.Field
		}
		if at != tt.at {
			t.Errorf("%v: at %q, want %q", err, at, tt.at)
		}
	}
}

func TestBuildFillsInWhatIsNotSet(t *testing.T) {
	p := build(t, packet.Eth{Dst: packet.Broadcast}, packet.VLAN{ID: 1}, packet.VLAN{ID: 2}, packet.IPv4{Src: host4, Dst: peer4}, packet.TCP{Sport: 1, Dport: 2})
	ip, _ := p.IPv4()
	tcp, _ := p.TCP()
	vlan, _ := p.VLAN()
	if vlan.ID() != 1 || vlan.Type() != packet.TypeVLAN || p.Layout().Tags != 2 {
		t.Errorf("outer tag %d before %#x", vlan.ID(), vlan.Type())
	}
	if ip.TTL() != 64 || ip.ID() == 0 || ip.Proto() != packet.ProtoTCP || tcp.Window() != 65535 || tcp.Flags() != 0 {
		t.Errorf("ttl %d, id %d, proto %d, window %d, flags %v", ip.TTL(), ip.ID(), ip.Proto(), tcp.Window(), tcp.Flags())
	}
	for _, tt := range []struct {
		layers []packet.Layer
		want   uint8
	}{
		{[]packet.Layer{packet.IPv6{Src: host6, Dst: peer6}}, packet.ProtoNoNext},
		{[]packet.Layer{packet.IPv6{Src: host6, Dst: peer6}, packet.Payload("x")}, 253},
		{[]packet.Layer{packet.IPv6{Src: host6, Dst: peer6, Proto: 47}, packet.Payload("x")}, 47},
	} {
		if ip, _ := build(t, tt.layers...).IP(); ip.Proto() != tt.want {
			t.Errorf("proto %d, want %d", ip.Proto(), tt.want)
		}
	}
}

func TestBuildDrawsFromThePoolsSource(t *testing.T) {
	ids := [2]uint16{}
	for i := range ids {
		pool := packet.Pool{Rand: rand.New(rand.NewPCG(5, 5))}
		p, err := pool.Build(packet.IPv4{Src: host4, Dst: peer4})
		if err != nil {
			t.Fatal(err)
		}
		ip, _ := p.IPv4()
		ids[i] = ip.ID()
	}
	if ids[0] != ids[1] {
		t.Errorf("ids %d from one seed", ids)
	}
}

func TestSettersRefuseTheWrongFamily(t *testing.T) {
	p4, p6 := build(t, packet.IPv4{Src: host4, Dst: peer4}), build(t, packet.IPv6{Src: host6, Dst: peer6})
	ip4, _ := p4.IP()
	ip6, _ := p6.IP()
	var field *packet.FieldError
	for name, err := range map[string]error{
		"ip4.src":     ip4.SetSrc(host6),
		"ip4.dst":     ip4.SetDst(netip.Addr{}),
		"ip6.src":     ip6.SetSrc(host4),
		"ip6.dst":     ip6.SetDst(netip.Addr{}),
		"ip.id":       ip6.SetID(1),
		"ip.mf":       ip6.SetMF(true),
		"ip.frag":     ip6.SetFrag(8),
		"ip.df":       ip6.SetDF(false),
		"ip.checksum": ip6.SetChecksum(1),
		"ip4.frag":    ip4.SetFrag(7),
		"ip4.len":     ip4.SetLen(65536),
		"ip6.len":     ip6.SetLen(39),
	} {
		if !errors.As(err, &field) || field.Field != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	if ip4.Src() != host4 || ip6.Dst() != peer6 {
		t.Error("a refused address was written")
	}
}
