package packet

// UDPView reads and writes a UDP header in place (RFC 768). What it sets, the
// checksum follows.
type UDPView struct{ p *Packet }

// UDP returns the UDP header, and false on a packet without one.
func (p *Packet) UDP() (UDPView, bool) { return UDPView{p}, p.Layout().transportIs(ProtoUDP) }

func (v UDPView) at() int {
	if l := v.p.Layout(); l.transportIs(ProtoUDP) {
		return l.L4
	}
	return gone
}

// Sport is the source port.
func (v UDPView) Sport() uint16 { return v.p.get16(v.at()) }

// Dport is the destination port.
func (v UDPView) Dport() uint16 { return v.p.get16(v.at() + 2) }

// Len is the length of header and payload as the header says, in bytes.
func (v UDPView) Len() int { return int(v.p.get16(v.at() + 4)) }

// Checksum is the checksum as it will leave; 0 means none.
func (v UDPView) Checksum() uint16 {
	if v.at() == gone {
		return 0
	}
	return v.p.transportChecksum()
}

// SetSport sets the source port.
func (v UDPView) SetSport(port uint16) { v.p.change16(v.at(), port) }

// SetDport sets the destination port.
func (v UDPView) SetDport(port uint16) { v.p.change16(v.at()+2, port) }

// SetLen sets the length by hand, 0 to 65535: it stays until ResetLen.
func (v UDPView) SetLen(n int) error {
	if n < 0 || n > 65535 {
		return &FieldError{"udp.len", "it does not fit in 16 bits: give 0 to 65535"}
	}
	if v.at() != gone {
		v.p.fixed |= fixedUDP
		v.p.change16(v.at()+4, uint16(n))
	}
	return nil
}

// ResetLen lets the length follow the bytes again.
func (v UDPView) ResetLen() {
	if l := v.p.Layout(); v.at() != gone && v.p.fixed&fixedUDP != 0 {
		v.p.change16(l.L4+4, uint16(l.End-l.L4))
		v.p.fixed &^= fixedUDP
	}
}

// SetChecksum sets the checksum by hand: it stays until ResetChecksum. 0 means
// none, which only IPv4 allows.
func (v UDPView) SetChecksum(sum uint16) { v.p.setTransportChecksum(v.at(), sum) }

// ResetChecksum lets the checksum be computed.
func (v UDPView) ResetChecksum() { v.p.resetTransportChecksum(v.at()) }
