package host

import (
	"errors"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// DelAddr takes an address from the link. One that it has not is no error.
func (h *Handle) DelAddr(name string, a Addr) error {
	op := "remove address " + a.String()
	k, err := a.netlink(op, name)
	if err != nil {
		return err
	}
	return h.change(name, op, func(l netlink.Link) error {
		if err := h.nl.AddrDel(l, k); !errors.Is(err, unix.EADDRNOTAVAIL) {
			return err
		}
		return nil
	}, nil)
}

// HasRoute reports a route to dst through the link, as [Handle.AddRoute] makes it.
func (h *Handle) HasRoute(name string, dst netip.Prefix) (has bool, err error) {
	op := "look up route " + dst.String()
	if err := network(op, name, dst); err != nil {
		return false, err
	}
	err = h.change(name, op, func(l netlink.Link) error {
		has = h.hasRoute(&netlink.Route{LinkIndex: l.Attrs().Index, Dst: ipnet(dst)})
		return nil
	}, nil)
	return has, err
}

// DelRoute takes back what AddRoute did. A route that is not there is no error.
func (h *Handle) DelRoute(name string, dst netip.Prefix) error {
	op := "remove route " + dst.String()
	if err := network(op, name, dst); err != nil {
		return err
	}
	return h.change(name, op, func(l netlink.Link) error {
		r := &netlink.Route{LinkIndex: l.Attrs().Index, Dst: ipnet(dst), Scope: netlink.SCOPE_LINK}
		if err := h.nl.RouteDel(r); !errors.Is(err, unix.ESRCH) {
			return err
		}
		return nil
	}, nil)
}
