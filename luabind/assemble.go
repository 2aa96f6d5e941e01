package luabind

import (
	"fmt"
	"net/netip"
	"slices"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine/packet"
)

// assemble builds a packet: first its bare layers, then their fields one by one,
// from the inside out, as a field of an outer layer may hide an inner one.
func (in *instance) assemble(parts []part) (*packet.Packet, error) {
	var layers []packet.Layer
	if parts[0].name == "arp" {
		layers = append(layers, in.bareEth(parts))
	}
	for i, pt := range parts {
		l, err := in.bare(pt, parts[i:])
		if err != nil {
			return nil, err
		}
		layers = append(layers, l)
	}
	p, err := in.scope.Pool().Build(layers...)
	if err != nil {
		return nil, err
	}
	home := in.scope.Home()
	p.In, p.Out, p.Time = nil, home, in.scope.Now()
	for _, pt := range slices.Backward(parts) {
		if pt.name == "" {
			continue
		}
		if err := in.setFields(p, in.kindOf(pt.name), pt.fields); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// bare is a layer with what it cannot be built without and what is sensible.
func (in *instance) bare(pt part, rest []part) (packet.Layer, error) {
	get := func(name string) lua.LValue { return pt.fields.RawGetString(name) }
	switch pt.name {
	case "":
		return packet.Payload(pt.bytes), nil
	case "eth":
		return in.bareEth(rest), nil
	case "vlan":
		return packet.VLAN{}, nil
	case "arp":
		return packet.ARP{}, nil
	case "ip", "ip4", "ip6":
		return in.bareIP(pt)
	case "icmp":
		return in.bareICMP(pt)
	case "icmp6":
		return in.bareICMP6(pt)
	case "tcp":
		return packet.TCP{Sport: in.ephemeral(), Seq: in.scope.Rand().Uint32(), Flags: packet.SYN}, nil
	case "udp":
		for _, name := range []string{"sport", "dport"} {
			if get(name) == lua.LNil {
				return nil, fmt.Errorf("udp: %s is not set, and no port is likelier than another: write udp{sport = 4000, dport = 7}", name)
			}
		}
		return packet.UDP{}, nil
	}
	return nil, fmt.Errorf("there is no layer %q", pt.name)
}

// ephemeral draws a port that nobody listens on by custom (RFC 6335 section 6).
func (in *instance) ephemeral() uint16 { return 49152 + uint16(in.scope.Rand().Uint32N(65536-49152)) }

func (in *instance) bareEth(rest []part) packet.Layer {
	e := packet.Eth{}
	if home := in.scope.Home(); home != nil {
		e.Src, e.Dst = home.PeerMAC, home.MAC
	}
	if len(rest) > 0 && (rest[0].name == "arp" || len(rest) > 1 && rest[1].name == "arp") {
		e.Dst = packet.Broadcast
	}
	return e
}

// bareIP settles version and addresses: the source is the device's peer, the
// script's side.
func (in *instance) bareIP(pt part) (packet.Layer, error) {
	var src, dst netip.Addr
	for name, a := range map[string]*netip.Addr{"src": &src, "dst": &dst} {
		if v := pt.fields.RawGetString(name); v != lua.LNil {
			var err error
			if *a, err = in.parseAddr(v); err != nil {
				return nil, fmt.Errorf("%s.%s: %w", pt.name, name, err)
			}
		}
	}
	if !dst.IsValid() {
		return nil, fmt.Errorf("%s: dst is not set: write %s{dst = \"192.0.2.1\"}", pt.name, pt.name)
	}
	want := map[string]bool{"ip4": true, "ip6": false}
	if is4, fixed := want[pt.name]; fixed && dst.Is4() != is4 {
		return nil, fmt.Errorf("%s.dst: %v is of the other version: use ip{}, which takes both", pt.name, dst)
	}
	if !src.IsValid() {
		home := in.scope.Home()
		if src = home.Peer(dst); !src.IsValid() {
			return nil, fmt.Errorf("%s: src is not set, and no device with a peer address of that version is at hand: set src, or peer in the device's configuration", pt.name)
		}
	}
	if dst.Is4() {
		return packet.IPv4{Src: src, Dst: dst}, nil
	}
	return packet.IPv6{Src: src, Dst: dst}, nil
}

// bareICMP has an identifier where the type has one.
func (in *instance) bareICMP(pt part) (packet.Layer, error) {
	l := packet.ICMP{Type: packet.EchoRequest}
	if v := pt.fields.RawGetString("type"); v != lua.LNil {
		n, err := whole(v, 255)
		if err != nil {
			return nil, about("icmp.type", err)
		}
		l.Type = uint8(n)
	}
	if l.Type == packet.EchoRequest {
		l.ID = uint16(in.scope.Rand().Uint32())
	}
	return l, nil
}

// bareICMP6 has the room that target and lladdr need.
func (in *instance) bareICMP6(pt part) (packet.Layer, error) {
	l := packet.ICMPv6{Type: packet.EchoRequest6}
	if v := pt.fields.RawGetString("type"); v != lua.LNil {
		n, err := whole(v, 255)
		if err != nil {
			return nil, about("icmp6.type", err)
		}
		l.Type = uint8(n)
	}
	if l.Type == packet.EchoRequest6 {
		l.ID = uint16(in.scope.Rand().Uint32())
	}
	if v := pt.fields.RawGetString("target"); v != lua.LNil {
		a, err := in.parseAddr(v)
		if err != nil {
			return nil, fmt.Errorf("icmp6.target: %w", err)
		}
		l.Target = a
	}
	if v, ok := pt.fields.RawGetString("lladdr").(lua.LString); ok {
		m, err := packet.ParseMAC(string(v))
		if err != nil {
			return nil, err
		}
		l.LLAddr = m
	}
	return l, nil
}
