package packet

import "net/netip"

// ICMP types (RFC 792).
const (
	EchoReply    = 0
	DestUnreach  = 3
	SourceQuench = 4
	Redirect     = 5
	EchoRequest  = 8
	TimeExceeded = 11
	ParamProblem = 12
)

// ICMPView reads and writes an ICMP header over IPv4 in place. ID and Seq, MTU and
// Gateway are readings of the same four bytes: the type says which one counts.
type ICMPView struct{ p *Packet }

// ICMP returns the ICMP header, and false on a packet without one.
func (p *Packet) ICMP() (ICMPView, bool) { return ICMPView{p}, p.Layout().icmpIs(4) }

func (v ICMPView) at() int {
	if l := v.p.Layout(); l.icmpIs(4) {
		return l.L4
	}
	return gone
}

// Type is the message type, such as EchoRequest.
func (v ICMPView) Type() uint8 { return v.p.get8(v.at()) }

// Code says more about the type.
func (v ICMPView) Code() uint8 { return v.p.get8(v.at() + 1) }

// ID is the identifier of an echo.
func (v ICMPView) ID() uint16 { return v.p.get16(v.at() + 4) }

// Seq is the sequence number of an echo.
func (v ICMPView) Seq() uint16 { return v.p.get16(v.at() + 6) }

// MTU is the next hop's, in "fragmentation needed" (RFC 1191).
func (v ICMPView) MTU() uint16 { return v.p.get16(v.at() + 6) }

// Gateway is the better way of a redirect.
func (v ICMPView) Gateway() netip.Addr { return v.p.getAddr4(v.at() + 4) }

// Checksum is the checksum as it will leave.
func (v ICMPView) Checksum() uint16 {
	if v.at() == gone {
		return 0
	}
	return v.p.transportChecksum()
}

// IsError reports an error message, which quotes a packet (RFC 1122 section 3.2.2).
func (v ICMPView) IsError() bool { return v.at() != gone && icmpError(v.Type()) }

func icmpError(typ uint8) bool {
	switch typ {
	case DestUnreach, SourceQuench, Redirect, TimeExceeded, ParamProblem:
		return true
	}
	return false
}

// SetType sets the message type.
func (v ICMPView) SetType(t uint8) { v.p.change8(v.at(), t) }

// SetCode sets the code.
func (v ICMPView) SetCode(c uint8) { v.p.change8(v.at()+1, c) }

// SetID sets the identifier of an echo.
func (v ICMPView) SetID(id uint16) { v.p.change16(v.at()+4, id) }

// SetSeq sets the sequence number of an echo.
func (v ICMPView) SetSeq(seq uint16) { v.p.change16(v.at()+6, seq) }

// SetMTU sets the next hop's MTU.
func (v ICMPView) SetMTU(mtu uint16) { v.p.change16(v.at()+6, mtu) }

// SetGateway sets the better way of a redirect.
func (v ICMPView) SetGateway(a netip.Addr) error { return v.p.setAddr4("icmp.gateway", v.at()+4, a) }

// SetChecksum sets the checksum by hand: it stays until ResetChecksum.
func (v ICMPView) SetChecksum(sum uint16) { v.p.setTransportChecksum(v.at(), sum) }

// ResetChecksum lets the checksum be computed.
func (v ICMPView) ResetChecksum() { v.p.resetTransportChecksum(v.at()) }
