package packet

// Hex is a hex dump of the frame as it will leave, in the manner of tcpdump -x;
// with text the bytes as ASCII stand beside it, as in tcpdump -X. Lines end in a
// newline.
func (p *Packet) Hex(text bool) string {
	return string(p.AppendHex(make([]byte, 0, p.Len()*5+80), text))
}

// AppendHex appends the dump that Hex returns to b.
func (p *Packet) AppendHex(b []byte, text bool) []byte {
	var line [16]byte
	for off := 0; off < p.Len(); off += len(line) {
		n := min(len(line), p.Len()-off)
		p.read(off, line[:n])
		b = appendHexLine(append(b, '\t'), off, line[:n], text)
	}
	return b
}

func appendHexLine(b []byte, off int, line []byte, text bool) []byte {
	b = append(b, "0x"...)
	if off > 0xffff {
		b = append(b, hexDigits[off>>16&15])
	}
	for shift := 12; shift >= 0; shift -= 4 {
		b = append(b, hexDigits[off>>shift&15])
	}
	b = append(b, ": "...)
	for i, c := range line {
		if i%2 == 0 {
			b = append(b, ' ')
		}
		b = append(b, hexDigits[c>>4], hexDigits[c&15])
	}
	if text {
		for i := len(line); i < 16; i++ {
			b = append(b, "  "...)
			if i%2 == 0 {
				b = append(b, ' ')
			}
		}
		b = append(b, "  "...)
		for _, c := range line {
			if c <= ' ' || c > '~' { // a space is a dot, too, in tcpdump
				c = '.'
			}
			b = append(b, c)
		}
	}
	return append(b, '\n')
}
