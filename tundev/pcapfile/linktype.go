package pcapfile

import (
	"encoding/binary"

	"github.com/tunscript/tunscript/engine/packet"
)

// Link types (https://www.tcpdump.org/linktypes.html) that lead to IP or Ethernet.
const (
	linkNull     = 0 // four bytes of address family, in the order of the machine
	linkEthernet = 1
	linkRawBSD   = 12 // IP, as some systems numbered it
	linkRawOther = 14
	linkRaw      = 101 // IP
	linkLoop     = 108 // as linkNull, in network order
	linkSLL      = 113 // Linux "cooked": 16 bytes, the ethertype last
	linkIPv4     = 228
	linkIPv6     = 229
	linkSLL2     = 276 // 20 bytes, the ethertype first
)

// playable says what packets of a capture's link type are to an engine; false if
// nothing.
func playable(linkType uint16) (packet.LinkType, bool) {
	switch linkType {
	case linkEthernet:
		return packet.Ethernet, true
	case linkNull, linkLoop, linkRawBSD, linkRawOther, linkRaw, linkIPv4, linkIPv6, linkSLL, linkSLL2:
		return packet.IP, true
	}
	return 0, false
}

// strip takes off a link header that no engine knows; nil if what follows is not IP.
func strip(b []byte, linkType uint16) []byte {
	head, ethertype := 0, -1
	switch linkType {
	case linkNull, linkLoop:
		head = 4 // the family of IPv6 differs by system: the version nibble tells as well
	case linkSLL:
		head, ethertype = 16, 14
	case linkSLL2:
		head, ethertype = 20, 0
	}
	if len(b) < head {
		return nil
	}
	if ethertype >= 0 {
		switch binary.BigEndian.Uint16(b[ethertype:]) {
		case packet.TypeIPv4, packet.TypeIPv6:
		default:
			return nil
		}
	}
	return b[head:]
}
