package flow

import "github.com/tunscript/tunscript/engine/packet"

// maxQuote is how much of a quote is looked at, in bytes: headers of every kind
// that a packet really has.
const maxQuote = 512

// quote parses what the ICMP error p quotes, into a packet that is used again. It
// may be cut short anywhere.
func (t *Table) quote(p *packet.Packet) (*packet.Packet, bool) {
	l := p.Layout()
	b := p.Frame()[l.Data:l.End]
	if len(b) > maxQuote {
		b = b[:maxQuote]
	}
	if len(b) == 0 || b[0]>>4 != l.Version {
		return nil, false
	}
	if t.scratch.Set(b, packet.IP) != nil {
		return nil, false
	}
	q := t.scratch.Layout()
	return t.scratch, q.Version == l.Version
}

// quotedTransport is where the transport header of a quote begins. RFC 792
// promises no more than 8 bytes of it, so a TCP header may have no view, but its
// ports are there.
func quotedTransport(l *packet.Layout) int {
	if l.L4 > 0 {
		return l.L4
	}
	return l.Data
}

// quoted is the tuple of the packets that travel with the ICMP error p: what it
// quotes, turned round.
func (t *Table) quoted(p *packet.Packet) (k tuple, s subject) {
	q, ok := t.quote(p)
	if !ok {
		return k, none
	}
	l, b := q.Layout(), q.Frame()
	if l.FragOff > 0 {
		return k, none // RFC 1122 section 3.2.2: nobody reports about later fragments
	}
	k.addresses(b, l)
	if l.L4 > 0 && isError(b, l) || !k.transport(b, quotedTransport(l), l.End) {
		return k, none
	}
	if l.L4 == 0 && k.kind == plain {
		return k, none // cut short among IPv6's extension headers
	}
	return k.reverse(), report
}
