package filter

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// nameValue is a word: the name of a port or protocol. Hosts and networks by name
// are refused, since what a name means would change while packets flow.
func (p *parser) nameValue(t token, q qual) node {
	switch q.kind {
	case "port":
		port, proto, ok := p.portNamed(t, t.text, q)
		if !ok {
			return bad
		}
		return p.portValue(t, port, port, proto, q)
	case "portrange":
		return p.rangeValue(t, q)
	case "proto", "protochain":
		table := ipProtos
		if q.proto == "ether" && q.kind == "proto" {
			table = etherTypes
		}
		v, ok := table[t.text]
		if !ok {
			p.fail(t, nearest(t.text, sorted(table)), "%q is no protocol that is known here: write its number", t.text)
			return bad
		}
		return p.protoValue(t, v, q)
	}
	if t.text == "address" || t.text == "addr" {
		p.fail(t, "", "unexpected %q: leave it out", t.text)
	}
	p.fail(t, nearest(t.text, suggested), "%q is no address, and names are not looked up: write the address", t.text)
	return bad
}

// portNamed finds a port by name or, escaped, by number. proto is the protocol to
// test then.
func (p *parser) portNamed(t token, name string, q qual) (port uint32, proto string, ok bool) {
	s, ok := services[name]
	if !ok {
		n, err := strconv.ParseUint(name, 10, 16)
		if lo, hi, ok := strings.Cut(name, "-"); ok && isPort(lo) && isPort(hi) && q.kind == "port" {
			p.fail(t, "portrange", "%q is more than one port", name)
		}
		if err != nil {
			p.fail(t, nearest(name, sorted(services)), "%q is no port that is known here: write its number", name)
		}
		return uint32(n), q.proto, err == nil
	}
	switch {
	case s.tcp && s.udp:
		return s.port, q.proto, true
	case s.tcp:
		proto = "tcp"
	default:
		proto = "udp"
	}
	if q.proto != "" && q.proto != proto {
		p.fail(t, proto, "%s is a port of %s, not of %s", name, proto, q.proto)
	}
	return s.port, proto, p.err == nil
}

// rangeValue is "1-1024" or "ftp-ssh".
func (p *parser) rangeValue(t token, q qual) node {
	for i := range len(t.text) {
		if t.text[i] != '-' {
			continue
		}
		low, high := t.text[:i], t.text[i+1:]
		if !isPort(low) || !isPort(high) {
			continue
		}
		lo, pl, ok := p.portNamed(t, low, q)
		hi, ph, ok2 := p.portNamed(t, high, q)
		if !ok || !ok2 {
			return bad
		}
		if pl != ph { // libpcap tests any transport then
			pl = q.proto
		}
		return p.portValue(t, min(lo, hi), max(lo, hi), pl, q)
	}
	p.fail(t, "", "%q is no range of ports: write 1-1024", t.text)
	return bad
}

func isPort(s string) bool {
	_, named := services[s]
	return named || s != "" && strings.Trim(s, "0123456789") == ""
}

// portValue tests for ports lo to hi of proto.
func (p *parser) portValue(t token, lo, hi uint32, proto string, q qual) node {
	nums, ok := portProtos(proto)
	switch {
	case !ok:
		p.fail(t, "", "%s has no ports: only tcp, udp and sctp have", proto)
	case hi > 65535:
		p.fail(t, "", "port %d is above 65535", hi)
	}
	return p.both(func(g gen) *cond { return g.ports(q, lo, hi, nums...) })
}

// protoValue is the number of a protocol behind "proto" or "protochain".
func (p *parser) protoValue(t token, v uint32, q qual) node {
	chains := q.kind == "protochain"
	switch {
	case q.dir != anyDir:
		p.fail(t, "", "a protocol has no direction: leave out src and dst")
	case q.proto == "ether" && !chains:
		return p.both(func(g gen) *cond { return g.etherProto(v) })
	case q.proto != "" && q.proto != "ip" && q.proto != "ip6":
		p.fail(t, "", "%q makes no sense behind %q: write ip %s or ip6 %s", q.kind, q.proto, q.kind, q.kind)
	}
	return p.both(func(g gen) *cond {
		one := func(six bool) *cond {
			switch {
			case chains:
				return g.protochain(six, v)
			case six:
				return g.proto6(v)
			}
			return g.proto4(v)
		}
		switch q.proto {
		case "ip":
			return one(false)
		case "ip6":
			return one(true)
		}
		return or(one(false), one(true))
	})
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
