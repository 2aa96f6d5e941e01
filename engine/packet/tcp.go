package packet

// TCPView reads and writes a TCP header in place (RFC 9293). What it sets, the
// checksum follows. Sequence numbers are modulo 2^32, as Go's uint32 is.
type TCPView struct{ p *Packet }

// TCP returns the TCP header, and false on a packet without one.
func (p *Packet) TCP() (TCPView, bool) { return TCPView{p}, p.Layout().transportIs(ProtoTCP) }

func (v TCPView) at() int {
	if l := v.p.Layout(); l.transportIs(ProtoTCP) {
		return l.L4
	}
	return gone
}

// Sport is the source port.
func (v TCPView) Sport() uint16 { return v.p.get16(v.at()) }

// Dport is the destination port.
func (v TCPView) Dport() uint16 { return v.p.get16(v.at() + 2) }

// Seq is the sequence number of the first byte, or of the SYN.
func (v TCPView) Seq() uint32 { return v.p.get32(v.at() + 4) }

// Ack is the acknowledgement number; it means something if Flags has ACK.
func (v TCPView) Ack() uint32 { return v.p.get32(v.at() + 8) }

// HeaderLen is the length of the header with its options in bytes, as the data
// offset says and as far as it is there.
func (v TCPView) HeaderLen() int {
	if v.at() == gone {
		return 0
	}
	l := v.p.Layout()
	return l.Data - l.L4
}

// Flags is the flag bits.
func (v TCPView) Flags() Flags { return Flags(v.p.get8(v.at() + 13)) }

// Window is the window as it stands, not scaled.
func (v TCPView) Window() uint16 { return v.p.get16(v.at() + 14) }

// Urgent is the urgent pointer.
func (v TCPView) Urgent() uint16 { return v.p.get16(v.at() + 18) }

// Checksum is the checksum as it will leave.
func (v TCPView) Checksum() uint16 {
	if v.at() == gone {
		return 0
	}
	return v.p.transportChecksum()
}

// Span is how much of the sequence space the segment takes: its payload, and one
// each for SYN and FIN.
func (v TCPView) Span() uint32 {
	if v.at() == gone {
		return 0
	}
	l, n := v.p.Layout(), uint32(0)
	if f := v.Flags(); f&SYN != 0 {
		n++
	}
	if f := v.Flags(); f&FIN != 0 {
		n++
	}
	return n + uint32(l.End-l.Data)
}

// SetSport sets the source port.
func (v TCPView) SetSport(port uint16) { v.p.change16(v.at(), port) }

// SetDport sets the destination port.
func (v TCPView) SetDport(port uint16) { v.p.change16(v.at()+2, port) }

// SetSeq sets the sequence number.
func (v TCPView) SetSeq(seq uint32) { v.p.change32(v.at()+4, seq) }

// SetAck sets the acknowledgement number, not the ACK flag.
func (v TCPView) SetAck(ack uint32) { v.p.change32(v.at()+8, ack) }

// SetFlags sets all flag bits.
func (v TCPView) SetFlags(f Flags) { v.p.change8(v.at()+13, uint8(f)) }

// SetWindow sets the window as it stands, not scaled.
func (v TCPView) SetWindow(w uint16) { v.p.change16(v.at()+14, w) }

// SetUrgent sets the urgent pointer, not the URG flag.
func (v TCPView) SetUrgent(u uint16) { v.p.change16(v.at()+18, u) }

// SetChecksum sets the checksum by hand: it stays until ResetChecksum.
func (v TCPView) SetChecksum(sum uint16) { v.p.setTransportChecksum(v.at(), sum) }

// ResetChecksum lets the checksum be computed.
func (v TCPView) ResetChecksum() { v.p.resetTransportChecksum(v.at()) }

// Options returns the options, which may be none.
func (v TCPView) Options() TCPOptions { return TCPOptions(v) }
