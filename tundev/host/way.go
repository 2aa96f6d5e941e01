package host

import "net/netip"

// A Way is where the kernel sends a packet. The zero Way is nowhere.
type Way struct {
	Device string     // that it leaves by; the loopback for an address of this host
	Local  bool       // the destination is an address of this host, and the kernel takes it itself
	Src    netip.Addr // the address that it would come from
}
