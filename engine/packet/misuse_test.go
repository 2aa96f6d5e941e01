package packet_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/tunscript/tunscript/engine/internal/misuse"
	"github.com/tunscript/tunscript/engine/packet"
)

// views are those of p, whether it has them or not.
func views(p *packet.Packet) map[string]any {
	v := map[string]any{}
	v["ARP"], _ = p.ARP()
	v["Ethernet"], _ = p.Ethernet()
	v["ICMP"], _ = p.ICMP()
	v["ICMPv6"], _ = p.ICMPv6()
	v["IP"], _ = p.IP()
	v["IPv4"], _ = p.IPv4()
	v["IPv6"], _ = p.IPv6()
	v["TCP"], _ = p.TCP()
	v["UDP"], _ = p.UDP()
	v["VLAN"], _ = p.VLAN()
	return v
}

// slicing are the methods that panic, as slicing does, and say so.
var slicing = []string{"Room", "Widen", "Window"}

// Every method of a packet, whatever it holds, and of each of its views, whether it has
// that header or not, with arguments that make no sense. Frames are cut at every length.
func TestMisuseOfAPacket(t *testing.T) {
	h4 := packet.IPv4{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2")}
	h6 := packet.IPv6{Src: netip.MustParseAddr("2001:db8::1"), Dst: netip.MustParseAddr("2001:db8::2")}
	fresh := map[string]func() *packet.Packet{
		"a zero packet":      func() *packet.Packet { return new(packet.Packet) },
		"one that was left":  func() *packet.Packet { p := new(packet.Packet); p.Leave(); return p },
		"one without a room": func() *packet.Packet { p := new(packet.Packet); p.Room(0); return p },
	}
	for i, layers := range [][]packet.Layer{
		{packet.Eth{}, h4, packet.TCP{Dport: 7}},
		{packet.Eth{}, packet.VLAN{ID: 7}, h6, packet.UDP{Dport: 7}, packet.Payload("text")},
		{h4, packet.ICMP{}, packet.Payload("text")},
		{h6, packet.ICMPv6{}, packet.Payload("text")},
		{packet.Eth{}, packet.ARP{}},
	} {
		p, err := packet.Build(layers...)
		if err != nil {
			t.Fatal(err)
		}
		whole, link := slices.Clone(p.Bytes()), p.Link()
		for n := 1; n <= len(whole); n += 3 {
			fresh[fmt.Sprintf("packet %d cut to %d bytes", i, n)] = func() *packet.Packet {
				p, err := packet.Parse(slices.Clone(whole[:n]), link)
				if err != nil {
					t.Fatal(err)
				}
				return p
			}
		}
	}
	call := misuse.Caller{Except: slicing}
	for what, fresh := range fresh {
		call.Methods(t, what, func() any { return fresh() })
		for name := range views(fresh()) {
			call.Methods(t, what+", "+name, func() any { return views(fresh())[name] })
		}
	}
}

// A pool takes what it gets, and what it gives is empty.
func TestMisuseOfAPool(t *testing.T) {
	call := misuse.Caller{Except: slicing}
	call.Methods(t, "a zero Pool", func() any { return new(packet.Pool) })
	call.Methods(t, "a nil Pool", func() any { return (*packet.Pool)(nil) })
	var pool packet.Pool
	p := pool.Get(100)
	pool.Put(p)
	call.Methods(t, "a packet that was put back", func() any { return p })
}

// Numbers and texts of which there is no meaning have a text, or an error.
func TestMisuseOfValues(t *testing.T) {
	var call misuse.Caller
	for _, v := range []any{packet.MAC{}, packet.Flags(0xff), packet.LinkType(9), packet.UnreachableKind(99), packet.Came(-5), &packet.BuildError{}, &packet.FieldError{}, &packet.ParseError{}} {
		call.Methods(t, fmt.Sprintf("%T", v), func() any { return v })
	}
	call.Func(t, "Checksum", packet.Checksum)
	call.Func(t, "Build", packet.Build)
	call.Func(t, "Parse", packet.Parse)
	call.Func(t, "ParseMAC", packet.ParseMAC)
	call.Func(t, "ParseFlags", packet.ParseFlags)
	for _, l := range []packet.Layer{packet.Eth{}, packet.VLAN{}, packet.ARP{}, packet.IPv4{}, packet.IPv6{}, packet.ICMP{}, packet.ICMPv6{}, packet.TCP{}, packet.UDP{}, packet.Payload(nil)} {
		call.Func(t, fmt.Sprintf("Build of %T", l), func() { packet.Build(l); packet.Build(l, l, nil, l) })
	}
}
