package packet

import (
	"fmt"
	"strconv"
)

func (p *Packet) describeEth(next Layer) header {
	v, _ := p.Ethernet()
	h := header{name: "eth", bare: Eth{}}
	dst, src := v.Dst(), v.Src()
	h.add(given("dst", luaMAC(dst), func(q *Packet) { EthernetView{q}.SetDst(dst) }),
		given("src", luaMAC(src), func(q *Packet) { EthernetView{q}.SetSrc(src) }),
		unless("type", v.Type(), typeOf(0, next), func(q *Packet, t uint16) { EthernetView{q}.SetType(t) }).hex(4).saying(typeName(v.Type())))
	return h
}

// describeVLAN is the tag at at; a builder makes it whole.
func (p *Packet) describeVLAN(at int, next Layer) header {
	tci, typ := p.get16(at), p.get16(at+2)
	tag := VLAN{ID: tci & 0xfff, Prio: uint8(tci >> 13), DEI: tci&0x1000 != 0, Type: typ}
	h := header{name: "vlan", bare: tag}
	h.add(attr{name: "id", text: strconv.Itoa(int(tag.ID))},
		attr{name: "prio", text: strconv.Itoa(int(tag.Prio)), own: tag.Prio == 0},
		attr{name: "dei", text: strconv.FormatBool(tag.DEI), own: !tag.DEI},
		attr{name: "type", text: fmt.Sprintf("0x%04x", typ), own: typ == typeOf(0, next), note: typeName(typ)})
	return h
}

func (p *Packet) describeARP() header {
	v, _ := p.ARP()
	h := header{name: "arp", bare: ARP{}}
	op := attr{name: "op", text: strconv.Itoa(int(v.Op())), own: v.Op() == ARPRequest, set: func(q *Packet) { ARPView{q}.SetOp(v.Op()) }}
	switch v.Op() {
	case ARPRequest:
		op.text = `"request"`
	case ARPReply:
		op.text = `"reply"`
	}
	sha, spa, tha, tpa := v.SHA(), v.SPA(), v.THA(), v.TPA()
	zero := func(a attr, is bool) attr { a.own = is; return a }
	h.add(op,
		zero(given("sha", luaMAC(sha), func(q *Packet) { ARPView{q}.SetSHA(sha) }), sha == MAC{}),
		zero(given("spa", luaAddr(spa), func(q *Packet) { ARPView{q}.SetSPA(spa) }), spa.IsUnspecified()),
		zero(given("tha", luaMAC(tha), func(q *Packet) { ARPView{q}.SetTHA(tha) }), tha == MAC{}),
		zero(given("tpa", luaAddr(tpa), func(q *Packet) { ARPView{q}.SetTPA(tpa) }), tpa.IsUnspecified()))
	return h
}

func typeName(t uint16) string {
	switch t {
	case TypeIPv4:
		return "IPv4"
	case TypeIPv6:
		return "IPv6"
	case TypeARP:
		return "ARP"
	case TypeVLAN, TypeQinQ:
		return "a VLAN tag"
	}
	return ""
}
