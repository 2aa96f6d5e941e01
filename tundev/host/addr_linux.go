package host

import (
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// AddAddr gives the link an address. One that it has already stays. On a link that is
// down an IPv6 peer gets no route, neither then nor when the link comes up.
func (h *Handle) AddAddr(name string, a Addr) error {
	op := "add address " + a.String()
	k, err := a.netlink(op, name)
	if err != nil {
		return err
	}
	if a.NoDAD && a.Prefix.Addr().Is6() {
		k.Flags = unix.IFA_F_NODAD
	}
	return h.change(name, op, func(l netlink.Link) error {
		err := h.nl.AddrReplace(l, k)
		if err == nil && a.Prefix.Addr().Is6() && l.Attrs().Flags&net.FlagUp != 0 {
			h.awaitLocal(l, a.Prefix.Addr())
		}
		return err
	}, addrFixes(name, a.Prefix.Addr()))
}

// awaitLocal waits until packets to an IPv6 address arrive. The kernel sends from a
// new address at once, but a work queue makes its local route, later on a busy
// machine; what comes before that is dropped, such as the answer to a first packet.
// Duplicate address detection, which takes a second or more, is not waited for.
func (h *Handle) awaitLocal(l netlink.Link, ip netip.Addr) {
	const most, tentative = time.Second, 100 * time.Millisecond
	local := &netlink.Route{Table: unix.RT_TABLE_LOCAL, Dst: ipnet(netip.PrefixFrom(ip, ip.BitLen()))}
	for start := time.Now(); time.Since(start) < most; time.Sleep(time.Millisecond) {
		// Not by RouteGet: with a loop the way to our own address is through a device.
		routes, err := h.nl.RouteListFiltered(netlink.FAMILY_V6, local, netlink.RT_FILTER_TABLE|netlink.RT_FILTER_DST)
		if err == nil && len(routes) > 0 {
			return
		}
		if time.Since(start) < tentative || l.Attrs().RawFlags&unix.IFF_NOARP != 0 {
			continue // without ARP nothing is detected
		}
		list, err := h.nl.AddrList(l, netlink.FAMILY_V6)
		if err != nil || slices.ContainsFunc(list, func(a netlink.Addr) bool {
			return a.IP.Equal(ip.AsSlice()) && a.Flags&unix.IFA_F_TENTATIVE != 0
		}) {
			return
		}
	}
}

// netlink is the address as the kernel takes it.
func (a Addr) netlink(op, device string) (*netlink.Addr, error) {
	a, wrong := a.kernel()
	if wrong != "" {
		return nil, &Error{Op: op, Device: device, Err: unix.EINVAL, Fix: wrong}
	}
	k := &netlink.Addr{IPNet: ipnet(a.Prefix)}
	if a.Peer.IsValid() {
		k.Peer = ipnet(netip.PrefixFrom(a.Peer, a.Peer.BitLen()))
	}
	return k, nil
}

// addrFixes: for IPv6 the kernel says "permission denied" and "invalid argument" of
// things that are neither.
func addrFixes(name string, ip netip.Addr) fixes {
	if ip.Is4() {
		return nil
	}
	const mtu = "IPv6 needs an MTU of at least 1280"
	return fixes{
		unix.EACCES:  "IPv6 is switched off here: sysctl net.ipv6.conf." + name + ".disable_ipv6=0",
		unix.EINVAL:  mtu,
		unix.ENOBUFS: mtu,
	}
}
