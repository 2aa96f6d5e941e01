package packet

import "encoding/binary"

// Valid reports whether lengths and checksums are right; if not, the layer whose
// are wrong: "ip", "tcp", "udp", "icmp" or "icmp6". An unfinished or due
// checksum counts as right, an absent one of UDP over IPv4 (0) too, and the
// transport checksum of a fragment is not judged.
func (p *Packet) Valid() (layer string, ok bool) {
	l, b := p.Layout(), p.frame()
	if l.Version == 0 {
		if l.Type == TypeIPv4 || l.Type == TypeIPv6 {
			return "ip", false
		}
		return "", true
	}
	h := b[l.L3:]
	switch {
	case p.fixed&fixedIP != 0 && IPView{p}.Len() != l.End-l.L3,
		l.Version == 4 && int(binary.BigEndian.Uint16(h[2:])) > len(h),
		l.Version == 4 && int(binary.BigEndian.Uint16(h[2:])) < int(h[0]&15)*4 && p.gso.Size == 0,
		l.Version == 6 && ip6Len+int(binary.BigEndian.Uint16(h[4:])) > len(h),
		l.Version == 4 && p.sum3 != due && fold(add(0, h[:int(h[0]&15)*4])) != 0xffff:
		return "ip", false
	}
	name := protoName(l.Proto, l.Version)
	if l.FragOff > 0 || name == "" {
		return "", true
	}
	at := l.sumAt()
	if at == 0 {
		return name, false // the header is cut short
	}
	if l.Proto == ProtoTCP && int(b[l.L4+12]>>4)*4 != l.Data-l.L4 {
		return name, false
	}
	if l.Fragment() {
		return "", true
	}
	if l.Proto == ProtoUDP {
		if int(binary.BigEndian.Uint16(b[l.L4+4:])) != l.End-l.L4 && p.gso.Size == 0 {
			return name, false
		}
		if l.Version == 4 && binary.BigEndian.Uint16(b[at:]) == 0 {
			return "", true
		}
	}
	if p.sum4 == due || p.sum4 == unfinished {
		return "", true
	}
	// Summed with its checksum in place, a right packet comes to all ones.
	if fold(add(l.pseudo(b), b[l.L4:l.End])) != 0xffff {
		return name, false
	}
	return "", true
}

func protoName(proto, version uint8) string {
	switch {
	case proto == ProtoTCP:
		return "tcp"
	case proto == ProtoUDP:
		return "udp"
	case proto == ProtoICMP && version == 4:
		return "icmp"
	case proto == ProtoICMPv6 && version == 6:
		return "icmp6"
	}
	return ""
}
