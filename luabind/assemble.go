package luabind

import (
	"fmt"
	"math"
	"net/netip"
	"slices"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine/packet"
)

// assemble builds a packet: first its bare layers, then their fields one by one,
// from the inside out, as a field of an outer layer may hide an inner one. A packet
// within a packet, behind another IP header, is built first and becomes bytes.
func (in *instance) assemble(parts []part) (*packet.Packet, error) { return in.assembleAt(parts, 0) }

// maxNested bounds packets within packets: each is copied into the next.
const maxNested = 8

func (in *instance) assembleAt(parts []part, depth int) (*packet.Packet, error) {
	var carries uint8
	if i := innerAt(parts); i > 0 {
		if depth == maxNested {
			return nil, fmt.Errorf("more than %d packets within each other: give the inner ones as bytes, as in ip{...}/inner:bytes()", maxNested)
		}
		inner, err := in.assembleAt(parts[i:], depth+1)
		if err != nil {
			return nil, err
		}
		carries = protoOfPacket(inner)
		parts = append(parts[:i:i], part{bytes: string(inner.Bytes())})
		in.scope.Pool().Put(inner)
	}
	layers, err := in.bareLayers(parts, carries)
	if err != nil {
		return nil, err
	}
	p, err := in.scope.Pool().Build(layers...)
	if err != nil {
		return nil, err
	}
	p.In, p.Out, p.Time = nil, in.scope.Home(), in.scope.Now()
	for i, pt := range slices.Backward(parts) {
		switch {
		case pt.name == "":
		case pt.name == "vlan" && i > 0 && parts[i-1].name == "vlan":
			err = setInnerType(p, pt)
		default:
			err = in.setPart(p, pt)
		}
		if err != nil {
			return nil, err
		}
	}
	return p, nil
}

// setInnerType sets what an inner tag says about what follows. The rest of it is built
// as it is: p.vlan is the outer tag.
func setInnerType(p *packet.Packet, pt part) error {
	v := pt.fields.RawGetString("type")
	if v == lua.LNil {
		return nil
	}
	n, err := whole(v, math.MaxUint16)
	if err != nil {
		return about("vlan.type", err)
	}
	return p.SetUint16(14+4+2, uint16(n)) // Ethernet, the outer tag, the inner one's first half
}

// innerAt is where in parts a packet within the packet begins, 0 if there is none.
func innerAt(parts []part) int {
	ip := false
	for i, pt := range parts {
		switch pt.name {
		case "ip", "ip4", "ip6":
			if ip {
				return i
			}
			ip = true
		case "eth":
			if ip {
				return i
			}
		}
	}
	return 0
}

// protoOfPacket is the protocol number under which IP carries p (RFC 2003, RFC 2473,
// RFC 8986 for Ethernet).
func protoOfPacket(p *packet.Packet) uint8 {
	switch ip, _ := p.IP(); {
	case p.Link() == packet.Ethernet:
		return 143
	case ip.Version() == 4:
		return 4
	}
	return 41
}

// setPart sets the fields of a part. Over IPv6 a fragment offset, or more fragments
// to come, want a header of their own.
func (in *instance) setPart(p *packet.Packet, pt part) error {
	k := in.kindOf(pt.name)
	if ip, ok := p.IPv6(); ok && (pt.name == "ip" || pt.name == "ip6") &&
		(pt.fields.RawGetString("frag") != lua.LNil || pt.fields.RawGetString("mf") != lua.LNil) {
		list, err := in.fragmentHeader(pt.fields.RawGetString("extensions"))
		if err == nil {
			err = ip.SetExtensions(list...)
		}
		if err != nil {
			return about(pt.name+".extensions", err)
		}
		fields := in.snapshot(pt.fields, 0)
		fields.RawSetString("extensions", lua.LNil)
		return in.setFields(p, k, fields)
	}
	return in.setFields(p, k, pt.fields)
}

// fragmentHeader is the extensions that a script gave, with a fragment header behind
// them if they have none.
func (in *instance) fragmentHeader(given lua.LValue) (list []packet.Extension, err error) {
	if given != lua.LNil {
		if list, err = extensionsOf(in, given); err != nil {
			return nil, err
		}
	}
	for _, e := range list {
		if e.Kind == packet.ProtoFragment {
			return list, nil
		}
	}
	return append(list, packet.Extension{Kind: packet.ProtoFragment, Data: make([]byte, 8)}), nil
}

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
