package host

import (
	"errors"
	"net/netip"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Way asks the kernel where a packet of this host to dst would go, all rules and tables
// considered. That there is no way is no error.
func (h *Handle) Way(dst netip.Addr) (Way, error) {
	const op = "look up the way to "
	if err := h.usable(); err != nil {
		return Way{}, fail(op+dst.String(), "", err, nil)
	}
	routes, err := h.nl.RouteGet(dst.AsSlice())
	switch {
	case errors.Is(err, unix.ENETUNREACH), errors.Is(err, unix.EHOSTUNREACH), errors.Is(err, unix.EACCES), errors.Is(err, unix.EINVAL):
		return Way{}, nil // none, or a route that says so: unreachable, prohibit, blackhole
	case err != nil:
		return Way{}, fail(op+dst.String(), "", err, nil)
	case len(routes) == 0:
		return Way{}, nil
	}
	r := routes[0]
	switch r.Type {
	case unix.RTN_UNICAST, unix.RTN_LOCAL, unix.RTN_BROADCAST, unix.RTN_MULTICAST, unix.RTN_ANYCAST:
	default:
		return Way{}, nil
	}
	l, err := h.nl.LinkByIndex(r.LinkIndex)
	if err != nil {
		return Way{}, fail(op+dst.String(), "", err, nil)
	}
	w := Way{Device: l.Attrs().Name, Local: r.Type == unix.RTN_LOCAL}
	w.Src, _ = netip.AddrFromSlice(r.Src)
	w.Src = w.Src.Unmap()
	return w, nil
}

// ReplaceRoute makes dst reachable through the link, and through no other: a route of
// the same destination that leads elsewhere goes.
func (h *Handle) ReplaceRoute(name string, dst netip.Prefix) error {
	op := "replace route " + dst.String()
	if err := network(op, name, dst); err != nil {
		return err
	}
	return h.change(name, op, func(l netlink.Link) error {
		return h.nl.RouteReplace(&netlink.Route{LinkIndex: l.Attrs().Index, Dst: ipnet(dst), Scope: netlink.SCOPE_LINK})
	}, fixes{unix.ENETDOWN: "bring it up first: ip link set " + name + " up"})
}

// SetCarrier gives the link the carrier that its program has taken away.
func (h *Handle) SetCarrier(name string) error {
	return h.change(name, "give carrier", func(l netlink.Link) error {
		r := nl.NewNetlinkRequest(unix.RTM_NEWLINK, unix.NLM_F_ACK)
		r.Sockets = map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: {Socket: h.raw}}
		info := nl.NewIfInfomsg(unix.AF_UNSPEC)
		info.Index = int32(l.Attrs().Index)
		r.AddData(info)
		r.AddData(nl.NewRtAttr(unix.IFLA_CARRIER, []byte{1}))
		_, err := r.Execute(unix.NETLINK_ROUTE, 0)
		return err
	}, nil)
}
