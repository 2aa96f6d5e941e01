package packet

import (
	"net/netip"
	"strconv"
)

// String is the packet on one line in the manner of tcpdump, but with our letters
// for TCP flags: "IP 192.0.2.1.4000 > 192.0.2.2.80: Flags [S], seq 7, win 65535,
// length 0". It says what it can of any bytes.
func (p *Packet) String() string { return string(p.AppendString(nil)) }

// AppendString appends the line that String returns to b.
func (p *Packet) AppendString(b []byte) []byte {
	l := p.Layout()
	switch {
	case p.Len() == 0 && p.why != "":
		return append(append(b, "empty packet: "...), p.why...)
	case p.Len() == 0:
		return append(b, "empty packet"...)
	case p.link == Ethernet && p.Len() < ethLen:
		return cutShort(append(b, "Ethernet"...), p.Len())
	}
	if v, ok := p.VLAN(); ok {
		b = num(append(b, "vlan "...), uint64(v.ID()))
		b = append(num(append(b, ", p "...), uint64(v.Prio())), ": "...)
	}
	switch {
	case l.arp():
		return ARPView{p}.appendTo(b)
	case l.Version != 0:
		return p.appendIP(b)
	case l.Type == TypeARP:
		return num(append(b, "ARP, cut short or for other addresses, length "...), uint64(p.Len()-l.L3))
	case l.Type == TypeIPv4:
		return badHeader(append(b, "IP"...), p.Len()-l.L3, ip4Len)
	case l.Type == TypeIPv6:
		return badHeader(append(b, "IP6"...), p.Len()-l.L3, ip6Len)
	case p.link == IP:
		return num(append(b, "no IP, length "...), uint64(p.Len()))
	}
	eth := EthernetView{p}
	b = append(eth.Src().append(b), " > "...)
	b = append(eth.Dst().append(b), ", ethertype 0x"...)
	for shift := 12; shift >= 0; shift -= 4 {
		b = append(b, hexDigits[l.Type>>shift&15])
	}
	return num(append(b, ", length "...), uint64(p.Len()-l.L3))
}

const hexDigits = "0123456789abcdef"

func (m MAC) append(b []byte) []byte {
	for i, c := range m {
		if i > 0 {
			b = append(b, ':')
		}
		b = append(b, hexDigits[c>>4], hexDigits[c&15])
	}
	return b
}

func num(b []byte, v uint64) []byte { return strconv.AppendUint(b, v, 10) }

func cutShort(b []byte, n int) []byte {
	return append(num(append(b, ", cut short to "...), uint64(n)), " bytes"...)
}

// badHeader is for n bytes that ought to be an IP header of at least want.
func badHeader(b []byte, n, want int) []byte {
	if n < want {
		return cutShort(b, n)
	}
	return num(append(b, ", bad version or header length, length "...), uint64(n))
}

func (v ARPView) appendTo(b []byte) []byte {
	switch v.Op() {
	case ARPRequest:
		b = v.TPA().AppendTo(append(b, "ARP, Request who-has "...))
		b = v.SPA().AppendTo(append(b, " tell "...))
	case ARPReply:
		b = v.SPA().AppendTo(append(b, "ARP, Reply "...))
		b = v.SHA().append(append(b, " is-at "...))
	default:
		b = num(append(b, "ARP, op "...), uint64(v.Op()))
	}
	return append(b, ", length 28"...)
}

func (p *Packet) appendIP(b []byte) []byte {
	l := p.Layout()
	name := "IP "
	if l.Version == 6 {
		name = "IP6 "
	}
	b = append(p.appendEnds(append(b, name...)), ": "...)
	if l.Fragment() {
		id, _ := IPView{p}.ID()
		b = num(append(b, "frag id "...), uint64(id))
		b = num(append(b, ", offset "...), uint64(l.FragOff))
		if l.MoreFrags {
			b = append(b, '+')
		}
		b = append(b, ", "...)
	}
	n := l.End - l.Data
	switch {
	case l.FragOff > 0, l.L4 == 0:
		b = appendProto(b, l.Proto, l.Version)
		if l.L4 == 0 && l.FragOff == 0 {
			return cutShort(b, n)
		}
	case l.Proto == ProtoTCP:
		b = TCPView{p}.appendTo(b)
	case l.Proto == ProtoUDP:
		b = append(b, "UDP"...)
	case l.icmpIs(4):
		b, n = ICMPView{p}.appendTo(b), n+icmpLen
	case l.icmpIs(6):
		b, n = ICMPv6View{p}.appendTo(b), n+icmpLen
	default:
		b = appendProto(b, l.Proto, l.Version)
	}
	b = num(append(b, ", length "...), uint64(n))
	if p.gso.Size > 0 {
		b = append(num(append(b, " in "...), uint64(p.Segments())), " segments"...)
	}
	return b
}

// appendEnds writes "src.sport > dst.dport", ports where there are any.
func (p *Packet) appendEnds(b []byte) []byte {
	l := p.Layout()
	ports := l.transportIs(ProtoTCP) || l.transportIs(ProtoUDP)
	b = appendEnd(b, p.src(), p.get16(l.L4), ports)
	return appendEnd(append(b, " > "...), p.dst(), p.get16(l.L4+2), ports)
}

func appendEnd(b []byte, a netip.Addr, port uint16, hasPort bool) []byte {
	b = a.AppendTo(b)
	if hasPort {
		b = num(append(b, '.'), uint64(port))
	}
	return b
}

func appendProto(b []byte, proto, version uint8) []byte {
	if name := protoName(proto, version); name != "" {
		return append(b, name...)
	}
	return num(append(b, "proto "...), uint64(proto))
}
