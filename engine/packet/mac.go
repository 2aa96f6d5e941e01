package packet

import (
	"fmt"
	"net"
)

// A MAC is an Ethernet address in wire order.
type MAC [6]byte

// Broadcast is the Ethernet address of everybody.
var Broadcast = MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// ParseMAC reads "02:00:00:00:00:01", with colons or hyphens.
func ParseMAC(s string) (MAC, error) {
	hw, err := net.ParseMAC(s)
	if err != nil || len(hw) != 6 {
		return MAC{}, fmt.Errorf("packet: %q is no Ethernet address: write six bytes as 02:00:00:00:00:01", s)
	}
	return MAC(hw), nil
}

func (m MAC) String() string { return net.HardwareAddr(m[:]).String() }

// IsGroup reports a broadcast or multicast address (IEEE 802: the lowest bit of
// the first byte).
func (m MAC) IsGroup() bool { return m[0]&1 != 0 }
