package luabind

import (
	"fmt"
	"math"
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
	in.made(p.Len())
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
