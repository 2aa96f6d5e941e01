package luabind

import (
	"fmt"
	"math"

	lua "github.com/yuin/gopher-lua"

	"github.com/tunscript/tunscript/engine/packet"
)

// tcpLayer is p.tcp.
func tcpLayer() *layer {
	get := func(p *packet.Packet) packet.TCPView { v, _ := p.TCP(); return v }
	return &layer{
		name: "tcp", doc: "TCP (RFC 9293)",
		has:  func(p *packet.Packet) bool { _, ok := p.TCP(); return ok },
		span: fromL4,
		fields: portFields(get, "TCP checksum", map[string]*field{
			"seq": number(math.MaxUint32, "sequence number, taken modulo 2^32",
				func(p *packet.Packet) (uint64, bool) { return uint64(get(p).Seq()), true },
				func(p *packet.Packet, v uint64) error { get(p).SetSeq(uint32(v)); return nil }),
			"ack": number(math.MaxUint32, "acknowledgement number, taken modulo 2^32",
				func(p *packet.Packet) (uint64, bool) { return uint64(get(p).Ack()), true },
				func(p *packet.Packet, v uint64) error { get(p).SetAck(uint32(v)); return nil }),
			"flags": tcpFlags(get),
			"window": number(math.MaxUint16, "window, not scaled",
				func(p *packet.Packet) (uint64, bool) { return uint64(get(p).Window()), true },
				func(p *packet.Packet, v uint64) error { get(p).SetWindow(uint16(v)); return nil }),
			"urgent": number(math.MaxUint16, "urgent pointer",
				func(p *packet.Packet) (uint64, bool) { return uint64(get(p).Urgent()), true },
				func(p *packet.Packet, v uint64) error { get(p).SetUrgent(uint16(v)); return nil }),
			"options": {
				typ: "tcp.options", doc: "the options, live; a table replaces all, a string sets the bytes",
				set: setTCPOptions,
			},
		}),
		methods: map[string]*method{
			"has": {sig: "(flags: flags): boolean", doc: "whether all these flags are set",
				fn: func(in *instance, L *lua.LState, p *packet.Packet) int {
					L.Push(lua.LBool(get(p).Flags().Has(in.checkFlags(L, 2))))
					return 1
				}},
			"is": {sig: "(flags: flags): boolean", doc: "whether exactly these flags are set",
				fn: func(in *instance, L *lua.LState, p *packet.Packet) int {
					L.Push(lua.LBool(get(p).Flags() == in.checkFlags(L, 2)))
					return 1
				}},
		},
	}
}

// tcpFlags is a string of the letters FSRPAUEC.
func tcpFlags(get func(*packet.Packet) packet.TCPView) *field {
	return &field{
		typ: "flags", doc: "flags; read in this order, set from any",
		get: func(in *instance, p *packet.Packet) lua.LValue {
			return in.flagTexts.of(get(p).Flags(), packet.Flags.String)
		},
		set: func(in *instance, p *packet.Packet, v lua.LValue) error {
			f, err := flagsOf(v)
			if err == nil {
				get(p).SetFlags(f)
			}
			return err
		},
	}
}

func flagsOf(v lua.LValue) (packet.Flags, error) {
	s, ok := v.(lua.LString)
	if !ok {
		return 0, fmt.Errorf("want flags such as \"SA\", got %s", describe(v))
	}
	return packet.ParseFlags(string(s))
}

func (in *instance) checkFlags(L *lua.LState, n int) packet.Flags {
	f, err := flagsOf(L.Get(n))
	if err != nil {
		in.state.Raise(L, about("flags", err))
	}
	return f
}

// optionsLayer is p.tcp.options.
func optionsLayer() *layer {
	get := func(p *packet.Packet) packet.TCPOptions { v, _ := p.TCP(); return v.Options() }
	remove := func(kind uint8) func(p *packet.Packet) {
		return func(p *packet.Packet) { get(p).Remove(kind) }
	}
	l := &layer{
		name: "options", doc: "TCP options by name, or by number as bytes; nil removes one",
		has: func(p *packet.Packet) bool { _, ok := p.TCP(); return ok },
		fields: map[string]*field{
			"mss": number(math.MaxUint16, "maximum segment size",
				func(p *packet.Packet) (uint64, bool) { v, ok := get(p).MSS(); return uint64(v), ok },
				func(p *packet.Packet, v uint64) error { return get(p).SetMSS(uint16(v)) }),
			"wscale": number(255, "window scale, as a shift",
				func(p *packet.Packet) (uint64, bool) { v, ok := get(p).WScale(); return uint64(v), ok },
				func(p *packet.Packet, v uint64) error { return get(p).SetWScale(uint8(v)) }),
			"sack_permitted": truth("selective acknowledgements may be sent",
				func(p *packet.Packet) (v, ok bool) { return true, get(p).SackPermitted() },
				func(p *packet.Packet, v bool) error { return get(p).SetSackPermitted(v) }),
			"sack":       {typ: "integer[][]", doc: "selective acknowledgements, a list of {left, right}", get: getSack, set: setSack},
			"timestamps": {typ: "integer[]", doc: "timestamps, {value, echo} (RFC 7323)", get: getTimestamps, set: setTimestamps},
		},
	}
	l.fields["mss"].clear = remove(packet.OptMSS)
	l.fields["wscale"].clear = remove(packet.OptWScale)
	l.fields["sack_permitted"].clear = remove(packet.OptSackPermitted)
	l.fields["sack"].clear = remove(packet.OptSack)
	l.fields["timestamps"].clear = remove(packet.OptTimestamps)
	return l
}

func getSack(in *instance, p *packet.Packet) lua.LValue {
	v, _ := p.TCP()
	blocks, n, ok := v.Options().Sack()
	if !ok {
		return lua.LNil
	}
	list := in.state.L().CreateTable(n, 0)
	for _, b := range blocks[:n] {
		list.Append(in.pair(b.Left, b.Right))
	}
	return list
}

func setSack(in *instance, p *packet.Packet, v lua.LValue) error {
	list, ok := v.(*lua.LTable)
	if !ok {
		return fmt.Errorf("want a list of {left, right}, got %s", describe(v))
	}
	var blocks []packet.SackBlock
	for i := 1; i <= list.Len(); i++ {
		left, right, err := pairOf(list.RawGetInt(i), "{left, right}")
		if err != nil {
			return err
		}
		blocks = append(blocks, packet.SackBlock{Left: left, Right: right})
	}
	tcp, _ := p.TCP()
	return tcp.Options().SetSack(blocks...)
}

func getTimestamps(in *instance, p *packet.Packet) lua.LValue {
	v, _ := p.TCP()
	val, ecr, ok := v.Options().Timestamps()
	if !ok {
		return lua.LNil
	}
	return in.pair(val, ecr)
}

func setTimestamps(in *instance, p *packet.Packet, v lua.LValue) error {
	val, ecr, err := pairOf(v, "{value, echo}")
	if err != nil {
		return err
	}
	tcp, _ := p.TCP()
	return tcp.Options().SetTimestamps(val, ecr)
}

func (in *instance) pair(a, b uint32) *lua.LTable {
	t := in.state.L().CreateTable(2, 0)
	t.Append(lua.LNumber(a))
	t.Append(lua.LNumber(b))
	return t
}

func pairOf(v lua.LValue, shape string) (a, b uint32, err error) {
	t, ok := v.(*lua.LTable)
	if !ok || t.Len() != 2 {
		return 0, 0, fmt.Errorf("want %s, got %s", shape, describe(v))
	}
	x, err := whole(t.RawGetInt(1), math.MaxUint32)
	if err != nil {
		return 0, 0, err
	}
	y, err := whole(t.RawGetInt(2), math.MaxUint32)
	return uint32(x), uint32(y), err
}

// setTCPOptions is p.tcp.options = v: a string is the bytes, a table all options.
func setTCPOptions(in *instance, p *packet.Packet, v lua.LValue) error {
	tcp, _ := p.TCP()
	switch v := v.(type) {
	case lua.LString:
		return tcp.Options().SetBytes([]byte(v))
	case *lua.LTable:
		tcp.Options().Clear()
		return in.setFields(p, in.kinds.options, v)
	}
	return fmt.Errorf("want a table such as {mss = 1460} or a string of bytes, got %s", describe(v))
}

// rawOption reads or, with a value, sets the option of a kind given by number.
func (in *instance) rawOption(p *packet.Packet, kind lua.LNumber, v lua.LValue) (lua.LValue, error) {
	n, err := whole(kind, 255)
	if err != nil || n < 2 {
		return nil, fmt.Errorf("tcp.options: kind %v: want 2..255", float64(kind))
	}
	tcp, _ := p.TCP()
	switch v := v.(type) {
	case nil:
		data, ok := tcp.Options().Get(uint8(n))
		if !ok {
			return lua.LNil, nil
		}
		return lua.LString(data), nil
	case *lua.LNilType:
		tcp.Options().Remove(uint8(n))
		return nil, nil
	case lua.LString:
		return nil, tcp.Options().Set(uint8(n), []byte(v))
	}
	return nil, fmt.Errorf("tcp.options: kind %d: want a string of bytes, got %s", n, describe(v))
}
