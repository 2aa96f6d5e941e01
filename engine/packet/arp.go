package packet

import "net/netip"

// ARP operations (RFC 826).
const (
	ARPRequest = 1
	ARPReply   = 2
)

// ARPView reads and writes an ARP packet for Ethernet and IPv4 in place.
type ARPView struct{ p *Packet }

// ARP returns the ARP packet, and false if there is none, it is cut short or it
// is for other kinds of addresses than Ethernet's and IPv4's.
func (p *Packet) ARP() (ARPView, bool) { return ARPView{p}, p.Layout().arp() }

// arp reports a whole ARP packet for addresses of 6 and 4 bytes.
func (l *Layout) arp() bool { return l.Type == TypeARP && l.Data == l.L3+arpLen }

func (v ARPView) at() int {
	if l := v.p.Layout(); l.arp() {
		return l.L3
	}
	return gone
}

// Op is ARPRequest, ARPReply or another operation.
func (v ARPView) Op() uint16 { return v.p.get16(v.at() + 6) }

// SHA is the sender's Ethernet address.
func (v ARPView) SHA() MAC { return v.p.getMAC(v.at() + 8) }

// SPA is the sender's IPv4 address.
func (v ARPView) SPA() netip.Addr { return v.p.getAddr4(v.at() + 14) }

// THA is the target's Ethernet address, which a request asks for.
func (v ARPView) THA() MAC { return v.p.getMAC(v.at() + 18) }

// TPA is the target's IPv4 address.
func (v ARPView) TPA() netip.Addr { return v.p.getAddr4(v.at() + 24) }

// SetOp sets the operation.
func (v ARPView) SetOp(op uint16) { v.p.change16(v.at()+6, op) }

// SetSHA sets the sender's Ethernet address.
func (v ARPView) SetSHA(m MAC) { v.p.change(v.at()+8, m[:]) }

// SetSPA sets the sender's IPv4 address.
func (v ARPView) SetSPA(a netip.Addr) error { return v.p.setAddr4("arp.spa", v.at()+14, a) }

// SetTHA sets the target's Ethernet address.
func (v ARPView) SetTHA(m MAC) { v.p.change(v.at()+18, m[:]) }

// SetTPA sets the target's IPv4 address.
func (v ARPView) SetTPA(a netip.Addr) error { return v.p.setAddr4("arp.tpa", v.at()+24, a) }
