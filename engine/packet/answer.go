package packet

// Reply returns the answer that the packet's protocol gives.
func (p *Packet) Reply() *Packet { return p.none("no answer to this protocol") }

// RST returns a TCP reset.
func (p *Packet) RST() *Packet { return p.none("not TCP") }

// Unreachable returns the ICMP error that says so.
func (p *Packet) Unreachable(kind UnreachableKind, mtu int) *Packet { return p.none("not IP") }

// TTLExceeded returns the ICMP error that a router sends.
func (p *Packet) TTLExceeded() *Packet { return p.none("not IP") }

// none is an empty answer.
func (p *Packet) none(why string) *Packet {
	q := p.fresh(0)
	q.In, q.Out, q.Time, q.why = p.In, p.In, p.Time, why
	return q
}
