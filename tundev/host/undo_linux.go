package host

import (
	"errors"
	"fmt"
	"net"
)

// Undo takes a change back. One that is not there any more, or never was, is no error,
// and neither is a device that is gone or has been replaced by another one of its
// name; one that was renamed is found by its index. Sysctls and nftables are those of
// the calling thread's namespace, and need no Handle that is open.
func (h *Handle) Undo(c Change) error {
	if c.Device != "" {
		l, err := h.Link(c.Device)
		if c.Index != 0 { // whatever it is called by now
			l, err = h.LinkAt(c.Index)
		}
		if errors.Is(err, ErrNoLink) {
			return nil
		}
		if err != nil {
			return err
		}
		c.Device = l.Name
	}
	switch c.Kind {
	case KindMTU:
		return h.SetMTU(c.Device, c.Number)
	case KindTxQueueLen:
		return h.SetTxQueueLen(c.Device, c.Number)
	case KindMAC:
		mac, err := net.ParseMAC(c.Text)
		if err != nil {
			return &Error{Op: "set mac " + c.Text, Device: c.Device, Err: err}
		}
		return h.SetMAC(c.Device, mac)
	case KindUp:
		return h.SetDown(c.Device)
	case KindAddr:
		return h.DelAddr(c.Device, Addr{Prefix: c.Prefix, Peer: c.Peer})
	case KindRoute:
		return h.DelRoute(c.Device, c.Prefix)
	case KindLoop:
		return h.unloop(c.Number)
	case KindMasquerade:
		return unmasquerade(c.Text)
	case KindSysctl:
		return putSysctl(c.Path, c.Text)
	}
	return &Error{Op: fmt.Sprintf("undo %q", string(c.Kind)), Device: c.Device, Err: errors.ErrUnsupported,
		Fix: "the journal is of another version of tunscript: undo it with that one"}
}
