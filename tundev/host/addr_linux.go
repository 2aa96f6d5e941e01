package host

import (
	"net/netip"

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
	return h.change(name, op, func(l netlink.Link) error { return h.nl.AddrReplace(l, k) },
		addrFixes(name, a.Prefix.Addr()))
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
