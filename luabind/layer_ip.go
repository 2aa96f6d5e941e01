package luabind

import (
	"errors"
	"fmt"
	"net/netip"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine/packet"
)

// ipLayer is p.ip: the IP header of either version. p.ip4 and p.ip6 are the same
// where the version is theirs, and nil else.
func ipLayer(name, doc string, version uint8) *layer {
	get := func(p *packet.Packet) packet.IPView { v, _ := p.IP(); return v }
	l := &layer{
		name: name, doc: doc,
		has: func(p *packet.Packet) bool {
			v, ok := p.IP()
			return ok && (version == 0 || v.Version() == version)
		},
		span: fromL3,
	}
	l.fields = map[string]*field{
		"version": number(15, "4 or 6",
			func(p *packet.Packet) (uint64, bool) { return uint64(get(p).Version()), true }, nil),
		"src": address("source address",
			func(p *packet.Packet) (netip.Addr, bool) { return get(p).Src(), true },
			func(p *packet.Packet, a netip.Addr) error { return get(p).SetSrc(a) }),
		"dst": address("destination address",
			func(p *packet.Packet) (netip.Addr, bool) { return get(p).Dst(), true },
			func(p *packet.Packet, a netip.Addr) error { return get(p).SetDst(a) }),
		"ttl": number(255, "time to live, or IPv6's hop limit",
			func(p *packet.Packet) (uint64, bool) { return uint64(get(p).TTL()), true },
			func(p *packet.Packet, v uint64) error { get(p).SetTTL(uint8(v)); return nil }),
		"proto": number(255, "protocol of what follows, behind IPv6's extension headers",
			func(p *packet.Packet) (uint64, bool) { return uint64(get(p).Proto()), true },
			func(p *packet.Packet, v uint64) error { get(p).SetProto(uint8(v)); return nil }),
		"tos": number(255, "type of service, or IPv6's traffic class: dscp and ecn",
			func(p *packet.Packet) (uint64, bool) { return uint64(get(p).TOS()), true },
			func(p *packet.Packet, v uint64) error { get(p).SetTOS(uint8(v)); return nil }),
		"dscp": number(63, "differentiated services code point",
			func(p *packet.Packet) (uint64, bool) { return uint64(get(p).DSCP()), true },
			func(p *packet.Packet, v uint64) error { get(p).SetDSCP(uint8(v)); return nil }),
		"ecn": number(3, "congestion field",
			func(p *packet.Packet) (uint64, bool) { return uint64(get(p).ECN()), true },
			func(p *packet.Packet, v uint64) error { get(p).SetECN(uint8(v)); return nil }),
		"id": number(1<<32-1, "identification, 16 bits in IPv4; in IPv6 that of the fragment header, else nil",
			func(p *packet.Packet) (uint64, bool) { v, ok := get(p).ID(); return uint64(v), ok },
			func(p *packet.Packet, v uint64) error { return get(p).SetID(uint32(v)) }),
		"df": truth("nobody may fragment the packet; always true in IPv6",
			func(p *packet.Packet) (v, ok bool) { return get(p).DF(), true },
			func(p *packet.Packet, v bool) error { return get(p).SetDF(v) }),
		"mf": truth("more fragments follow; in IPv6 as the fragment header says, else nil",
			func(p *packet.Packet) (v, ok bool) { return get(p).MF() },
			func(p *packet.Packet, v bool) error { return get(p).SetMF(v) }),
		"frag": number(65528, "fragment offset in bytes; in IPv6 that of the fragment header, else nil",
			func(p *packet.Packet) (uint64, bool) { v, ok := get(p).Frag(); return uint64(v), ok },
			func(p *packet.Packet, v uint64) error { return get(p).SetFrag(int(v)) }),
		"len": number(65575, "length of the whole IP packet in bytes",
			func(p *packet.Packet) (uint64, bool) { return uint64(get(p).Len()), true },
			func(p *packet.Packet, v uint64) error { return get(p).SetLen(int(v)) }),
	}
	l.fields["len"].clear = func(p *packet.Packet) { get(p).ResetLen() }
	l.fields["flowlabel"] = flowLabel()
	l.fields["options"] = optionBytes()
	l.fields["extensions"] = extensions()
	l.fields["checksum"] = headerChecksum(get)
	switch version { // what p.ip says of the wrong version when it comes, p.ip4 and p.ip6 do not have
	case 4:
		l.fields["flowlabel"].set, l.fields["extensions"].set = nil, nil
	case 6:
		l.fields["df"].set, l.fields["options"].set = nil, nil
		l.fields["checksum"].set, l.fields["checksum"].clear = nil, nil
	}
	return l
}

func flowLabel() *field {
	return number(1<<20-1, "flow label; nil in IPv4",
		func(p *packet.Packet) (uint64, bool) { v, ok := p.IPv6(); return uint64(v.FlowLabel()), ok },
		func(p *packet.Packet, v uint64) error {
			ip, ok := p.IPv6()
			if !ok {
				return errors.New("IPv4 has no flow label")
			}
			ip.SetFlowLabel(uint32(v))
			return nil
		})
}

func headerChecksum(get func(*packet.Packet) packet.IPView) *field {
	f := checksum("IPv4 header checksum; nil in IPv6",
		func(p *packet.Packet) (uint64, bool) { v, ok := get(p).Checksum(); return uint64(v), ok },
		func(p *packet.Packet, v uint16) { get(p).SetChecksum(v) },
		func(p *packet.Packet) { get(p).ResetChecksum() })
	set := f.set
	f.set = func(in *instance, p *packet.Packet, v luaValue) error {
		if get(p).Version() == 6 {
			return errors.New("IPv6 has no header checksum")
		}
		return set(in, p, v)
	}
	return f
}

// optionBytes are IPv4's options.
func optionBytes() *field {
	return typed("string", "IPv4 options as bytes, padding included; nil in IPv6",
		func(p *packet.Packet) ([]byte, bool) { v, ok := p.IPv4(); return v.Options(), ok },
		func(_ *instance, b []byte) lua.LValue { return lua.LString(b) },
		func(p *packet.Packet, b []byte) error {
			v, ok := p.IPv4()
			if !ok {
				return errors.New("IPv6 has extension headers instead: set extensions")
			}
			return v.SetOptions(b)
		},
		func(_ *instance, v lua.LValue) ([]byte, error) {
			s, ok := v.(lua.LString)
			if !ok {
				return nil, fmt.Errorf("want a string of bytes, got %s", describe(v))
			}
			return []byte(s), nil
		})
}

// extensions are IPv6's extension headers, a list of {kind, bytes}.
func extensions() *field {
	return typed("any[][]", "IPv6 extension headers, a list of {kind, bytes}; the first byte of each, which says what follows, is written for you; nil in IPv4",
		func(p *packet.Packet) ([]packet.Extension, bool) {
			v, ok := p.IPv6()
			var list []packet.Extension
			for kind, data := range v.Extensions() {
				list = append(list, packet.Extension{Kind: kind, Data: data})
			}
			return list, ok
		},
		func(in *instance, list []packet.Extension) lua.LValue {
			t := in.state.L().CreateTable(len(list), 0)
			for _, e := range list {
				pair := in.state.L().CreateTable(2, 0)
				pair.Append(lua.LNumber(e.Kind))
				pair.Append(lua.LString(e.Data))
				t.Append(pair)
			}
			return t
		},
		func(p *packet.Packet, list []packet.Extension) error {
			v, ok := p.IPv6()
			if !ok {
				return errors.New("IPv4 has options instead: set options")
			}
			return v.SetExtensions(list...)
		}, extensionsOf)
}

func extensionsOf(_ *instance, v lua.LValue) (list []packet.Extension, err error) {
	t, ok := v.(*lua.LTable)
	if !ok {
		return nil, fmt.Errorf("want a list of {kind, bytes}, got %s", describe(v))
	}
	for i := 1; i <= t.Len(); i++ {
		pair, _ := t.RawGetInt(i).(*lua.LTable)
		if pair == nil {
			return nil, fmt.Errorf("%d: want {kind, bytes}, got %s", i, describe(t.RawGetInt(i)))
		}
		kind, err := whole(pair.RawGetInt(1), 255)
		if err != nil {
			return nil, about(fmt.Sprintf("%d: the kind", i), err)
		}
		data, ok := pair.RawGetInt(2).(lua.LString)
		if !ok {
			return nil, fmt.Errorf("%d: want {kind, bytes}, got %s for the bytes", i, describe(pair.RawGetInt(2)))
		}
		list = append(list, packet.Extension{Kind: uint8(kind), Data: []byte(data)})
	}
	return list, nil
}
