package packet_test

import "github.com/tunscript/tunscript/engine/packet"

// touchAll reads everything that can be read of a packet and makes every answer
// to it; it returns the answers.
func touchAll(p *packet.Packet) []*packet.Packet {
	fields(p)
	_ = p.String()
	_ = p.Hex(true)
	_ = p.Show()
	_ = p.Code()
	_, _ = p.Valid()
	_ = p.Segments()
	_, _ = p.Partial()
	for off := -2; off < p.Len()+2; off += 7 {
		p.Uint8(off)
		p.Uint16(off)
		p.Uint32(off)
		p.Bits(off*8+3, 13)
	}
	p.AppendRange(nil, 0, p.Len())
	answers := []*packet.Packet{p.Reply(), p.RST(), p.TTLExceeded()}
	for kind := packet.UnreachablePort; kind <= packet.UnreachableFragmentation+1; kind++ {
		answers = append(answers, p.Unreachable(kind, 1400))
	}
	return answers
}
