package filter

import (
	"encoding/binary"
	"net/netip"
	"strings"
)

// isValueToken reports a token that can only be an address or a name.
func isValueToken(t token) bool {
	switch t.kind {
	case tHID, tHID6, tEID:
		return true
	case tID:
		return !isForeign(t.text) || t.end-t.at > len(t.text) // or escaped
	}
	return false
}

// value reads what qualifiers stand for: an address, a number, a name, or values in
// parentheses.
func (p *parser) value(q qual) node {
	t := p.tok()
	switch {
	case p.is("!"):
		p.skip()
		p.enter()
		defer p.leave()
		return p.value(q).not()
	case p.is("("):
		e, n, isValue := p.inGroup(q, true)
		switch {
		case e != nil && e.plain:
			p.live--
			return p.numberValue(e.tok, e.num, q)
		case p.err == nil && !isValue:
			p.fail(t, "", "these parentheses hold no address, number or name")
		}
		return n
	case t.kind == tNum:
		p.skip()
		return p.numberValue(t, t.num, q)
	case !isValueToken(t):
		if name := p.text[t.at:t.end]; (q.kind == "proto" || q.kind == "protochain") && (ipProtos[name] != 0 || etherTypes[name] != 0) {
			p.fail(t, `\`+name, "%q is a word of the language: write a backslash before it", name)
		}
		p.unexpected(q.wants())
		return bad
	}
	p.skip()
	if !q.set {
		p.fail(t, meant(t.text, false), "nothing says what %q is: write host, net, port or the like before it", t.text)
		return bad
	}
	switch t.kind {
	case tHID:
		return p.quadValue(t, q)
	case tHID6:
		return p.ip6Value(t, q)
	case tEID:
		return p.macValue(t, q)
	}
	return p.nameValue(t, q)
}

func (q qual) wants() string {
	switch q.kind {
	case "port", "portrange":
		return "a port"
	case "proto", "protochain":
		return "a protocol's number or name"
	case "net":
		return "a network"
	}
	return "an address"
}

// numberValue is a mere number: an address, a port or a protocol.
func (p *parser) numberValue(t token, v uint32, q qual) node {
	if !q.set {
		p.fail(t, "", "nothing says what %q is: write host, net, port or the like before it", t.text)
		return bad
	}
	switch q.kind {
	case "port", "portrange":
		return p.portValue(t, v, v, q.proto, q)
	case "proto", "protochain":
		return p.protoValue(t, v, q)
	}
	mask := uint32(0xffffffff)
	if q.kind == "net" { // 10 is 10.0.0.0/8
		for v != 0 && v&0xff000000 == 0 {
			v, mask = v<<8, mask<<8
		}
	}
	return p.addr4(t, v, mask, q)
}

// quadValue is an IPv4 address or its first bytes, with or without a mask.
func (p *parser) quadValue(t token, q qual) node {
	v, bits, ok := parseQuad(t.text)
	if !ok {
		p.fail(t, "", "%q is no IPv4 address: write up to four decimal numbers, none above 255", t.text)
		return bad
	}
	mask := ^uint32(0) << (32 - bits)
	switch {
	case p.take("/"):
		n := p.tok()
		if n.kind == tHID {
			p.fail(n, "", "unexpected %q, expected a prefix length: write mask in place of the slash", n.text)
		}
		if n.kind != tNum || n.num > 32 {
			p.unexpected("a prefix length of 0 to 32")
			return bad
		}
		p.skip()
		mask = ^uint32(0) << (32 - n.num)
	case p.take("mask"):
		m := p.tok()
		mv, _, ok := parseQuad(m.text)
		if m.kind != tHID || !ok {
			p.unexpected("a mask, as in 255.255.255.0")
			return bad
		}
		p.skip()
		mask = mv
	default:
		return p.addr4(t, v, mask, q)
	}
	switch {
	case v&^mask != 0:
		a := binary.BigEndian.AppendUint32(nil, v&mask)
		p.fail(t, "", "%s has bits set outside its mask: the network is %s", p.text[t.at:p.last.end], netip.AddrFrom4([4]byte(a)))
	case q.kind != "net":
		p.fail(t, "net", "only a net has a mask")
	}
	return p.addr4(t, v, mask, q)
}

func (p *parser) addr4(t token, v, mask uint32, q qual) node {
	switch {
	case !q.isAddr():
		p.fail(t, "", "%q is an address, where %s should stand", t.text, q.wants())
	case q.proto == "ether":
		p.fail(t, "", "%q is no MAC address: write 02:00:00:00:00:01, or leave out ether", t.text)
	case q.proto == "decnet":
		p.fail(t, "", "addresses of DECnet are not supported: write decnet alone")
	case q.proto == "ip6":
		p.fail(t, "ip", "ip6 has no IPv4 addresses: leave it out")
	case q.proto != "" && q.proto != "ip" && q.proto != "arp" && q.proto != "rarp":
		p.fail(t, "", "%s has no IPv4 addresses: write %q before the address, or only src, dst, host or net", q.proto, q.proto+" and host")
	}
	return p.both(func(g gen) *cond { return g.host4(q, v, mask) })
}

// parseQuad reads one to four decimal numbers up to 255; bits says how many.
func parseQuad(s string) (v, bits uint32, ok bool) {
	for part := range strings.SplitSeq(s, ".") {
		n := uint32(0)
		for i := range len(part) {
			if !isDigit(part[i]) {
				return 0, 0, false
			}
			if n = n*10 + uint32(part[i]-'0'); n > 255 {
				return 0, 0, false
			}
		}
		if part == "" || bits == 32 {
			return 0, 0, false
		}
		v, bits = v<<8|n, bits+8
	}
	return v << (32 - bits), bits, true
}

// ip6Value is an IPv6 address, with or without a prefix length.
func (p *parser) ip6Value(t token, q qual) node {
	addr, err := netip.ParseAddr(t.text)
	if err != nil {
		p.fail(t, "", "%q is no IPv6 address", t.text)
		return bad
	}
	bits := uint32(128)
	if p.take("/") {
		n := p.tok()
		if n.kind != tNum || n.num > 128 {
			p.unexpected("a prefix length of 0 to 128")
			return bad
		}
		p.skip()
		bits = n.num
	}
	a, mask := addr.As16(), [16]byte{}
	for i := range bits {
		mask[i/8] |= 0x80 >> (i % 8)
	}
	prefix := netip.PrefixFrom(netip.AddrFrom16(a), int(bits))
	switch {
	case prefix.Masked().Addr() != prefix.Addr():
		p.fail(t, "", "%s has bits set outside its prefix: write net %s", t.text, prefix.Masked())
	case !q.isAddr():
		p.fail(t, "", "%q is an address, where %s should stand", t.text, q.wants())
	case bits != 128 && q.kind != "net":
		p.fail(t, "net", "only a net has a prefix length")
	case q.proto != "" && q.proto != "ip6":
		p.fail(t, "", "%s has no IPv6 addresses: leave it out, or write %q before the address", q.proto, "ip6 host")
	}
	return p.both(func(g gen) *cond { return g.host6(q, a, mask) })
}

// macValue is an Ethernet address.
func (p *parser) macValue(t token, q qual) node {
	if q.proto != "ether" || q.kind != "" && q.kind != "host" {
		p.fail(t, "", "%q is a MAC address: write ether host, ether src or ether dst before it", t.text)
		return bad
	}
	addr := parseMAC(t.text)
	return p.both(func(g gen) *cond { return g.mac(q, addr) })
}

// parseMAC reads what macLen has found: two digits a byte, or groups of one or two
// where a separator stands after each.
func parseMAC(s string) (addr [6]byte) {
	sep := strings.IndexAny(s, ":-.")
	if sep < 0 || strings.Count(s, s[sep:sep+1]) == 2 {
		s = strings.ReplaceAll(s, ".", "")
		for i := range addr {
			addr[i] = byte(hexVal(s[2*i])<<4 | hexVal(s[2*i+1]))
		}
		return addr
	}
	for i, part := range strings.Split(s, s[sep:sep+1]) {
		for j := range len(part) {
			addr[i] = addr[i]<<4 | byte(hexVal(part[j]))
		}
	}
	return addr
}
