package packet_test

import (
	"encoding/binary"

	"github.com/tunscript/tunscript/engine/packet"
)

// readCapture calls do with the packets of a pcap or pcapng file whose link type
// is ours, as far as the file makes sense. It takes nothing on trust: gopacket's
// readers allocate what a damaged file tells them to.
func readCapture(b []byte, do func([]byte, packet.LinkType)) {
	if len(b) < 24 {
		return
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		switch order.Uint32(b) {
		case 0xa1b2c3d4, 0xa1b23c4d:
			readPcap(b, order, do)
		case 0x0a0d0d0a:
			if order.Uint32(b[8:]) == 0x1a2b3c4d {
				readPcapng(b, order, do)
			}
		}
	}
}

func readPcap(b []byte, order binary.ByteOrder, do func([]byte, packet.LinkType)) {
	link := order.Uint32(b[20:]) & 0xffff
	for b = b[24:]; len(b) >= 16; {
		n := order.Uint32(b[8:])
		if uint64(n) > uint64(len(b)-16) {
			return
		}
		emit(b[16:16+n], link, do)
		b = b[16+n:]
	}
}

func readPcapng(b []byte, order binary.ByteOrder, do func([]byte, packet.LinkType)) {
	var links []uint32
	for len(b) >= 12 {
		typ, n := order.Uint32(b), order.Uint32(b[4:])
		if n < 12 || uint64(n) > uint64(len(b)) {
			return
		}
		switch body := b[8 : n-4]; {
		case typ == 1 && len(body) >= 8: // interface description
			links = append(links, uint32(order.Uint16(body)))
		case typ == 6 && len(body) >= 20: // enhanced packet
			ifc, caplen := order.Uint32(body), order.Uint32(body[12:])
			if uint64(ifc) < uint64(len(links)) && uint64(caplen) <= uint64(len(body)-20) {
				emit(body[20:20+caplen], links[ifc], do)
			}
		}
		b = b[n:]
	}
}

// emit passes on Ethernet (1) and raw IP (12, 14, 101, 228, 229).
func emit(b []byte, link uint32, do func([]byte, packet.LinkType)) {
	switch link {
	case 1:
		do(b, packet.Ethernet)
	case 12, 14, 101, 228, 229:
		do(b, packet.IP)
	}
}
