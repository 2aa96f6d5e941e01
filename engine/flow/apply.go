package flow

import (
	"github.com/tunscript/tunscript/engine/packet"
)

// Apply rewrites p, a packet of the flow in its direction, to what it shall leave
// with. Fields that no rule is about stay, whatever a handler has made of them.
// Checksums follow by RFC 1624, so a wrong one stays wrong; in an ICMP error, what
// it quotes is shown as it once came. A flow without a rewrite changes nothing.
func (f Flow) Apply(p *packet.Packet) {
	e := f.entry()
	if e == nil || e.acts&rewrites == 0 {
		return
	}
	l := p.Layout()
	if l.Version == 0 {
		return
	}
	out := e.key[1-f.dir].reverse()
	set := e.set[f.dir]
	if l.L4 > 0 && isError(p.Frame(), l) {
		f.t.applyQuote(p, &e.key[1-f.dir], e.set[1-f.dir])
		setAddrs(p, &out, set)
		return
	}
	setAddrs(p, &out, set)
	if l.FragOff == 0 {
		setPorts(p, &out, set)
	}
}

func setAddrs(p *packet.Packet, to *tuple, set fields) {
	ip, ok := p.IP()
	if !ok || (ip.Version() == 6) != to.v6 {
		return
	}
	if set&setSrc != 0 {
		ip.SetSrc(to.src.netip(to.v6)) // of the right version
	}
	if set&setDst != 0 {
		ip.SetDst(to.dst.netip(to.v6))
	}
}

// setPorts sets the ports, or the id of an echo.
func setPorts(p *packet.Packet, to *tuple, set fields) {
	if set&(setSport|setDport) == 0 {
		return
	}
	l := p.Layout()
	if l.L4 == 0 {
		setQuotedPorts(p, to, set)
		return
	}
	if l.Proto != to.proto {
		return
	}
	switch l.Proto {
	case packet.ProtoTCP:
		tcp, _ := p.TCP()
		if set&setSport != 0 {
			tcp.SetSport(to.sport)
		}
		if set&setDport != 0 {
			tcp.SetDport(to.dport)
		}
	case packet.ProtoUDP:
		udp, _ := p.UDP()
		if set&setSport != 0 {
			udp.SetSport(to.sport)
		}
		if set&setDport != 0 {
			udp.SetDport(to.dport)
		}
	case packet.ProtoSCTP:
		setSCTP(p, to, set)
	case packet.ProtoICMP, packet.ProtoICMPv6:
		id := to.sport
		if to.kind == answers {
			id = to.dport
		}
		if icmp, ok := p.ICMP(); ok {
			icmp.SetID(id)
		} else if icmp, ok := p.ICMPv6(); ok {
			icmp.SetID(id)
		}
	}
}

// setQuotedPorts sets the ports in a quote that ends before the TCP header does, and
// so, but for two bytes that nobody sends, before its checksum.
func setQuotedPorts(p *packet.Packet, to *tuple, set fields) {
	l := p.Layout()
	at := l.Data
	if l.Proto != to.proto || to.kind != ports || at+4 > l.End {
		return
	}
	if set&setSport != 0 {
		p.SetUint16(at, to.sport) // inside, as was asked
	}
	if set&setDport != 0 {
		p.SetUint16(at+2, to.dport)
	}
}

// applyQuote shows what the ICMP error p quotes, a packet as it left, as it came
// in: with the key of its direction. Of its checksums only the incremental update
// is right: the quote may be cut short, and the kernel quotes super-packets with a
// checksum that was never finished.
func (t *Table) applyQuote(p *packet.Packet, came *tuple, set fields) {
	q, ok := t.quote(p)
	if !ok {
		return
	}
	setAddrs(q, came, set)
	setPorts(q, came, set)
	l := q.Layout()
	end := min(quotedTransport(l)+20, l.End) // a TCP header's checksum ends at 18
	at := p.Layout().Data
	p.SetBytes(at, q.Frame()[:end]) // as long as it was
}
