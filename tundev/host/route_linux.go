package host

import (
	"errors"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// AddRoute makes dst reachable through the link, which must be up. 0.0.0.0/0 and ::/0
// are the default routes. A route that is already there through this link stays; one
// that leads through another link is not touched: the error is [ErrRouteTaken].
func (h *Handle) AddRoute(name string, dst netip.Prefix) error {
	op := "add route " + dst.String()
	if err := network(op, name, dst); err != nil {
		return err
	}
	fix := fixes{
		ErrRouteTaken:    "see `ip route` and `ip -6 route`; remove that one, or choose a smaller network",
		unix.ENETDOWN:    "bring it up first: ip link set " + name + " up",
		unix.ENETUNREACH: "bring it up first: ip link set " + name + " up",
	}
	if dst.Addr().Is6() {
		// The link is there, only IPv6 does not see it.
		fix[unix.ENODEV] = "IPv6 needs an MTU of at least 1280"
		fix[unix.EINVAL] = fix[unix.ENODEV]
		fix[unix.EACCES] = "IPv6 is switched off here: sysctl net.ipv6.conf." + name + ".disable_ipv6=0"
	}
	return h.change(name, op, func(l netlink.Link) error {
		r := &netlink.Route{LinkIndex: l.Attrs().Index, Dst: ipnet(dst), Scope: netlink.SCOPE_LINK}
		switch err := h.nl.RouteAdd(r); {
		case !errors.Is(err, unix.EEXIST):
			return err
		case h.hasRoute(r):
			return nil
		}
		return ErrRouteTaken
	}, fix)
}

// network refuses what is none: the zero Prefix is not the default route.
func network(op, device string, dst netip.Prefix) error {
	if dst.IsValid() && dst.Masked() == dst {
		return nil
	}
	return &Error{Op: op, Device: device, Err: unix.EINVAL,
		Fix: "a network has the form 198.51.100.0/24, with no bits set behind the length"}
}

// hasRoute says whether r is in the main table as it stands.
func (h *Handle) hasRoute(r *netlink.Route) bool {
	family := netlink.FAMILY_V4
	if len(r.Dst.IP) == 16 {
		family = netlink.FAMILY_V6
	}
	list, err := h.nl.RouteListFiltered(family, r, netlink.RT_FILTER_DST|netlink.RT_FILTER_OIF)
	return err == nil && len(list) > 0
}
