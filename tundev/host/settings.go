package host

import (
	"net"
	"net/netip"
)

// Settings are what [Handle.Apply] makes true of a link. A zero field is left as it is.
type Settings struct {
	MTU        int // bytes
	TxQueueLen int // packets
	MAC        net.HardwareAddr
	// NoLinkLocal keeps the kernel from giving the link an IPv6 address of its own
	// accord, and so from sending router solicitations and multicast reports: the
	// device is silent until somebody uses it.
	NoLinkLocal bool
	// Up brings the link up; false leaves its state alone.
	Up    bool
	Addrs []Addr
	// Routes are networks to be reached through the link. They need Up, or a link
	// that is up.
	Routes []netip.Prefix
}

// Apply does all of s in the one order that works: what must precede the first
// packet (MTU, MAC, no link-local address) before the link is up; addresses after, as
// the kernel makes the route to an IPv6 peer only then; routes last, as they need
// both. It stops at the first error; what was done stays done.
func (h *Handle) Apply(name string, s Settings) error {
	if s.MTU != 0 {
		if err := h.SetMTU(name, s.MTU); err != nil {
			return err
		}
	}
	if s.TxQueueLen != 0 {
		if err := h.SetTxQueueLen(name, s.TxQueueLen); err != nil {
			return err
		}
	}
	if s.MAC != nil {
		if err := h.SetMAC(name, s.MAC); err != nil {
			return err
		}
	}
	if s.NoLinkLocal {
		if err := h.NoLinkLocal(name); err != nil {
			return err
		}
	}
	if s.Up {
		if err := h.SetUp(name); err != nil {
			return err
		}
	}
	for _, a := range s.Addrs {
		if err := h.AddAddr(name, a); err != nil {
			return err
		}
	}
	for _, r := range s.Routes {
		if err := h.AddRoute(name, r); err != nil {
			return err
		}
	}
	return nil
}
