package luabind

import (
	"fmt"
	"math"
	"net/netip"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine/packet"
)

// ethLayer is p.eth.
func ethLayer() *layer {
	get := func(p *packet.Packet) packet.EthernetView { v, _ := p.Ethernet(); return v }
	return &layer{
		name: "eth", doc: "Ethernet header; nil on TUN",
		has:  func(p *packet.Packet) bool { _, ok := p.Ethernet(); return ok },
		span: wholeFrame,
		fields: map[string]*field{
			"src": mac("sender",
				func(p *packet.Packet) (packet.MAC, bool) { return get(p).Src(), true },
				func(p *packet.Packet, m packet.MAC) error { get(p).SetSrc(m); return nil }),
			"dst": mac("receiver",
				func(p *packet.Packet) (packet.MAC, bool) { return get(p).Dst(), true },
				func(p *packet.Packet, m packet.MAC) error { get(p).SetDst(m); return nil }),
			"type": number(math.MaxUint16, "ethertype of what follows the addresses",
				func(p *packet.Packet) (uint64, bool) { return uint64(get(p).Type()), true },
				func(p *packet.Packet, v uint64) error { get(p).SetType(uint16(v)); return nil }),
		},
	}
}

// vlanLayer is p.vlan, the outermost tag.
func vlanLayer() *layer {
	get := func(p *packet.Packet) packet.VLANView { v, _ := p.VLAN(); return v }
	return &layer{
		name: "vlan", doc: "outermost VLAN tag (IEEE 802.1Q)",
		has:  func(p *packet.Packet) bool { _, ok := p.VLAN(); return ok },
		span: fromTag,
		fields: map[string]*field{
			"id": number(4095, "VLAN number",
				func(p *packet.Packet) (uint64, bool) { return uint64(get(p).ID()), true },
				func(p *packet.Packet, v uint64) error { get(p).SetID(uint16(v)); return nil }),
			"prio": number(7, "priority",
				func(p *packet.Packet) (uint64, bool) { return uint64(get(p).Prio()), true },
				func(p *packet.Packet, v uint64) error { get(p).SetPrio(uint8(v)); return nil }),
			"dei": truth("drop eligible indicator",
				func(p *packet.Packet) (v, ok bool) { return get(p).DEI(), true },
				func(p *packet.Packet, v bool) error { get(p).SetDEI(v); return nil }),
			"type": number(math.MaxUint16, "ethertype of what follows the tag",
				func(p *packet.Packet) (uint64, bool) { return uint64(get(p).Type()), true },
				func(p *packet.Packet, v uint64) error { get(p).SetType(uint16(v)); return nil }),
		},
		assign: assignVLAN,
	}
}

// assignVLAN is p.vlan = nil, which takes the outermost tag off, and p.vlan =
// { id = 5 }, which sets its fields and pushes it where there is none.
func assignVLAN(in *instance, p *packet.Packet, k *kind, v lua.LValue) error {
	switch v := v.(type) {
	case *lua.LNilType:
		p.PopVLAN()
		return nil
	case *lua.LTable:
		if err := in.checkNames("vlan", v); err != nil {
			return err
		}
		pushed := !k.has(p)
		if pushed {
			if err := p.PushVLAN(0, 0); err != nil {
				return about("vlan", err)
			}
		}
		err := in.setFields(p, k, v)
		if err != nil && pushed {
			p.PopVLAN()
		}
		return err
	}
	return fmt.Errorf("vlan: want a table such as {id = 5}, or nil to take the tag off, got %s", describe(v))
}

// arpLayer is p.arp.
func arpLayer() *layer {
	get := func(p *packet.Packet) packet.ARPView { v, _ := p.ARP(); return v }
	return &layer{
		name: "arp", doc: "ARP for IPv4 over Ethernet (RFC 826)",
		has:  func(p *packet.Packet) bool { _, ok := p.ARP(); return ok },
		span: fromL3,
		fields: map[string]*field{
			"op": arpOp(get),
			"sha": mac("sender's Ethernet address",
				func(p *packet.Packet) (packet.MAC, bool) { return get(p).SHA(), true },
				func(p *packet.Packet, m packet.MAC) error { get(p).SetSHA(m); return nil }),
			"spa": address("sender's IP address",
				func(p *packet.Packet) (netip.Addr, bool) { return get(p).SPA(), true },
				func(p *packet.Packet, a netip.Addr) error { return get(p).SetSPA(a) }),
			"tha": mac("target's Ethernet address",
				func(p *packet.Packet) (packet.MAC, bool) { return get(p).THA(), true },
				func(p *packet.Packet, m packet.MAC) error { get(p).SetTHA(m); return nil }),
			"tpa": address("target's IP address",
				func(p *packet.Packet) (netip.Addr, bool) { return get(p).TPA(), true },
				func(p *packet.Packet, a netip.Addr) error { return get(p).SetTPA(a) }),
		},
	}
}

// arpOp is "request" and "reply" in words, other operations as numbers.
func arpOp(get func(*packet.Packet) packet.ARPView) *field {
	return &field{
		typ: `integer|"request"|"reply"`, doc: "operation",
		get: func(in *instance, p *packet.Packet) lua.LValue {
			switch op := get(p).Op(); op {
			case packet.ARPRequest:
				return luaRequest
			case packet.ARPReply:
				return luaReply
			default:
				return in.number(float64(op))
			}
		},
		set: func(in *instance, p *packet.Packet, v lua.LValue) error {
			op, err := arpOpOf(v)
			if err == nil {
				get(p).SetOp(op)
			}
			return err
		},
	}
}

var (
	luaRequest lua.LValue = lua.LString("request")
	luaReply   lua.LValue = lua.LString("reply")
)

func arpOpOf(v lua.LValue) (uint16, error) {
	switch v {
	case luaRequest:
		return packet.ARPRequest, nil
	case luaReply:
		return packet.ARPReply, nil
	}
	if word, ok := v.(lua.LString); ok {
		return 0, fmt.Errorf("is %q, want \"request\", \"reply\" or a number%s", string(word),
			didYouMean(string(word), map[string]bool{"request": true, "reply": true}))
	}
	n, err := whole(v, math.MaxUint16)
	return uint16(n), err
}
