package filter

import "github.com/tunscript/tunscript/engine/packet"

// A chain looks for a protocol in a chain of headers, for "protochain".
type chain struct {
	g    gen
	num  uint32
	six  bool // IPv6, where extension headers chain; in IPv4 only AH does
	l3   uint32
	next load // of the first protocol number
}

// maxChain bounds the walk: libpcap's own can go round in circles for ever on a
// forged authentication header. No honest packet has as many headers.
const maxChain = 256

func (g gen) protochain(six bool, num uint32) *cond {
	c := &chain{g: g, num: num, six: six, l3: g.l3(), next: g.net(9, 1)}
	version := g.ip4()
	if six {
		c.next, version = g.net(6, 1), g.ip6()
	}
	return and(version, &cond{op: cChain, chain: c})
}

// match reports whether the protocol is in the chain; ok is false where a header lies
// outside the frame.
func (c *chain) match(p *packet.Packet, b []byte) (found, ok bool) {
	found, steps := c.walk(p, b)
	return found, steps >= 0
}

// walk goes from header to header and counts them, -1 where one lies outside the
// frame. It does what libpcap's code does, to the letter: behind an authentication
// header it goes on at that header's length, counted from the start of the packet.
func (c *chain) walk(p *packet.Packet, b []byte) (found bool, steps int) {
	byteAt := func(off uint32) (uint32, bool) {
		return fetch(p, b, uint64(c.l3)+uint64(off), 1, true)
	}
	proto, ok := c.next.read(p, b)
	if !ok {
		return false, -1
	}
	at := uint32(40)
	if !c.six {
		v, ok := byteAt(0)
		if !ok {
			return false, -1
		}
		at = v & 15 * 4
	}
	for ; steps < maxChain; steps++ {
		if proto == c.num || proto == packet.ProtoNoNext {
			break
		}
		isExt := c.six && (proto == packet.ProtoHopByHop || proto == packet.ProtoDestOpts ||
			proto == packet.ProtoRouting || proto == packet.ProtoFragment)
		if !isExt && proto != packet.ProtoAH {
			break
		}
		next, ok := byteAt(at)
		if !ok {
			return false, -1
		}
		n, ok := byteAt(at + 1)
		if !ok {
			return false, -1
		}
		if isExt {
			at += (n + 1) * 8
		} else {
			at = (n + 2) * 4
		}
		proto = next
	}
	return proto == c.num, steps
}
