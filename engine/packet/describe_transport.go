package packet

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

func (p *Packet) describeTCP() header {
	v, _ := p.TCP()
	h := header{name: "tcp", bare: TCP{Flags: SYN}}
	f, raw := v.Flags(), append([]byte(nil), v.Options().Bytes()...)
	options := attr{name: "options", text: luaOptions(raw), own: len(raw) == 0, set: func(q *Packet) { TCPView{q}.Options().SetBytes(raw) }}
	if strings.HasPrefix(options.text, "hex") {
		options.note = string(v.Options().appendTo(nil))
	}
	h.add(given("sport", num16(v.Sport()), func(q *Packet) { TCPView{q}.SetSport(v.Sport()) }),
		given("dport", num16(v.Dport()), func(q *Packet) { TCPView{q}.SetDport(v.Dport()) }),
		given("seq", strconv.FormatUint(uint64(v.Seq()), 10), func(q *Packet) { TCPView{q}.SetSeq(v.Seq()) }),
		unless("ack", v.Ack(), 0, func(q *Packet, n uint32) { TCPView{q}.SetAck(n) }),
		given("flags", `"`+f.String()+`"`, func(q *Packet) { TCPView{q}.SetFlags(f) }),
		unless("window", v.Window(), 65535, func(q *Packet, n uint16) { TCPView{q}.SetWindow(n) }),
		unless("urgent", v.Urgent(), 0, func(q *Packet, n uint16) { TCPView{q}.SetUrgent(n) }),
		options, p.transportSum(func(q *Packet) (sums, bool) { return q.TCP() }))
	return h
}

// sums is a header with a transport checksum.
type sums interface {
	Checksum() uint16
	SetChecksum(sum uint16)
}

func (p *Packet) transportSum(of func(q *Packet) (sums, bool)) attr {
	f := checksum(p, transportRight(p),
		func(q *Packet) int { v, _ := of(q); return int(v.Checksum()) },
		func(q *Packet, n int) { v, _ := of(q); v.SetChecksum(uint16(n)) })
	if _, ok := p.UDP(); ok && f.text == "0x0000" {
		f.note = "none"
	}
	return f
}

func (p *Packet) describeUDP() header {
	v, _ := p.UDP()
	h := header{name: "udp", bare: UDP{}}
	length := computed("len", p, func(q *Packet) int { return UDPView{q}.Len() }, func(q *Packet, n int) { UDPView{q}.SetLen(n) })
	if l := p.Layout(); v.Len() != l.End-l.L4 && !l.Fragment() {
		length.note = fmt.Sprintf("wrong: there are %d bytes", l.End-l.L4)
	}
	h.add(given("sport", num16(v.Sport()), func(q *Packet) { UDPView{q}.SetSport(v.Sport()) }),
		given("dport", num16(v.Dport()), func(q *Packet) { UDPView{q}.SetDport(v.Dport()) }),
		length, p.transportSum(func(q *Packet) (sums, bool) { return q.UDP() }))
	return h
}

func (p *Packet) describeICMP() header {
	v, _ := p.ICMP()
	h := header{name: "icmp", bare: ICMP{Type: v.Type()}}
	h.add(unless("type", v.Type(), EchoRequest, func(q *Packet, n uint8) { ICMPView{q}.SetType(n) }).saying(icmpName(v.Type())),
		unless("code", v.Code(), 0, func(q *Packet, n uint8) { ICMPView{q}.SetCode(n) }))
	switch {
	case v.Type() == Redirect:
		gateway := v.Gateway()
		h.add(given("gateway", luaAddr(gateway), func(q *Packet) { ICMPView{q}.SetGateway(gateway) }))
	case v.Type() == DestUnreach && v.Code() == 4 && v.ID() == 0:
		h.add(unless("mtu", v.MTU(), 0, func(q *Packet, n uint16) { ICMPView{q}.SetMTU(n) }))
	default:
		h.echo(v.ID(), v.Seq(), v.Type() == EchoRequest, func(q *Packet) message { return ICMPView{q} })
	}
	h.add(p.transportSum(func(q *Packet) (sums, bool) { return q.ICMP() }))
	return h
}

type message interface {
	SetID(id uint16)
	SetSeq(seq uint16)
}

// echo is an identifier, which a builder draws for a request, and a number.
func (h *header) echo(id, seq uint16, drawn bool, of func(q *Packet) message) {
	f := unless("id", id, 0, func(q *Packet, n uint16) { of(q).SetID(n) })
	f.own = f.own && !drawn
	h.add(f, unless("seq", seq, 0, func(q *Packet, n uint16) { of(q).SetSeq(n) }))
}

func (p *Packet) describeICMPv6() header {
	v, _ := p.ICMPv6()
	bare := ICMPv6{Type: v.Type()}
	if a, ok := v.Target(); ok && v.Type() != Redirect6 {
		bare.Target = a
		// Only an option that stands first is one that the builder writes.
		if off, _, _ := v.llAddr(); off == p.Layout().L4+24 {
			bare.LLAddr, _ = v.LLAddr()
		}
	}
	h := header{name: "icmp6", bare: bare}
	h.add(unless("type", v.Type(), EchoRequest6, func(q *Packet, n uint8) { ICMPv6View{q}.SetType(n) }).saying(icmp6Name(v.Type())),
		unless("code", v.Code(), 0, func(q *Packet, n uint8) { ICMPv6View{q}.SetCode(n) }))
	if v.Type() == PacketTooBig {
		h.add(unless("mtu", v.MTU(), 0, func(q *Packet, n uint32) { ICMPv6View{q}.SetMTU(n) }))
	} else {
		h.echo(v.ID(), v.Seq(), v.Type() == EchoRequest6, func(q *Packet) message { return ICMPv6View{q} })
	}
	if bare.Target.IsValid() {
		h.add(attr{name: "target", text: luaAddr(bare.Target)})
	} else if a, ok := v.Target(); ok {
		h.add(reading("target", luaAddr(a)))
	}
	if bare.LLAddr != (MAC{}) {
		h.add(attr{name: "lladdr", text: luaMAC(bare.LLAddr)})
	} else if m, ok := v.LLAddr(); ok {
		h.add(reading("lladdr", luaMAC(m)))
	}
	h.add(p.transportSum(func(q *Packet) (sums, bool) { return q.ICMPv6() }))
	return h
}

func (l ICMPv6) isND() bool { return l.Type >= RouterSolicit && l.Type <= Redirect6 }

// written is how many bytes behind the first eight the builder writes.
func (l ICMPv6) written() int {
	if l.Target.IsValid() || l.LLAddr != (MAC{}) {
		return l.room()
	}
	return 0
}

func num16(v uint16) string        { return strconv.Itoa(int(v)) }
func luaHex(b []byte) string       { return `hex"` + hex.EncodeToString(b) + `"` }
func pair(a, b uint32) string      { return fmt.Sprintf("{%d, %d}", a, b) }
func be32(b []byte) (v uint32)     { return binary.BigEndian.Uint32(b) }
func known(kind uint8, n int) bool { return optionRank(kind, n) < 256 }
func optionRank(kind uint8, n int) int {
	switch {
	case kind == OptMSS && n == 4:
		return 0
	case kind == OptSackPermitted && n == 2:
		return 1
	case kind == OptTimestamps && n == 10:
		return 2
	case kind == OptWScale && n == 3:
		return 3
	case kind == OptSack && n%8 == 2:
		return 4
	}
	return 256 + int(kind)
}

// luaOptions is a table, if a builder makes the same bytes of one: each kind once,
// in its order, without NOPs and with no more padding than is needed. Else it is
// the bytes.
func luaOptions(raw []byte) string {
	var text []string
	var ranks []int
	rest := raw
	for len(rest) > 0 && rest[0] != OptEnd {
		n := optLen(rest)
		if n < 2 {
			return luaHex(raw)
		}
		text, ranks = append(text, luaOption(rest[:n])), append(ranks, optionRank(rest[0], n))
		rest = rest[n:]
	}
	ordered := slices.IsSortedFunc(ranks, func(a, b int) int { return cmp.Compare(a, b) })
	if !ordered || len(slices.Compact(ranks)) != len(text) || len(rest) > 3 || !bytes.Equal(rest, make([]byte, len(rest))) {
		return luaHex(raw)
	}
	return "{" + strings.Join(text, ", ") + "}"
}

func luaOption(o []byte) string {
	d := o[2:]
	if !known(o[0], len(o)) {
		return fmt.Sprintf("[%d]=%s", o[0], luaHex(d))
	}
	switch o[0] {
	case OptMSS:
		return fmt.Sprintf("mss=%d", binary.BigEndian.Uint16(d))
	case OptSackPermitted:
		return "sack_permitted=true"
	case OptTimestamps:
		return "timestamps=" + pair(be32(d), be32(d[4:]))
	case OptWScale:
		return fmt.Sprintf("wscale=%d", d[0])
	}
	var blocks []string
	for ; len(d) >= 8; d = d[8:] {
		blocks = append(blocks, pair(be32(d), be32(d[4:])))
	}
	return "sack={" + strings.Join(blocks, ", ") + "}"
}

func icmpName(typ uint8) string {
	switch typ {
	case EchoReply:
		return "echo reply"
	case DestUnreach:
		return "destination unreachable"
	case Redirect:
		return "redirect"
	case EchoRequest:
		return "echo request"
	case TimeExceeded:
		return "time exceeded"
	case ParamProblem:
		return "parameter problem"
	}
	return ""
}

func icmp6Name(typ uint8) string {
	switch typ {
	case DestUnreach6:
		return "destination unreachable"
	case PacketTooBig:
		return "packet too big"
	case TimeExceeded6:
		return "time exceeded"
	case ParamProblem6:
		return "parameter problem"
	case EchoRequest6:
		return "echo request"
	case EchoReply6:
		return "echo reply"
	case RouterSolicit:
		return "router solicitation"
	case RouterAdvert:
		return "router advertisement"
	case NeighborSolicit:
		return "neighbor solicitation"
	case NeighborAdvert:
		return "neighbor advertisement"
	case Redirect6:
		return "redirect"
	}
	return ""
}
