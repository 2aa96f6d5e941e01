package luabind

import (
	"fmt"
	"net/netip"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine/packet"
)

// bareLayers are the layers of parts before their fields are set. The innermost IP
// header carries a packet of protocol carries, if that is not 0.
func (in *instance) bareLayers(parts []part, carries uint8) (layers []packet.Layer, err error) {
	if parts[0].name == "arp" {
		layers = append(layers, in.bareEth(parts))
	}
	for i, pt := range parts {
		l, err := in.bare(pt, parts[i:])
		if err != nil {
			return nil, err
		}
		if i == len(parts)-2 && carries != 0 { // directly before the inner packet
			switch ip := l.(type) {
			case packet.IPv4:
				ip.Proto = carries
				l = ip
			case packet.IPv6:
				ip.Proto = carries
				l = ip
			}
		}
		layers = append(layers, l)
	}
	return layers, nil
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
		return bareVLAN(pt)
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

// bareVLAN is a tag with all that hides nothing of what follows.
func bareVLAN(pt part) (packet.Layer, error) {
	l := packet.VLAN{DEI: pt.fields.RawGetString("dei") == lua.LTrue}
	for _, f := range []struct {
		name string
		most uint64
		set  func(v uint64)
	}{
		{"id", 4095, func(v uint64) { l.ID = uint16(v) }},
		{"prio", 7, func(v uint64) { l.Prio = uint8(v) }},
	} {
		if v := pt.fields.RawGetString(f.name); v != lua.LNil {
			n, err := whole(v, f.most)
			if err != nil {
				return nil, about("vlan."+f.name, err)
			}
			f.set(n)
		}
	}
	return l, nil
}

// bareIP settles version and addresses: the source is the device's peer, the
// script's side.
func (in *instance) bareIP(pt part) (packet.Layer, error) {
	var src, dst netip.Addr
	for _, end := range []struct {
		name string
		a    *netip.Addr
	}{{"src", &src}, {"dst", &dst}} {
		if v := pt.fields.RawGetString(end.name); v != lua.LNil {
			var err error
			if *end.a, err = in.parseAddr(v); err != nil {
				return nil, fmt.Errorf("%s.%s: %w", pt.name, end.name, err)
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
