package flow

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/tunscript/tunscript/engine/packet"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// setSCTP sets SCTP's ports. Its checksum (RFC 9260 section 6.8: CRC32c, lowest
// byte first, over all of the packet with zeros in its place) covers them, but no
// addresses. It is linear, so a wrong one is kept wrong by the same difference; in
// a fragment and in a quote it covers bytes that are elsewhere, and stays.
func setSCTP(p *packet.Packet, to *tuple, set fields) {
	l := *p.Layout()
	b := p.Frame()[l.L4:l.End]
	if len(b) < 4 {
		return
	}
	ip, _ := p.IP()
	whole := len(b) >= 12 && !l.Fragment() && ip.Len() == l.End-l.L3
	var wrong uint32
	if whole {
		wrong = binary.LittleEndian.Uint32(b[8:]) ^ sctpSum(b)
	}
	if set&setSport != 0 {
		p.SetUint16(l.L4, to.sport) // inside, as was asked
	}
	if set&setDport != 0 {
		p.SetUint16(l.L4+2, to.dport)
	}
	if whole {
		var sum [4]byte
		binary.LittleEndian.PutUint32(sum[:], sctpSum(p.Frame()[l.L4:l.End])^wrong)
		p.SetBytes(l.L4+8, sum[:])
	}
}

func sctpSum(b []byte) uint32 {
	sum := crc32.Update(0, castagnoli, b[:8])
	sum = crc32.Update(sum, castagnoli, []byte{0, 0, 0, 0})
	return crc32.Update(sum, castagnoli, b[12:])
}
