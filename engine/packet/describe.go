package packet

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// A header is one header of a packet in the words of the Lua API: what Show prints
// and what Code makes builder text of. There is one function a protocol.
type header struct {
	name   string
	bare   Layer // what a builder makes of it before its fields are set
	fields []attr
}

// An attr is one field of a header.
type attr struct {
	name string
	text string // its value as Lua writes it
	note string // what that means, or what is wrong with it
	own  bool   // the builder comes to it by itself: no part of Code
	// set gives a packet the value, as the builder does; nil where it is part of the
	// bare layer, or another reading of another field.
	set func(q *Packet)
	// get reads a length or checksum of a packet, which is computed; else nil.
	get func(q *Packet) int
}

func (h *header) add(f ...attr) { h.fields = append(h.fields, f...) }

// given is a field of a value that the builder never comes to by itself.
func given(name, text string, set func(q *Packet)) attr {
	return attr{name: name, text: text, set: set}
}

// unless is a field that the builder sets to otherwise by itself.
func unless[T uint8 | uint16 | uint32 | int](name string, v, otherwise T, set func(q *Packet, v T)) attr {
	return attr{name: name, text: strconv.FormatUint(uint64(v), 10), own: v == otherwise, set: func(q *Packet) { set(q, v) }}
}

func (f attr) hex(digits int) attr {
	n, _ := strconv.ParseUint(f.text, 10, 32)
	f.text = fmt.Sprintf("0x%0*x", digits, n)
	return f
}

func (f attr) saying(note string) attr { f.note = note; return f }

// reading is a field that is another reading of other fields: only shown.
func reading(name, text string) attr { return attr{name: name, text: text, own: true} }

// computed is a length or checksum.
func computed(name string, p *Packet, get func(q *Packet) int, set func(q *Packet, v int)) attr {
	v := get(p)
	return attr{name: name, text: strconv.Itoa(v), own: true, get: get, set: func(q *Packet) { set(q, v) }}
}

// checksum is a computed field that is shown as a checksum, with the right one if it
// is wrong; right is -1 where nobody can say.
func checksum(p *Packet, right int, get func(q *Packet) int, set func(q *Packet, v int)) attr {
	f := computed("checksum", p, get, set).hex(4)
	if v := get(p); right >= 0 && v != right {
		f.note = fmt.Sprintf("wrong: 0x%04x is right", right)
	}
	return f
}

// transportRight is the right transport checksum of p, -1 if nobody can say.
func transportRight(p *Packet) int {
	l := p.Layout()
	if l.sumAt() == 0 || l.Fragment() {
		return -1
	}
	return int(l.transportSum(p.frame()))
}

// headers takes p, whose checksums are finished, apart: its headers from the outside
// in, and where what follows the last one begins.
func (p *Packet) headers() (list []header, rest int) {
	l := p.Layout()
	if p.link == Ethernet && p.Len() < ethLen {
		return nil, 0
	}
	inner, rest := p.innerHeaders()
	if p.link == Ethernet {
		list = append(list, p.describeEth(nextOf(inner, l.Tags > 0)))
		for tag := range int(l.Tags) {
			list = append(list, p.describeVLAN(ethLen+tag*vlanLen, nextOf(inner, tag+1 < int(l.Tags))))
		}
	}
	return append(list, inner...), rest
}

// nextOf is the layer that follows Ethernet or a tag.
func nextOf(inner []header, tag bool) Layer {
	switch {
	case tag:
		return VLAN{}
	case len(inner) > 0:
		return inner[0].bare
	}
	return Payload{}
}

func (p *Packet) innerHeaders() (list []header, rest int) {
	l := p.Layout()
	switch {
	case l.arp() && p.get32(l.L3) == 0x00010800:
		return []header{p.describeARP()}, l.L3 + arpLen
	case l.Version == 0:
		return nil, l.L3
	}
	rest = l.Data
	var transport []header
	switch {
	case l.transportIs(ProtoTCP):
		// A data offset that is wrong, or reserved bits, no builder writes.
		if b := p.get8(l.L4 + 12); int(b>>4)*4 == l.Data-l.L4 && b&15 == 0 {
			transport = []header{p.describeTCP()}
		} else {
			rest = l.L4
		}
	case l.transportIs(ProtoUDP):
		transport = []header{p.describeUDP()}
	case l.icmpIs(4):
		transport = []header{p.describeICMP()}
	case l.icmpIs(6):
		transport = []header{p.describeICMPv6()}
		rest += transport[0].bare.(ICMPv6).written()
	}
	next := Layer(Payload{})
	if len(transport) > 0 {
		next = transport[0].bare
	} else if rest == p.Len() {
		next = nil
	}
	if l.Version == 4 {
		return append(list, append([]header{p.describeIPv4(next)}, transport...)...), rest
	}
	return append(list, append([]header{p.describeIPv6(next)}, transport...)...), rest
}

func luaAddr(a netip.Addr) string { return `"` + a.String() + `"` }
func luaMAC(m MAC) string         { return `"` + m.String() + `"` }

// luaBytes is bytes as Lua writes them: as text where most of them are text, else as
// hex"...".
func luaBytes(b []byte) string {
	odd := 0
	for _, c := range b {
		if (c < ' ' || c > '~') && c != '\n' && c != '\t' && c != '\r' {
			odd++
		}
	}
	if odd*8 > len(b) {
		return `hex"` + hex.EncodeToString(b) + `"`
	}
	var s strings.Builder
	s.WriteByte('"')
	for _, c := range b {
		switch {
		case c == '\n':
			s.WriteString(`\n`)
		case c == '\r':
			s.WriteString(`\r`)
		case c == '\t':
			s.WriteString(`\t`)
		case c == '"' || c == '\\':
			s.WriteByte('\\')
			s.WriteByte(c)
		case c < ' ' || c > '~':
			fmt.Fprintf(&s, `\%03d`, c)
		default:
			s.WriteByte(c)
		}
	}
	s.WriteByte('"')
	return s.String()
}
