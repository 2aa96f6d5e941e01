package packet

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
)

// Code is the text of the Lua API that makes the same bytes, as in
//
//	ip{src="192.0.2.1", dst="192.0.2.2", id=7}/udp{sport=4000, dport=7}/"hello"
//
// What a builder computes, or comes to by itself, is left out, and what differs from
// it is given: a wrong checksum, a length, options. Where no builder makes the bytes
// the text is packet(hex"..."). An empty packet is nil.
func (p *Packet) Code() string {
	if p.Len() == 0 {
		return "nil -- " + p.String()
	}
	src := Packet{buf: p.Append(nil), end: p.Len(), link: p.link}
	if text, ok := src.builder(); ok {
		return text
	}
	if p.link == Ethernet {
		return "packet(" + luaHex(src.buf) + `, "eth")`
	}
	return "packet(" + luaHex(src.buf) + ")"
}

// builder is builder text, if there is one. It is proved by building the packet: the
// first time without the lengths and checksums, the next times with those that came
// out otherwise.
func (p *Packet) builder() (string, bool) {
	list, rest := p.headers()
	if len(list) == 0 || p.unwritable() {
		return "", false
	}
	tail := p.buf[rest:]
	if m, ok := list[len(list)-1].bare.(ICMPv6); len(tail) > 0 || ok && m.room() > m.written() {
		list = append(list, header{name: "", bare: Payload(tail)})
	}
	for range 3 {
		q, err := construct(list)
		if err != nil {
			return "", false
		}
		if bytes.Equal(q.Bytes(), p.buf) {
			return builderText(list), true
		}
		if !p.correct(list, q, "len") && !p.correct(list, q, "checksum") {
			break
		}
	}
	return "", false
}

// unwritable reports an address that scripts cannot write: IPv4 within IPv6 is on no
// wire, but in captures.
func (p *Packet) unwritable() bool { return p.src().Is4In6() || p.dst().Is4In6() }

// construct does what a builder of Lua does: bare layers, then their fields from the
// inside out.
func construct(list []header) (*Packet, error) {
	var layers []Layer
	for _, h := range list {
		layers = append(layers, h.bare)
	}
	q, err := Build(layers...)
	if err != nil {
		return nil, err
	}
	for _, h := range slices.Backward(list) {
		for _, f := range inOrder(h.fields) {
			if f.set != nil && !f.own {
				f.set(q)
			}
		}
	}
	return q, nil
}

// inOrder is the order in which fields of a table are set: what decides about
// others first, what is computed last.
func inOrder(fields []attr) []attr {
	step := func(f attr) int {
		switch {
		case f.name == "type" || f.name == "op" || f.name == "extensions":
			return 0
		case f.name == "len":
			return 2
		case f.name == "checksum":
			return 3
		}
		return 1
	}
	fields = slices.Clone(fields)
	slices.SortStableFunc(fields, func(a, b attr) int {
		return cmp.Or(cmp.Compare(step(a), step(b)), cmp.Compare(a.name, b.name))
	})
	return fields
}

// correct gives the lengths, or checksums, that came out otherwise in q, and reports
// whether there were any that were not given yet.
func (p *Packet) correct(list []header, q *Packet, name string) (any bool) {
	for i := range list {
		for j := range list[i].fields {
			f := &list[i].fields[j]
			if f.get != nil && f.own && f.name == name && f.get(q) != f.get(p) {
				f.own, any = false, true
			}
		}
	}
	return any
}

func builderText(list []header) string {
	var parts []string
	for _, h := range list {
		if payload, ok := h.bare.(Payload); ok {
			parts = append(parts, luaBytes(payload))
			continue
		}
		var fields []string
		for _, f := range h.fields {
			if !f.own {
				fields = append(fields, f.name+"="+f.text)
			}
		}
		parts = append(parts, h.name+"{"+strings.Join(fields, ", ")+"}")
	}
	return strings.Join(parts, "/")
}
