package filter

import "fmt"

// isProto reports a keyword that names a protocol.
func isProto(text string) bool {
	return text == "ether" || networkProtos[text] != 0 || transports[text].num != 0
}

func isForeign(text string) bool {
	for _, w := range foreign {
		if w == text {
			return true
		}
	}
	return false
}

// afterProto goes on behind a protocol's keyword, which is arithmetic, a qualifier
// or a condition of its own.
func (p *parser) afterProto(t token) (node, qual, bool) {
	if p.is("[") {
		return p.relation(p.loadOf(t)), qual{}, false
	}
	if next := p.tok(); next.kind == tKey {
		switch next.text {
		case "src", "dst", "host", "net", "port", "portrange", "proto", "protochain", "gateway",
			"broadcast", "multicast":
			return p.primitive(t)
		}
	}
	if t.text == "ether" {
		p.unexpected(`"host", "src", "dst", "proto", "broadcast", "multicast" or "[" behind "ether"`)
		return bad, qual{}, false
	}
	return p.both(func(g gen) *cond { return g.protoAlone(t.text) }), qual{}, false
}

// primitive reads qualifiers and the value behind them, or one of the conditions
// that have none. proto is the protocol already read; its kind is tEnd if there was
// none.
func (p *parser) primitive(proto token) (node, qual, bool) {
	q := qual{set: true, proto: proto.text}
	t := p.tok()
	if t.kind != tKey {
		p.unexpected(wantCondition)
		return bad, qual{}, false
	}
	if t.text == "src" || t.text == "dst" {
		q.dir = p.direction()
		if t = p.tok(); t.kind == tKey && (t.text == "host" || t.text == "net" || t.text == "port" || t.text == "portrange") {
			q.kind = p.skip().text
		}
		return p.value(q), q, false
	}
	switch t.text {
	case "host", "net", "port", "portrange", "proto", "protochain":
		q.kind = p.skip().text
		return p.value(q), q, false
	case "gateway":
		p.fail(t, "", `"gateway" needs names, which are not looked up: write "ether host MAC and not host ADDRESS"`)
	case "broadcast":
		p.skip()
		return p.cast(t, proto, gen.broadcast), qual{}, false
	case "multicast":
		p.skip()
		return p.cast(t, proto, gen.multicast), qual{}, false
	case "less", "greater":
		return p.lengthTest(p.skip()), qual{}, false
	case "vlan":
		return p.vlan(p.skip()), qual{}, false
	case "byte":
		p.fail(t, "", `"byte" is not supported: write "ether[3] = 4" for "byte 3 = 4"`)
	default:
		p.unexpected(wantCondition)
	}
	return bad, qual{}, false
}

// direction reads "src", "dst", "src or dst", "src and dst" and the like.
func (p *parser) direction() dir {
	first := p.skip().text
	for _, join := range []string{"or", "and"} {
		if !p.take(join) {
			continue
		}
		if second := p.tok(); second.kind != tKey || second.text == first || second.text != "src" && second.text != "dst" {
			other := "dst"
			if first == "dst" {
				other = "src"
			}
			p.unexpected(fmt.Sprintf("%q", other))
		}
		p.skip()
		if join == "or" {
			return anyDir
		}
		return bothDir
	}
	if first == "src" {
		return srcDir
	}
	return dstDir
}

func (p *parser) cast(t, proto token, f func(gen, string) *cond) node {
	name := proto.text
	if f(gen{}, name) == nil {
		p.fail(proto, "", "%s has no %s: leave it out", name, t.text)
		return bad
	}
	return p.both(func(g gen) *cond { return f(g, name) })
}

// lengthTest is "less N" and "greater N", both of which include N.
func (p *parser) lengthTest(t token) node {
	n := p.tok()
	if n.kind == tID && n.text == "than" {
		p.fail(n, "", "unexpected %q: write %s 100", n.text, t.text)
	}
	if n.kind != tNum {
		p.unexpected("a number of bytes")
		return bad
	}
	p.skip()
	l := load{place: frameLen, size: 4}
	c := within(l, n.num, 0xffffffff)
	if t.text == "less" {
		c = within(l, 0, n.num)
	}
	return node{c, c}
}

// vlan is "vlan" and "vlan N"; whatever follows it in the text looks behind a tag.
func (p *parser) vlan(t token) node {
	id := -1
	if p.is("(") || p.tok().kind == tNum {
		n := p.plainNumber()
		if id = int(n.num); p.err == nil && n.num > 4095 {
			p.fail(n, "", "VLAN %d is above 4095", n.num)
		}
	}
	if p.tags == maxTags {
		p.fail(t, "", "more than %d times \"vlan\"", maxTags)
	}
	if n := p.tok(); n.kind == tID && n.text == "id" {
		p.fail(n, "", "unexpected %q: write vlan 5", n.text)
	}
	n := p.both(func(g gen) *cond { return g.vlan(id) })
	p.tags++
	return n
}

// plainNumber reads a number, perhaps in parentheses.
func (p *parser) plainNumber() token {
	open := 0
	for p.take("(") {
		open++
	}
	t := p.tok()
	if t.kind != tNum {
		p.unexpected("a number")
	}
	p.skip()
	for ; open > 0; open-- {
		if !p.take(")") {
			p.unexpected(`")"`)
		}
	}
	return t
}
