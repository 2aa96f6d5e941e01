package packet

import (
	"fmt"
	"strconv"
	"strings"
)

func (p *Packet) describeIPv4(next Layer) header {
	v, _ := p.IPv4()
	h := header{name: "ip", bare: IPv4{Src: v.Src(), Dst: v.Dst()}}
	h.add(reading("version", "4"))
	h.ends(v.Src().String(), v.Dst().String())
	h.add(unless("ttl", v.TTL(), 64, func(q *Packet, n uint8) { IPView{q}.SetTTL(n) }),
		unless("proto", v.Proto(), protoBefore(next), func(q *Packet, n uint8) { IPView{q}.SetProto(n) }).saying(protoName(v.Proto(), 4)))
	h.tos(IPView(v))
	options := append([]byte(nil), v.Options()...)
	h.add(given("id", strconv.Itoa(int(v.ID())), func(q *Packet) { IPv4View{q}.SetID(v.ID()) }),
		flag("df", v.DF(), func(q *Packet) { IPv4View{q}.SetDF(true) }),
		flag("mf", v.MF(), func(q *Packet) { IPv4View{q}.SetMF(true) }),
		unless("frag", v.Frag(), 0, func(q *Packet, n int) { IPView{q}.SetFrag(n) }),
		attr{name: "options", text: luaBytes(options), own: len(options) == 0, set: func(q *Packet) { IPv4View{q}.SetOptions(options) }},
		h.length(p),
		checksum(p, int(p.Layout().headerSum(p.frame())), func(q *Packet) int { return int(IPv4View{q}.Checksum()) },
			func(q *Packet, n int) { IPv4View{q}.SetChecksum(uint16(n)) }))
	return h
}

func (p *Packet) describeIPv6(next Layer) header {
	v, _ := p.IPv6()
	h := header{name: "ip", bare: IPv6{Src: v.Src(), Dst: v.Dst()}}
	h.add(reading("version", "6"))
	h.ends(v.Src().String(), v.Dst().String())
	ttl := uint8(64)
	if m, ok := next.(ICMPv6); ok && m.isND() {
		ttl = 255
	}
	h.add(unless("ttl", v.TTL(), ttl, func(q *Packet, n uint8) { IPView{q}.SetTTL(n) }),
		unless("proto", v.Proto(), protoBefore(next), func(q *Packet, n uint8) { IPView{q}.SetProto(n) }).saying(protoName(v.Proto(), 6)))
	h.tos(IPView(v))
	h.add(unless("flowlabel", v.FlowLabel(), 0, func(q *Packet, n uint32) { IPv6View{q}.SetFlowLabel(n) }).hex(5))
	h.extensions(v)
	h.add(h.length(p))
	return h
}

// ends are the addresses, which the bare layer has.
func (h *header) ends(src, dst string) {
	h.add(attr{name: "src", text: `"` + src + `"`}, attr{name: "dst", text: `"` + dst + `"`})
}

func (h *header) tos(v IPView) {
	h.add(unless("tos", v.TOS(), 0, func(q *Packet, n uint8) { IPView{q}.SetTOS(n) }),
		reading("dscp", strconv.Itoa(int(v.DSCP()))), reading("ecn", strconv.Itoa(int(v.ECN()))))
}

func flag(name string, v bool, set func(q *Packet)) attr {
	return attr{name: name, text: strconv.FormatBool(v), own: !v, set: set}
}

func (h *header) length(p *Packet) attr {
	f := computed("len", p, func(q *Packet) int { return IPView{q}.Len() }, func(q *Packet, n int) { IPView{q}.SetLen(n) })
	l := p.Layout()
	if n := (IPView{p}).Len(); n > p.Len()-l.L3 {
		f.note = fmt.Sprintf("wrong: there are %d bytes", p.Len()-l.L3)
	}
	return f
}

// extensions are a list of headers, or, of a fragment header alone, its fields.
func (h *header) extensions(v IPv6View) {
	var list []Extension
	var text []string
	for kind, data := range v.Extensions() {
		e := Extension{kind, append([]byte(nil), data...)}
		list = append(list, e)
		text = append(text, fmt.Sprintf("{%d, %s}", kind, luaHex(e.Data)))
	}
	all := attr{name: "extensions", text: "{" + strings.Join(text, ", ") + "}", own: len(list) == 0,
		set: func(q *Packet) { IPv6View{q}.SetExtensions(list...) }}
	if len(list) != 1 || list[0].Kind != ProtoFragment || list[0].Data[1] != 0 || list[0].Data[3]&6 != 0 {
		h.add(all)
		return
	}
	ip := IPView(v)
	id, _ := ip.ID()
	mf, _ := ip.MF()
	frag, _ := ip.Frag()
	all.own = true
	h.add(all, unless("id", id, 0, func(q *Packet, n uint32) { IPView{q}.SetID(n) }),
		flag("mf", mf, func(q *Packet) { IPView{q}.SetMF(true) }),
		// The offset, even 0, is what makes a builder write the header.
		attr{name: "frag", text: strconv.Itoa(frag), set: func(q *Packet) {
			IPv6View{q}.SetExtensions(Extension{ProtoFragment, make([]byte, fragLen)})
			IPView{q}.SetFrag(frag)
		}})
}
