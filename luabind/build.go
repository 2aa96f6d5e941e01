package luabind

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine/packet"
)

// A part is one step of ip{...}/tcp{...}/"payload": a layer with its fields, or
// bytes. A packet of parts is built when it is first used, so that a packet in the
// making costs nothing.
type part struct {
	name   string // "" for bytes
	fields *lua.LTable
	bytes  string
}

// builders are the layers that have one, in the order of packet{...}.
var builders = []string{"eth", "vlan", "arp", "ip", "ip4", "ip6", "icmp", "icmp6", "tcp", "udp"}

func builderGlobals() []global {
	var all []global
	for _, l := range headerLayers() {
		all = append(all, global{name: l.name, sig: "{fields} -> packet", doc: "begins a packet with this header, or with / goes on with it: " + l.doc,
			fn: func(in *instance, L *lua.LState) int { return in.build(L, l.name) }})
	}
	return all
}

// build is the function ip, tcp and so on.
func (in *instance) build(L *lua.LState, name string) int {
	in.checkMost(L, 1, name)
	fields, ok := L.Get(1).(*lua.LTable)
	if !ok {
		return in.state.Raise(L, fmt.Errorf("%s: want a table of fields such as %s{}, got %s", name, name, describe(L.Get(1))))
	}
	if err := in.checkNames(name, fields); err != nil {
		return in.state.Raise(L, err)
	}
	return in.pushParts(L, []part{{name: name, fields: in.snapshot(fields, fieldDepth)}})
}

// snapshot copies fields and the tables in them, such as options: what the script
// does with its table later is not in the packet.
func (in *instance) snapshot(fields *lua.LTable, deep int) *lua.LTable {
	c := in.state.L().CreateTable(0, 4)
	fields.ForEach(func(key, v lua.LValue) {
		if t, ok := v.(*lua.LTable); ok && deep > 0 {
			v = in.snapshot(t, deep-1)
		}
		c.RawSet(key, v)
	})
	return c
}

// fieldDepth is how deep tables of fields are: options, sack, its pairs.
const fieldDepth = 3

// checkNames refuses unknown fields where they are written, not where the packet
// is used.
func (in *instance) checkNames(layer string, fields *lua.LTable) (err error) {
	k := in.kindOf(layer)
	fields.ForEach(func(key, _ lua.LValue) {
		name, ok := key.(lua.LString)
		if f := k.members[string(name)].field; ok && f != nil && f.set != nil {
			return
		}
		if err == nil {
			err = k.unknown(key)
		}
	})
	return err
}

func (in *instance) pushParts(L *lua.LState, parts []part) int {
	ref := in.newRef(nil)
	ref.parts = parts
	L.Push(ref.ud)
	return 1
}

// stack is __div: it puts its right side behind its left.
func (in *instance) stack(L *lua.LState) int {
	left, err := in.partsOf(L.Get(1))
	if err != nil {
		return in.state.Raise(L, err)
	}
	right, err := in.partsOf(L.Get(2))
	if err != nil {
		return in.state.Raise(L, err)
	}
	return in.pushParts(L, slices.Concat(left, right))
}

func (in *instance) partsOf(v lua.LValue) ([]part, error) {
	switch v := v.(type) {
	case lua.LString:
		return []part{{bytes: string(v)}}, nil
	case *lua.LUserData:
		if ref, ok := v.Value.(*packetRef); ok {
			if ref.parts != nil {
				return ref.parts, nil
			}
			if ref.p != nil {
				return []part{{bytes: string(ref.p.Bytes())}}, nil
			}
			return nil, ref.gone
		}
	case *lua.LFunction:
		return nil, errors.New("a builder wants its fields: write tcp{} with braces")
	}
	return nil, fmt.Errorf("/ joins layers, packets and strings, not %s", describe(v))
}

// concat is __concat, which nobody means.
func (in *instance) concat(L *lua.LState) int {
	return in.state.Raise(L, errors.New(`a packet cannot be joined with "..": put the payload in parentheses, as in ip{}/udp{}/("a".."b")`))
}

// makePacket is packet{ ip={...}, udp={...}, payload="..." }, packet(s) and
// packet(s, "eth").
func (in *instance) makePacket(L *lua.LState) int {
	switch v := L.Get(1).(type) {
	case lua.LString:
		link := packet.IP
		switch kind := L.Get(2); kind {
		case lua.LNil:
		case lua.LString("eth"):
			link = packet.Ethernet
		default:
			return in.state.Raise(L, fmt.Errorf("packet: the second argument is \"eth\" or nothing, got %s", describe(kind)))
		}
		p, err := packet.Parse([]byte(v), link)
		if err != nil {
			return in.state.Raise(L, err)
		}
		L.Push(in.newRef(p).ud)
		return 1
	case *lua.LTable:
		parts, err := in.partsOfTable(v)
		if err != nil {
			return in.state.Raise(L, err)
		}
		return in.pushParts(L, parts)
	}
	return in.state.Raise(L, fmt.Errorf("packet: want a table of layers or a string of bytes, got %s", describe(L.Get(1))))
}

func (in *instance) partsOfTable(t *lua.LTable) (parts []part, err error) {
	known := map[string]bool{"payload": true}
	for _, name := range builders {
		known[name] = true
		switch fields := t.RawGetString(name).(type) {
		case *lua.LNilType:
		case *lua.LTable:
			if err := in.checkNames(name, fields); err != nil {
				return nil, err
			}
			parts = append(parts, part{name: name, fields: in.snapshot(fields, fieldDepth)})
		default:
			return nil, fmt.Errorf("packet: %s: want a table of fields, got %s", name, describe(fields))
		}
	}
	switch s := t.RawGetString("payload").(type) {
	case *lua.LNilType:
	case lua.LString:
		parts = append(parts, part{bytes: string(s)})
	default:
		return nil, fmt.Errorf("packet: payload: want a string, got %s", describe(s))
	}
	t.ForEach(func(key, _ lua.LValue) {
		if name, ok := key.(lua.LString); err == nil && (!ok || !known[string(name)]) {
			err = fmt.Errorf("packet: there is no layer %s%s", describe(key), didYouMean(string(name), known))
		}
	})
	return parts, err
}

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
		return packet.ICMP{Type: packet.EchoRequest, ID: uint16(in.scope.Rand().Uint32())}, nil
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

// bareICMP6 has the room that target and lladdr need.
func (in *instance) bareICMP6(pt part) (packet.Layer, error) {
	l := packet.ICMPv6{Type: packet.EchoRequest6}
	if v := pt.fields.RawGetString("type"); v != lua.LNil {
		n, err := whole(v, 255)
		if err != nil {
			return nil, fmt.Errorf("icmp6.type %w", err)
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
