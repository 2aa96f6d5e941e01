package packet

// appendTo writes a segment as tcpdump does: seq as a range where there is data.
func (v TCPView) appendTo(b []byte) []byte {
	l := v.p.Layout()
	f, n := v.Flags(), uint32(l.End-l.Data)
	b = append(f.append(append(b, "Flags ["...)), ']')
	if n > 0 || f&(SYN|FIN|RST) != 0 {
		b = num(append(b, ", seq "...), uint64(v.Seq()))
		if n > 0 {
			b = num(append(b, ':'), uint64(v.Seq()+n))
		}
	}
	if f&ACK != 0 {
		b = num(append(b, ", ack "...), uint64(v.Ack()))
	}
	b = num(append(b, ", win "...), uint64(v.Window()))
	if f&URG != 0 {
		b = num(append(b, ", urg "...), uint64(v.Urgent()))
	}
	if off := int(v.p.get8(l.L4+12)>>4) * 4; off != l.Data-l.L4 {
		return num(append(b, ", bad data offset "...), uint64(off))
	}
	if l.Data-l.L4 > tcpLen {
		b = append(v.Options().appendTo(append(b, ", options ["...)), ']')
	}
	return b
}

func (o TCPOptions) appendTo(b []byte) []byte {
	start, rest := len(b), o.Bytes()
	for len(rest) > 0 {
		if len(b) > start {
			b = append(b, ',')
		}
		if rest[0] == OptEnd {
			return append(b, "eol"...)
		}
		n := optLen(rest)
		if n == 0 {
			return append(b, "malformed"...)
		}
		b = appendOption(b, rest[:n])
		rest = rest[n:]
	}
	return b
}

// appendOption writes one option; one of an odd length as an unknown kind.
func appendOption(b, opt []byte) []byte {
	be := func(n int) (v uint64) {
		for _, c := range opt[len(opt)-n:] {
			v = v<<8 | uint64(c)
		}
		return v
	}
	switch kind, n := opt[0], len(opt); {
	case kind == OptNop:
		return append(b, "nop"...)
	case kind == OptMSS && n == 4:
		return num(append(b, "mss "...), be(2))
	case kind == OptWScale && n == 3:
		return num(append(b, "wscale "...), be(1))
	case kind == OptSackPermitted && n == 2:
		return append(b, "sackOK"...)
	case kind == OptTimestamps && n == 10:
		b = num(append(b, "TS val "...), be(8)>>32)
		return num(append(b, " ecr "...), be(4))
	case kind == OptSack && n%8 == 2:
		b = append(num(append(b, "sack "...), uint64(n/8)), ' ')
		for i := 2; i < n; i += 8 {
			v := uint64(0)
			for _, c := range opt[i : i+8] {
				v = v<<8 | uint64(c)
			}
			b = num(append(num(append(b, '{'), v>>32), ':'), v&0xffffffff)
			b = append(b, '}')
		}
		return b
	}
	b = append(num(append(b, "unknown-"...), uint64(opt[0])), " 0x"...)
	for _, c := range opt[2:] {
		b = append(b, hexDigits[c>>4], hexDigits[c&15])
	}
	return b
}

func (v ICMPView) appendTo(b []byte) []byte {
	b = append(b, "ICMP "...)
	switch typ, code := v.Type(), v.Code(); {
	case typ == EchoRequest || typ == EchoReply:
		return appendEcho(b, typ == EchoRequest, v.ID(), v.Seq())
	case typ == DestUnreach && code == 4:
		b = num(append(b, "need to frag, mtu "...), uint64(v.MTU()))
	case typ == DestUnreach:
		b = append(appendWord(b, code, "net", "host", "protocol", "port"), " unreachable"...)
	case typ == TimeExceeded:
		b = appendWord(append(b, "time exceeded "...), code, "in-transit", "reassembly")
	case typ == Redirect:
		b = v.Gateway().AppendTo(append(b, "redirect to "...))
	default:
		b = num(append(b, "type "...), uint64(typ))
		b = num(append(b, ", code "...), uint64(code))
	}
	if v.IsError() {
		b = appendQuote(b, v.p.Payload())
	}
	return b
}

func (v ICMPv6View) appendTo(b []byte) []byte {
	b = append(b, "ICMP6 "...)
	switch typ, code := v.Type(), v.Code(); typ {
	case EchoRequest6, EchoReply6:
		return appendEcho(b, typ == EchoRequest6, v.ID(), v.Seq())
	case DestUnreach6:
		b = append(appendWord(b, code, "route", "admin", "scope", "address", "port"), " unreachable"...)
	case PacketTooBig:
		b = num(append(b, "packet too big, mtu "...), uint64(v.MTU()))
	case TimeExceeded6:
		b = appendWord(append(b, "time exceeded "...), code, "in-transit", "reassembly")
	case RouterSolicit:
		b = append(b, "router solicitation"...)
	case RouterAdvert:
		b = append(b, "router advertisement"...)
	case NeighborSolicit:
		b = appendTarget(append(b, "neighbor solicitation, who has "...), v)
	case NeighborAdvert:
		b = appendTarget(append(b, "neighbor advertisement, tgt is "...), v)
	default:
		b = num(append(b, "type "...), uint64(typ))
		b = num(append(b, ", code "...), uint64(code))
	}
	if mac, ok := v.LLAddr(); ok {
		b = mac.append(append(b, " at "...))
	}
	if v.IsError() {
		b = appendQuote(b, v.p.Payload())
	}
	return b
}

func appendEcho(b []byte, request bool, id, seq uint16) []byte {
	if request {
		b = append(b, "echo request, id "...)
	} else {
		b = append(b, "echo reply, id "...)
	}
	return num(append(num(b, uint64(id)), ", seq "...), uint64(seq))
}

func appendTarget(b []byte, v ICMPv6View) []byte {
	if a, ok := v.Target(); ok {
		return a.AppendTo(b)
	}
	return append(b, "nobody"...)
}

// appendWord writes the word that a code stands for, or its number.
func appendWord(b []byte, code uint8, words ...string) []byte {
	if int(code) < len(words) {
		return append(b, words[code]...)
	}
	return num(append(b, "code "...), uint64(code))
}

// appendQuote writes which packet an error is about: its ends and protocol.
func appendQuote(b, quote []byte) []byte {
	q := Packet{buf: quote, end: len(quote)}
	l := q.Layout()
	if l.Version == 0 {
		return b
	}
	b = q.appendEnds(append(b, " ("...))
	return append(appendProto(append(b, ' '), l.Proto, l.Version), ')')
}
